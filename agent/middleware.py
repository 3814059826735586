"""What stands around the model in the graph: fallback, tool errors, approval."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from langchain.agents.middleware import (
    AgentMiddleware,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.config import get_config
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from agent.approvals import Approver, Decision, pending_in
from agent.state import APPROVAL_NOTE, TurnState, questions, this_turn, tool_sources
from agent.toolset import asker_of, error_for_model
from agent.language import language_of
from store.errors import ModelUnavailable, NotPermitted, ToolInputError

_log = structlog.get_logger(__name__)
_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
_ToolHandler = Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]


class FallbackToPlanner(AgentMiddleware[TurnState, Any, Any]):
    """When the endpoint fails or answers uselessly, the offline planner finishes the turn, and says so."""

    state_schema = TurnState

    def __init__(self, planner: BaseChatModel, failures: tuple[type[Exception], ...]) -> None:
        """`failures`: what the endpoint's client raises after its own retries."""
        super().__init__()
        self._planner = planner
        self._failures: tuple[type[Exception], ...] = (*failures, ModelUnavailable)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: _Handler
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Call the model, or the planner once this turn has fallen back."""
        if request.state.get("fallback_reason"):
            return await handler(request.override(model=self._planner))
        try:
            response = await handler(request)
            _require_use(response)
        except self._failures as error:
            reason = f"{type(error).__name__}"
            _log.warning("model endpoint failed, the offline planner takes over", reason=reason)
            response = await handler(request.override(model=self._planner))
            return ExtendedModelResponse(response, Command(update={"fallback_reason": reason}))
        return response


def _require_use(response: ModelResponse[Any]) -> None:
    """An answer must hold text or well-formed tool calls."""
    for message in response.result:
        if isinstance(message, AIMessage):
            if message.invalid_tool_calls and not message.tool_calls:
                raise ModelUnavailable("the model's tool calls are not valid JSON")
            if not message.tool_calls and not message.text.strip():
                raise ModelUnavailable("the model answered nothing")


class ToolErrors(AgentMiddleware[TurnState, Any, Any]):
    """ToolInputError and NotPermitted speak to the model; anything else is fatal."""

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: _ToolHandler
    ) -> ToolMessage | Command[Any]:
        """Run the tool; turn an error meant for the model into its message."""
        call = request.tool_call
        try:
            return await handler(request)
        except ToolInputError as error:
            text = error_for_model(error)
        except NotPermitted as error:
            text = f"not permitted: {error.message}"
        return ToolMessage(text, name=call["name"], tool_call_id=call["id"] or "", status="error")


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
