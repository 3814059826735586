"""What a model is sent: the system prompt, the tools that fit, and as much of the thread as fits."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
from langchain_core.tools import BaseTool

from agent.language import language_of
from agent.model_context import Fitted, fit
from agent.model_server import ASSUMED_WINDOW, ModelServer, Served
from agent.model_tokens import Calibration, json_tokens, openai_messages, text_tokens
from agent.model_tools import Language, ToolSchema, choose_tools, common_arguments, tool_schemas
from agent.offline_model import OfflinePlanner
from agent.phrases import phrase
from agent.state import TurnState, questions
from store.errors import ModelUnavailable

# The tools that the offline planner would call first for the last of these questions.
Wanted = Callable[[Sequence[str]], Sequence[str]]
_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
# Of what the answer leaves of the context, the tools take at most so much.
_TOOLS_SHARE: Final = 0.4
# Beside what is counted: the template's own words.
_MARGIN: Final = 96
# From this share of the window on the estimate is not trusted where the server counts exactly.
_COUNT_FROM: Final = 0.6
_SHRINK: Final = 0.9
_TRIES: Final = 4
# Models that are no endpoint (scripted ones) have room.
_UNSERVED: Final = ASSUMED_WINDOW * 4


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
        model = request.model if isinstance(request.model, Served) else None
        server = model.server if model else None
        answer = await server.answer() if server else 0
        room = (await server.window() if server else _UNSERVED) - answer
        offered, messages = await self._fitted(request, model, room)
        settings = {**request.model_settings, "max_tokens": answer} if server else request.model_settings
        return await handler(
            request.override(
                tools=list(offered),
                system_message=messages[0],
                messages=messages[1:],
                model_settings=settings,
            )
        )

    async def _fitted(
        self, request: ModelRequest[Any], model: Served | None, room: int
    ) -> tuple[list[ToolSchema], list[Any]]:
        """Tools and messages, the system prompt first. Each exact count corrects the estimates after it."""
        server = model.server if model else None
        calibration = server.calibration if server else self._plain
        share = _TOOLS_SHARE
        for attempt in range(_TRIES):
            offered, system = self._briefing(request, int(room * share / calibration.ratio))
            fixed = sum(map(json_tokens, offered)) + text_tokens(system) + _MARGIN
            left = int((room - calibration.corrected(fixed)) * _SHRINK**attempt)
            try:
                fitted = fit(request.messages, left, calibration.corrected)
            except ModelUnavailable:
                if attempt + 1 == _TRIES:
                    raise
                share /= 2  # fewer tools leave more to the turn
                continue
            language = language_of(questions(request.messages)[-1])
            messages = [SystemMessage(_with_digest(system, fitted, language)), *fitted.messages]
            estimate = fitted.tokens + calibration.corrected(fixed)
            if model is None or server is None or estimate <= _COUNT_FROM * room:
                return offered, messages
            exact = await _counted(server, model, messages, offered)
            if exact is None:
                return offered, messages
            calibration.learn(estimated=int(estimate / calibration.ratio), exact=exact)
            if exact <= room:
                return offered, messages
        raise ModelUnavailable("this turn does not fit into the model's context")

    def _briefing(self, request: ModelRequest[Any], room: int) -> tuple[list[ToolSchema], str]:
        """The tools that fit into the room, and the system prompt."""
        tools = [tool for tool in request.tools if isinstance(tool, BaseTool)]
        asked = questions(request.messages)
        language = language_of(asked[-1])
        offered = choose_tools(
            tool_schemas(tools, language),
            question=asked[-1],
            wanted=lambda: self._wanted(asked),
            used=_used(request.messages),
            room=room,
            cost=json_tokens,
        )
        return offered, self._system_prompt(asked[-1], common_arguments(tools, language))


async def _counted(
    server: ModelServer, model: Served, messages: list[Any], offered: list[ToolSchema]
) -> int | None:
    """The server's own count of what would be sent."""
    if model.writes_json:
        return await server.count(openai_messages(model.dialogue(messages, offered)), [])
    return await server.count(openai_messages(messages), offered)


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
