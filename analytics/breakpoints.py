"""Where a mood breaks: inside one conversation, and against a customer's own baseline."""

from collections.abc import Sequence
from statistics import fmean, median


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
) -> int | None:
    """Index at which a customer fell below their own baseline and stayed: 9, 9, 9, 6, 6 breaks at 3.

    A break is at least `run` scores up to the latest one, all of them at least `drop` (in score points) and
    at least two standard deviations (1.2533 x the mean absolute deviation) below the median of the scores
    before them, of which there must be `min_history`. So a customer whose scores always swing
    has no steady baseline to fall from, and one who came back to normal has no break.
    """
    for index in range(min_history, len(scores) - run + 1):
        baseline, highest = median(scores[:index]), max(scores[index:])
        # Looked at first because it is cheap and nearly always decides.
        if highest > baseline - drop:
            continue
        # The median deviation would not do: it is 0 for 9, 3, 9, 3, 9, a customer who swings.
        spread = 1.2533 * fmean([abs(score - baseline) for score in scores[:index]])
        if highest <= baseline - 2 * spread:
            return index
    return None
