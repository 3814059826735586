"""Where a mood breaks: inside one conversation, and against a customer's own baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class BaselineBreak:
    """A customer fell below their own normal.

    `index` is the first low score, `baseline` the median before it, `level` the mean of the low run,
    `run` its length, and `recovered` whether a later score is back at normal.
    """

    index: int
    baseline: float
    level: float
    run: int
    recovered: bool


def emotion_break(
    scores: Sequence[float | None], *, allowance: float = 0.25, threshold: float = 0.3
) -> int | None:
    """Index of the turn where negative emotion breaks out; None where it never does.

    `scores` are sentiments per turn, -1 (negative) to 1; None is a turn that is not judged (the agent's).
    One-sided CUSUM (E. S. Page, Biometrika 41, 1954): S = max(0, S + (-score - allowance)); a burst counts
    when S reaches `threshold`, and it began where S last left zero. Of several bursts the strongest wins.
    """
    level, start = 0.0, None
    peak, found = 0.0, None
    for index, score in enumerate(scores):
        if score is None:
            continue
        level += -score - allowance
        if level <= 0:
            level, start = 0.0, None
            continue
        if start is None:
            start = index
        if level > peak:
            peak, found = level, start
    return found if peak >= threshold else None


def baseline_break(
    scores: Sequence[float], *, min_history: int = 3, run: int = 2, drop: float = 2.0
) -> BaselineBreak | None:
    """Latest break below a customer's own baseline: 9, 9, 9, 6, 6 breaks at index 3.

    A break is `run` scores in a row that lie at least `drop` (in score points) and at least three robust
    standard deviations (1.4826 x the median absolute deviation) below the median of all scores before them,
    of which there must be `min_history`. A customer whose scores always swing has no steady baseline to
    fall from, hence no break.
    """
    found = None
    index = min_history
    while index + run <= len(scores):
        baseline = median(scores[:index])
        spread = 1.4826 * median(abs(score - baseline) for score in scores[:index])
        limit = baseline - max(drop, 3 * spread)
        length = _run_below(scores, index, limit)
        if length < run:
            index += 1
            continue
        low = scores[index : index + length]
        found = BaselineBreak(index, baseline, sum(low) / length, length, index + length < len(scores))
        index += length
    return found


def _run_below(scores: Sequence[float], start: int, limit: float) -> int:
    length = 0
    while start + length < len(scores) and scores[start + length] <= limit:
        length += 1
    return length
