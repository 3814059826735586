"""The offline planner as a chat model, so that it sits in the same graph as any other model."""

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from agent.planner import Done, Planner, Turn
from agent.planner_calls import Call
from agent.state import turns_of

_BY_PLANNER = "by_planner"


class OfflinePlanner(BaseChatModel):
    """Deterministic: reads the thread, calls the next tools or composes the answer."""

    _planner: Planner = PrivateAttr()

    def __init__(self, planner: Planner) -> None:
        super().__init__()
        self._planner = planner

    @property
    def _llm_type(self) -> str:
        return "voiceloop-offline-planner"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "OfflinePlanner":
        """The planner knows our tools; there is nothing to bind."""
        return self

    def first_tools(self, questions: Sequence[str]) -> list[str]:
        """The tools it would call first for the last of these questions; none where it needs no data."""
        return [call.name for call in self._planner.reply([Turn(question) for question in questions]).calls]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        thread = [message for message in messages if message.type != "system"]
        asked = turns_of(thread)  # type: ignore[arg-type]
        turns = [Turn(question, tuple(_done(messages))) for question, messages in asked[:-1]]
        turns += [Turn(question, tuple(_done(messages, own=True))) for question, messages in asked[-1:]]
        reply = self._planner.reply(turns)
        made = len(turns[-1].done)
        message = AIMessage(
            reply.text,
            tool_calls=[
                {
                    "name": call.name,
                    "args": call.args,
                    "id": f"plan_{len(turns)}_{made + n}",
                    "type": "tool_call",
                }
                for n, call in enumerate(reply.calls)
            ],
            response_metadata={_BY_PLANNER: True},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def is_by_planner(message: AIMessage) -> bool:
    """Whether the planner, and no model, wrote a message."""
    return bool(message.response_metadata.get(_BY_PLANNER))


def _done(turn: Sequence[BaseMessage], *, own: bool = False) -> list[Done]:
    """The calls of a turn with what came of them, in order.

    `own`: without those that a model made before it was given up; their arguments may be beside the question.
    """
    outcomes = {m.tool_call_id: m for m in turn if isinstance(m, ToolMessage)}
    done = []
    for message in turn:
        if not isinstance(message, AIMessage) or (own and not is_by_planner(message)):
            continue
        for call in message.tool_calls:
            outcome = outcomes.get(call["id"] or "")
            if outcome is not None:
                result = outcome.artifact if isinstance(outcome.artifact, dict) else None
                error = None if result is not None else str(outcome.text)
                done.append(Done(Call(call["name"], call["args"]), result, error))
    return done
