"""What a model is sent: the system prompt, the tools that fit, and as much of the thread as fits."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage
from langchain_core.tools import BaseTool

from agent.language import language_of
from agent.model_context import Fitted, fit
from agent.model_server import ASSUMED_WINDOW, Served
from agent.model_tokens import Calibration, json_tokens, openai_messages, text_tokens
from agent.model_tools import Language, ToolSchema, choose_tools, common_arguments, tool_schemas
from agent.offline_model import OfflinePlanner
from agent.phrases import phrase
from agent.state import TurnState, questions
from store.errors import ModelUnavailable

# The tools that the offline planner would call first for the last of these questions.
Wanted = Callable[[Sequence[str]], Sequence[str]]
_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
# Of the context window, the tools take at most so much.
_TOOLS_SHARE: Final = 0.3
# Beside what is counted: the template's own words.
_MARGIN: Final = 96
# From this share of the window on the estimate is not trusted where the server counts exactly.
_COUNT_FROM: Final = 0.6
_SHRINK: Final = 0.9
_TRIES: Final = 4


class FitRequest(AgentMiddleware[TurnState, Any, Any]):
    """Fits each request of a model into its context.

    LangChain's LLMToolSelectorMiddleware would spend a model call on choosing tools, and a small model
    chooses poorly; here the offline planner's reading and the words of the question choose.
    """

    state_schema = TurnState

    def __init__(self, system_prompt: Callable[[str, str], str], wanted: Wanted) -> None:
        """`system_prompt` is given the question and what the common arguments mean."""
        super().__init__()
        self._system_prompt = system_prompt
        self._wanted = wanted
        self._plain = Calibration()

    async def awrap_model_call(self, request: ModelRequest[Any], handler: _Handler) -> ModelResponse[Any]:
        """Send what fits. Raises ModelUnavailable where not even this turn does."""
        if isinstance(request.model, OfflinePlanner):
            return await handler(request)
        tools = [tool for tool in request.tools if isinstance(tool, BaseTool)]
        asked = questions(request.messages)
        language = language_of(asked[-1])
        model = request.model if isinstance(request.model, Served) else None
        server = model.server if model else None
        window = await server.window() if server else ASSUMED_WINDOW * 4
        answer = await server.answer() if server else 0
        calibration = server.calibration if server else self._plain
        offered = choose_tools(
            tool_schemas(tools, language),
            question=asked[-1],
            wanted=lambda: self._wanted(asked),
            used=_used(request.messages),
            room=int(window * _TOOLS_SHARE / calibration.ratio),
            cost=json_tokens,
        )
        system = self._system_prompt(asked[-1], common_arguments(tools, language))
        fixed = sum(map(json_tokens, offered)) + text_tokens(system) + _MARGIN
        room = window - answer
        fitted = fit(request.messages, room - calibration.corrected(fixed), calibration.corrected)
        if server and fitted.tokens + calibration.corrected(fixed) > _COUNT_FROM * room:
            fitted = await _exactly(request, fitted, model, offered, (system, fixed), room, language)
        settings = {**request.model_settings, "max_tokens": answer} if server else request.model_settings
        return await handler(
            request.override(
                tools=list(offered),
                system_message=SystemMessage(_with_digest(system, fitted, language)),
                messages=fitted.messages,
                model_settings=settings,
            )
        )


async def _exactly(
    request: ModelRequest[Any],
    fitted: Fitted,
    model: Served | None,
    offered: list[ToolSchema],
    system: tuple[str, int],
    room: int,
    language: Language,
) -> Fitted:
    """Fit by the server's own count where it has one; each count corrects the estimates after it."""
    if model is None or model.server is None:
        return fitted
    calibration = model.server.calibration
    text, fixed = system
    for attempt in range(_TRIES):
        shown: list[BaseMessage] = [SystemMessage(_with_digest(text, fitted, language)), *fitted.messages]
        if model.writes_json:
            shown, native = model.dialogue(shown, offered), []
        else:
            native = offered
        exact = await model.server.count(openai_messages(shown), native)
        if exact is None:
            return fitted
        estimated = (fitted.tokens + calibration.corrected(fixed)) / calibration.ratio
        calibration.learn(estimated=int(estimated), exact=exact)
        if exact <= room:
            return fitted
        smaller = int((room - calibration.corrected(fixed)) * _SHRINK**attempt)
        fitted = fit(request.messages, smaller, calibration.corrected)
    raise ModelUnavailable("this turn does not fit into the model's context")


def _used(messages: Sequence[AnyMessage]) -> list[str]:
    """Tools called in this thread, latest first."""
    called = [call["name"] for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]
    return list(dict.fromkeys(reversed(called)))


def _with_digest(system: str, fitted: Fitted, language: Language) -> str:
    if not fitted.digest and not fitted.left_out:
        return system
    parts = [system, phrase("earlier_turns", language)]
    if fitted.left_out:
        parts.append(phrase("turns_left_out", language, n=fitted.left_out))
    return "\n".join([*parts, *(f"- {line}" for line in fitted.digest)])
