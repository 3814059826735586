"""Points out of line in a series of equal steps (hours, minutes), each judged by what came before it only.

Four views of a point: its distance from the usual level, its step from the last point, the same distance for
the mean of the last steps, and how those steps differ from the same time of earlier days. How rare a distance
is follows from the tail of its own past (peaks over a threshold with an exponential tail; Siffer et al.,
"Anomaly Detection in Streams with Extreme Value Theory", KDD 2017); the rarest view counts. After an alarm
the same thing raises no second one for a while.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# p < 0.001 a point by the fitted tail; of 3, 3.5, 4 and 6 the one that scored best on evals.nab.
ALARM: Final = 3.0
LEAST_PAST: Final = 50
# The far part of the past that the tail is fitted to.
_TAIL = 0.02
_SHORT = 12
_DAYS = 7
_REFITS = 10
_REST = 5


def score_stream(values: Sequence[float] | Floats, *, learn: int, per_day: int | None = None) -> Floats:
    """Score each point: -log10 of how rare it is in its past, shape (n,); 0 where nothing can be said.

    `learn` points are enough to know the series: nothing is judged by less than half of them, and after an
    alarm (a score of `ALARM`) scores are 0 for a fifth of them. `per_day` points make a day; None, or more
    than `learn`: no daily rhythm is known.
    """
    series = np.asarray(values, dtype=np.float64)
    if len(series) == 0:
        return np.zeros(0)
    block = max(1, learn // _REFITS)
    usual = _usual(series, max(LEAST_PAST // 5, block))
    short = _running_mean(series)
    views = [np.abs(series - usual), np.abs(np.diff(series, prepend=series[0])), np.abs(short - usual)]
    if per_day is not None and per_day <= learn and per_day < len(series):
        views.append(np.abs(_running_mean(series - _same_time(series, per_day))))
    start = max(LEAST_PAST, learn // 2)
    scores = np.max([_rarity(view, start, block) for view in views], axis=0)
    return _with_rests(scores, learn // _REST)


def _rarity(view: Floats, start: int, block: int) -> Floats:
    """-log10 of the share of points as far out, by the tail of the past; refitted every `block` points."""
    scores = np.zeros(len(view))
    for first in range(start, len(view), block):
        past, now = view[:first], view[first : first + block]
        edge = float(np.quantile(past, 1 - _TAIL))
        beyond = past[past > edge] - edge
        # A past that hardly varied must not make the least change a wonder.
        least = 0.1 * (edge - float(np.median(past))) + 1e-9 * max(1.0, abs(edge))
        mean = max(float(beyond.mean()) if len(beyond) else 0.0, least)
        tail = (now - edge) / mean / np.log(10) - np.log10(_TAIL)
        scores[first : first + block] = np.where(now > edge, tail, 0.0)
    return scores


def _usual(series: Floats, block: int) -> Floats:
    """Median of the past, renewed every `block` points (of the first block itself at the start)."""
    usual = np.empty(len(series))
    for first in range(0, len(series), block):
        usual[first : first + block] = np.median(series[: max(first, min(block, LEAST_PAST // 5))])
    return usual


def _same_time(series: Floats, per_day: int) -> Floats:
    """Median at the same time of up to seven days before; the point itself where there is none."""
    earlier = np.full((_DAYS, len(series)), np.nan)
    for day in range(1, _DAYS + 1):
        if day * per_day < len(series):
            earlier[day - 1, day * per_day :] = series[: -day * per_day]
    known = series.copy()
    known[per_day:] = np.nanmedian(earlier[:, per_day:], axis=0)
    return known


def _running_mean(series: Floats) -> Floats:
    sums = np.cumsum(np.concatenate(([0.0], series)))
    last = np.arange(1, len(series) + 1)
    first = np.maximum(0, last - _SHORT)
    mean: Floats = (sums[last] - sums[first]) / (last - first)
    return mean


def _with_rests(scores: Floats, rest: int) -> Floats:
    rested = scores.copy()
    until = -1
    for place in np.flatnonzero(scores >= ALARM).tolist():
        if place < until:
            rested[place] = 0.0
        else:
            until = place + rest
    return rested
