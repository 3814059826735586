"""The graph's state beyond the messages, and how one turn is read out of them."""

from collections.abc import Sequence
from typing import Any, NotRequired

from langchain.agents.middleware import AgentState
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.model_limits import Spent
from agent.number_lock import Source

LOCK_NOTE = "number_lock"
APPROVAL_NOTE = "approval"
PREFERENCE_NOTE = "preferences"


class TurnState(AgentState[Any]):
    """What a turn carries: why the offline planner stepped in, whether an answer was redone, what it cost."""

    fallback_reason: NotRequired[str | None]
    redone: NotRequired[bool]
    spent: NotRequired[Spent]


def is_question(message: AnyMessage) -> bool:
    """Whether a message is a person's (and not a note of the number lock)."""
    return isinstance(message, HumanMessage) and message.name != LOCK_NOTE


def questions(messages: Sequence[AnyMessage]) -> list[str]:
    """What the person asked in this thread, oldest first."""
    return [str(message.text) for message in messages if is_question(message)]


def this_turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages after the last question."""
    for index in range(len(messages) - 1, -1, -1):
        if is_question(messages[index]):
            return list(messages[index + 1 :])
    return []


def turns_of(messages: Sequence[AnyMessage]) -> list[tuple[str, list[AnyMessage]]]:
    """Every question of a thread with the messages that followed it, oldest first."""
    turns: list[tuple[str, list[AnyMessage]]] = []
    for message in messages:
        if is_question(message):
            turns.append((str(message.text), []))
        elif turns:
            turns[-1][1].append(message)
    return turns


def tool_sources(messages: Sequence[AnyMessage]) -> list[Source]:
    """Every successful tool call with its result, oldest first."""
    calls = {
        call["id"]: call
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["id"] is not None
    }
    found = []
    for message in messages:
        if isinstance(message, ToolMessage) and isinstance(message.artifact, dict):
            call = calls.get(message.tool_call_id)
            if call is not None:
                found.append(Source(message.tool_call_id, call["name"], call["args"], message.artifact))
    return found
