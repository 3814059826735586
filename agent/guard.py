"""What stands between a model and the world: actions only where a person asked, answers without ways out."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import structlog
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse, ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.types import Command

from agent.guard_answer import AnswerGuard, guard_sources
from agent.guard_request import asked_actions, names_record
from agent.language import language_of
from agent.phrases import phrase
from agent.state import questions
from tools.refusals import Forbidden

_log = structlog.get_logger(__name__)
_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
_ToolHandler = Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]


# These act at once on one record, so the person must have named it: a customer's words must not choose it.
_ON_RECORDS: Final = frozenset({"update_task", "record_verdict", "send_playbook_message"})


class Guard(AgentMiddleware[Any, Any, Any]):
    """Customers' words, names and results are data, whatever they say.

    Actions are offered to a model, and carried out as drafts, only in a turn in which the person asked for
    them in words of their own. Answers leave without instructions, keys, pictures and foreign links.
    """

    def __init__(self, acting: Collection[str], answers: AnswerGuard) -> None:
        """`acting`: the names of the tools that act."""
        super().__init__()
        self._acting = frozenset(acting)
        self._answers = answers

    async def awrap_model_call(self, request: ModelRequest[Any], handler: _Handler) -> ModelResponse[Any]:
        """Offer what may be used, clean what comes back."""
        asked = questions(request.messages)
        barred = self._acting - asked_actions(asked)
        if barred:
            offered = [t for t in request.tools if not (isinstance(t, BaseTool) and t.name in barred)]
            request = request.override(tools=offered)
        response = await handler(request)
        known = guard_sources(request.messages)
        response.result = [self._cleaned(message, known, asked[-1]) for message in response.result]
        return response

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: _ToolHandler
    ) -> ToolMessage | Command[Any]:
        """Refuse an action that nobody asked for. Raises NotPermitted."""
        name = request.tool_call["name"]
        asked = questions(request.state["messages"])
        if name in self._acting and name not in asked_actions(asked):
            _log.warning("an action was refused that the question does not ask for", tool=name)
            raise Forbidden("not_asked_for", language_of(asked[-1]), tool=name)
        record = _record_of(request.tool_call["args"]) if name in _ON_RECORDS else ""
        if not names_record(asked[-1], record):
            _log.warning("an action on a record was refused that the question does not name", tool=name)
            raise Forbidden("not_named", language_of(asked[-1]), tool=name)
        return await handler(request)

    def _cleaned(self, message: BaseMessage, known: list[str], question: str) -> BaseMessage:
        if not isinstance(message, AIMessage) or not message.text.strip():
            return message
        cleaned = self._answers.clean(message.text, known)
        if not cleaned.removed:
            return (
                message
                if cleaned.text == message.text
                else message.model_copy(update={"content": cleaned.text})
            )
        _log.warning("taken out of an answer", what=cleaned.removed)
        note = phrase("taken_out", language_of(question)) if not message.tool_calls else ""
        shown = "\n\n".join(part for part in (cleaned.text, note) if part)
        return message.model_copy(update={"content": shown})


def _record_of(args: dict[str, Any]) -> str:
    return str(args.get("task_id") or args.get("alert_id") or "")
