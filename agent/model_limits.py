"""How much a turn may cost a model, and what a turn has cost so far, read from its messages."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

import orjson
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolMessage

REPEATED: Final = "repeated"
NOT_PERMITTED: Final = "not permitted: "
# What `TurnLimits.reached` names.
LIMITS: Final = frozenset({"model_calls", "tokens", "seconds", "tool_calls", "no_progress"})
# So many rounds in which every call failed or was made before, and the model is taken to be lost.
_WASTED_ROUNDS: Final = 3


class Spent(TypedDict):
    """What a turn has taken of endpoints, replies of no use included. `since`: monotonic seconds."""

    calls: int
    input_tokens: int
    output_tokens: int
    since: float
    endpoint: NotRequired[int]


def nothing_spent() -> Spent:
    """The account of a turn that starts now."""
    return Spent(calls=0, input_tokens=0, output_tokens=0, since=time.monotonic(), endpoint=0)


@dataclass(frozen=True)
class TurnLimits:
    """What one turn may take at most: model calls, tool calls, seconds, tokens in and out together."""

    model_calls: int = 12
    tool_calls: int = 24
    seconds: float = 120.0
    tokens: int = 120_000

    def reached(self, turn: Sequence[AnyMessage], spent: Spent) -> str | None:
        """The name of the limit that this turn has reached; None while it may go on."""
        if spent["calls"] >= self.model_calls:
            return "model_calls"
        if spent["input_tokens"] + spent["output_tokens"] >= self.tokens:
            return "tokens"
        if self.seconds_left(spent) <= 0:
            return "seconds"
        if tool_calls(turn) >= self.tool_calls:
            return "tool_calls"
        if wasted_rounds(turn) >= _WASTED_ROUNDS:
            return "no_progress"
        return None

    def too_many_calls(self, turn: Sequence[BaseMessage], reply: Sequence[BaseMessage]) -> bool:
        """Whether a reply asks for more tool calls than the turn has left."""
        return tool_calls(turn) + tool_calls(reply) > self.tool_calls

    def seconds_left(self, spent: Spent) -> float:
        """Of the wall time; a turn resumed in another process starts anew where its clock is behind."""
        return self.seconds - max(0.0, time.monotonic() - spent["since"])


def tool_calls(turn: Sequence[BaseMessage]) -> int:
    """Calls made in a turn."""
    return sum(len(message.tool_calls) for message in turn if isinstance(message, AIMessage))


def wasted_rounds(turn: Sequence[AnyMessage]) -> int:
    """Rounds at the end of a turn in which no call brought a new result."""
    outcomes = {m.tool_call_id: m for m in turn if isinstance(m, ToolMessage)}
    wasted = 0
    for message in turn:
        if isinstance(message, AIMessage) and message.tool_calls:
            results = [outcomes.get(call["id"] or "") for call in message.tool_calls]
            is_new = any(result is not None and result.status != "error" for result in results)
            wasted = 0 if is_new else wasted + 1
    return wasted


def is_repeated(call: Any, turn: Sequence[AnyMessage]) -> bool:
    """Whether the same call has already brought a result in this turn."""
    answered = {m.tool_call_id for m in turn if isinstance(m, ToolMessage) and m.status != "error"}
    wanted = (call["name"], _key(call["args"]))
    return any(
        (made["name"], _key(made["args"])) == wanted and made["id"] in answered
        for message in turn
        if isinstance(message, AIMessage)
        for made in message.tool_calls
    )


def _key(args: Any) -> bytes:
    return orjson.dumps(args, option=orjson.OPT_SORT_KEYS)
