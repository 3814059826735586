"""What the times of turns tell: responses, waits, interruptions, haste."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from pipeline.conversation_turns import Turn
from store.records import ConversationPace

# Voices overlap a little at every change of turn: half a second and more is meant. Published medians of
# turn gaps lie near 0.2 s (Stivers et al., PNAS 106, 2009).
OVERLAP_S: Final = 0.5
# Haste: this many times the customer's own median rate, over turns long enough to have a rate.
HURRIED: Final = 1.3
LEAST_TURNS: Final = 3
LEAST_S: Final = 1.0
_SPACES: Final = re.compile(r"[\W_]+")


def pace(turns: Sequence[Turn]) -> ConversationPace:
    """Return responses and gaps in seconds, interruptions and haste.

    Interruption: a turn that starts at least 0.5 s before the turn of the other side has ended. Rate of a
    turn: letters, digits and Chinese characters (no marks, no spaces) divided by end - start, over turns of a
    second or more; a turn is hurried at 1.3 times the median of the customer's turns, of which at least three
    must have a rate. Impatient: interruptions by the customer and hurried turns together are two or more.
    """
    answers = responses(turns)
    rates = _rates(turns)
    middle = median(rates.values()) if len(rates) >= LEAST_TURNS else None
    hurried = tuple(index for index, rate in rates.items() if middle and rate >= HURRIED * middle)
    mine, theirs = _interruptions(turns)
    return ConversationPace(
        first_response_s=round(answers[0], 3) if answers else None,
        median_response_s=round(median(answers), 3) if answers else None,
        longest_gap_s=_longest_gap(turns),
        interruptions=mine,
        interrupted=theirs,
        hurried=hurried,
        characters_per_s=round(middle, 2) if middle else None,
        impatient=len(mine) + len(hurried) >= 2,
    )


def responses(turns: Sequence[Turn]) -> list[float]:
    """Return the seconds from each customer's turn to the agent's answer, the first of a run counting."""
    found = []
    asked: Turn | None = None
    for turn in turns:
        if turn.customer:
            asked = asked or turn
        elif asked is not None:
            span = _between(asked, turn)
            if span is not None:
                found.append(span)
            asked = None
    return found


def waits(turns: Sequence[Turn], patience_s: float) -> list[float]:
    """Return the responses that took longer than `patience_s`."""
    return [span for span in responses(turns) if span > patience_s]


def _between(first: Turn, second: Turn) -> float | None:
    """Seconds from the end of a turn to the start of another; 0 where they overlap."""
    if first.end is not None and second.start is not None:
        return max(0.0, second.start - first.end)
    if first.at is not None and second.at is not None and first.at != second.at:
        return max(0.0, (second.at - first.at).total_seconds())
    return None


def _longest_gap(turns: Sequence[Turn]) -> float | None:
    spans = [_between(one, other) for one, other in pairwise(turns)]
    known = [span for span in spans if span is not None]
    return round(max(known), 3) if known else None


def _interruptions(turns: Sequence[Turn]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    mine: list[int] = []
    theirs: list[int] = []
    for index in range(1, len(turns)):
        before, turn = turns[index - 1], turns[index]
        if before.end is None or turn.start is None or before.customer == turn.customer:
            continue
        if before.end - turn.start >= OVERLAP_S:
            (mine if turn.customer else theirs).append(index)
    return tuple(mine), tuple(theirs)


def _rates(turns: Sequence[Turn]) -> dict[int, float]:
    found = {}
    for index, turn in enumerate(turns):
        if turn.customer and turn.start is not None and turn.end is not None:
            span = turn.end - turn.start
            if span >= LEAST_S:
                found[index] = len(_SPACES.sub("", turn.text)) / span
    return found
