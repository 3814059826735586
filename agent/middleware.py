"""What stands around the model in the graph: limits and fallback, tool errors, approval."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from typing import Any, cast

import structlog
from langchain.agents.middleware import (
    AgentMiddleware,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langgraph.config import get_config
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from agent.approvals import Decision, pending_in
from agent.approver import Approver
from agent.language import language_of
from agent.model_actions import Useless
from agent.model_limits import NOT_PERMITTED, REPEATED, Spent, TurnLimits, is_repeated, nothing_spent
from agent.model_use import UseCheck
from agent.phrases import phrase
from agent.state import APPROVAL_NOTE, LOCK_NOTE, TurnState, questions, this_turn, tool_sources
from agent.toolset import asker_of, error_for_model
from prompts.library import render
from store.errors import ModelUnavailable, NotPermitted, ToolInputError

_log = structlog.get_logger(__name__)
_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
_ToolHandler = Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]


class DriveTurn(AgentMiddleware[TurnState, Any, Any]):
    """The endpoints drive a turn within its limits, one after the other; then the offline planner ends it.

    LangChain's ModelFallbackMiddleware would try the failed endpoint again at every call and hide mistakes of
    ours behind `except Exception`; its call limits end a turn with an English sentence. Retries with backoff
    (429, 5xx, time-outs, Retry-After) are the client's own.
    """

    state_schema = TurnState

    def __init__(
        self,
        planner: BaseChatModel,
        models: Sequence[BaseChatModel],
        failures: tuple[type[Exception], ...],
        limits: TurnLimits,
        check: UseCheck,
    ) -> None:
        """`models` in the order of trust; `failures`: what their client raises after its own retries."""
        super().__init__()
        self._planner = planner
        self._models = models
        self._failures: tuple[type[Exception], ...] = (*failures, ModelUnavailable)
        self._limits = limits
        self._check = check

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: _Handler
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Call an endpoint, or the planner once this turn has fallen back."""
        if request.state.get("fallback_reason"):
            return await handler(request.override(model=self._planner))
        spent = copy(cast("Spent", request.state.get("spent") or nothing_spent()))
        reason = self._limits.reached(this_turn(request.messages), spent)
        while reason is None and spent["endpoint"] < len(self._models):
            model = self._models[spent["endpoint"]]
            try:
                response = await self._tried(request.override(model=model), handler, spent)
            except TimeoutError:
                reason = "seconds"
            except Useless as error:
                reason = error.reason
            except self._failures as error:
                reason = type(error).__name__
                _log.info("a model endpoint failed", reason=reason, told=str(error))
            else:
                return ExtendedModelResponse(response, Command(update={"spent": spent}))
            _log.warning(
                "a model endpoint was given up for this turn", endpoint=spent["endpoint"], reason=reason
            )
            if reason in ("seconds", "tool_calls", "tokens") or spent["endpoint"] + 1 >= len(self._models):
                break
            spent["endpoint"] += 1
            reason = None
        _log.warning("the offline planner takes over", reason=reason)
        response = await handler(request.override(model=self._planner))
        return ExtendedModelResponse(response, Command(update={"fallback_reason": reason, "spent": spent}))

    async def _tried(self, request: ModelRequest[Any], handler: _Handler, spent: Spent) -> ModelResponse[Any]:
        """A reply of use. One that is of none is asked for once more, with what was wrong with it."""
        turn = this_turn(request.messages)
        language = language_of(questions(request.messages)[-1])
        for last in (False, True):
            spent["calls"] += 1
            try:
                async with asyncio.timeout(max(0.0, self._limits.seconds_left(spent))):
                    response = await handler(request)
                _add(spent, response)
                self._check.require(request, response)
                if self._limits.too_many_calls(turn, response.result):
                    raise Useless("tool_calls")
            except Useless as error:
                _add_usage(spent, error.usage)
                if last or error.reason == "tool_calls" or self._limits.reached(turn, spent):
                    raise
                note = render(f"redo_{error.reason}", language)
                asked_again = HumanMessage(note, name=LOCK_NOTE)
                request = request.override(messages=[*request.messages, asked_again])
            else:
                return response
        raise AssertionError("the second try returns or raises")


def _add(spent: Spent, response: ModelResponse[Any]) -> None:
    for message in response.result:
        if isinstance(message, AIMessage):
            _add_usage(spent, message.usage_metadata)


def _add_usage(spent: Spent, usage: UsageMetadata | None) -> None:
    if usage:
        spent["input_tokens"] += usage["input_tokens"]
        spent["output_tokens"] += usage["output_tokens"]


class ToolErrors(AgentMiddleware[TurnState, Any, Any]):
    """ToolInputError and NotPermitted speak to the model; anything else is fatal."""

    state_schema = TurnState

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: _ToolHandler
    ) -> ToolMessage | Command[Any]:
        """Run the tool; turn an error meant for the model into its message. A call made before is not run."""
        call = request.tool_call
        messages = request.state["messages"]
        language = language_of(questions(messages)[-1])
        extra: dict[str, Any] = {}
        if not request.state.get("fallback_reason") and is_repeated(call, this_turn(messages)):
            text = phrase("repeated_call", language)
            extra = {"additional_kwargs": {REPEATED: True}}
        else:
            try:
                return await handler(
                    request.override(tool_call={**call, "args": _in_language(request, language)})
                )
            except ToolInputError as error:
                text = error_for_model(error)
            except NotPermitted as error:
                text = f"{NOT_PERMITTED}{error.message}"
        return ToolMessage(text, name=call["name"], tool_call_id=call["id"] or "", status="error", **extra)


def _in_language(request: ToolCallRequest, language: str) -> dict[str, Any]:
    """The arguments; results come in the asker's language where the call does not say otherwise."""
    schema = request.tool.args_schema if request.tool else None
    takes = isinstance(schema, dict) and "language" in schema.get("properties", {})
    return {"language": language, **request.tool_call["args"]} if takes else request.tool_call["args"]


class AskApproval(AgentMiddleware[TurnState, Any, Any]):
    """Actions only draft; at the end of a turn the graph stops until a person approves or refuses them."""

    def __init__(self, approver: Approver) -> None:
        """`approver` carries out decisions, each exactly once."""
        super().__init__()
        self._approver = approver

    async def aafter_agent(self, state: TurnState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Interrupt with what this turn drafted; on resume carry out the decision and report it.

        The node runs again from its start on resume, so what it asks is read from the messages alone.
        """
        drafts = pending_in(tool_sources(this_turn(state["messages"])))
        if not drafts:
            return None
        answer = interrupt({"pending_approvals": [draft.model_dump(mode="json") for draft in drafts]})
        report = self._approver.carry_out(drafts, Decision.model_validate(answer), asker_of(get_config()))
        language = language_of(questions(state["messages"])[-1])
        return {"messages": [AIMessage(report.text(language), name=APPROVAL_NOTE)]}
