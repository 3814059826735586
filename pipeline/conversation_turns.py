"""The turns of one conversation, in order, as the conversation labels look at them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from store.records import Feedback, LabelledFeedback, Labels

# Names under which exports and transcripts give the span of a turn, in seconds or as a clock.
_STARTS: Final = ("start", "start_s", "start_time", "begin", "开始", "开始时间", "起始时间")
_ENDS: Final = ("end", "end_s", "end_time", "finish", "结束", "结束时间", "截止时间")
_CLOCK: Final = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$")


class Turn(NamedTuple):
    """One turn. `start` and `end` are seconds into the recording; `at` is the time of the message."""

    feedback_id: str
    customer: bool
    text: str
    labels: Labels | None
    at: datetime | None
    start: float | None
    end: float | None


def conversation_turns(items: Iterable[LabelledFeedback]) -> list[Turn]:
    """Return the turns in order of turn number, else of time; a turn without a speaker is the customer's."""
    turns = [(item.feedback, turn_of(item)) for item in items]
    turns.sort(key=lambda pair: _place(*pair))
    return [turn for _, turn in turns]


def turn_of(item: LabelledFeedback) -> Turn:
    """Return one item as a turn; its span is read from attributes or metrics."""
    feedback = item.feedback
    return Turn(
        feedback.feedback_id,
        feedback.speaker != "agent",
        feedback.text,
        item.labels,
        feedback.occurred_at,
        _span(feedback, _STARTS),
        _span(feedback, _ENDS),
    )


def seconds(value: str | float) -> float | None:
    """Return seconds of `12.5`, `12.5s`, `01:02.5` or `1:01:02,5`; None for anything else."""
    text = str(value).strip()
    clock = _CLOCK.match(text)
    if clock:
        hours, minutes, rest = clock.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(rest.replace(",", "."))
    try:
        number = float(text.removesuffix("s"))
    except ValueError:
        return None
    return number if 0 <= number < 1e6 else None


def customer_turns(turns: Sequence[Turn]) -> list[tuple[int, Turn]]:
    """Return the customer's turns with their indices."""
    return [(index, turn) for index, turn in enumerate(turns) if turn.customer]


def _span(feedback: Feedback, names: Sequence[str]) -> float | None:
    known: Mapping[str, str | float] = {**feedback.metrics, **feedback.attributes}
    for name in names:
        for key in (name, f"given_{name}"):
            if key in known:
                return seconds(known[key])
    return None


def _place(feedback: Feedback, turn: Turn) -> tuple[float, float, float]:
    number = feedback.turn if feedback.turn is not None else -1
    at = turn.at.timestamp() if turn.at else float("-inf")
    return number, at, turn.start if turn.start is not None else -1.0
