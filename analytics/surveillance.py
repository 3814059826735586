"""Counts of many groups watched day by day: which days, which weeks hold more or less than their past says.

The prospective detection of Farrington et al. ("A Statistical Algorithm for the Early Detection of Outbreaks
of Infectious Disease", J. R. Statist. Soc. A 159, 1996) as improved by Noufaily et al. (Statistics in
Medicine 32(7), 2013): a log-linear baseline of earlier days with overdispersion, past outbreaks left out of
it, and tails of the negative binomial with that mean and variance. Here the baseline is a level times the
habit of the weekday, drawn towards the habit of all groups where a group is small: there are months of
history, not years. A slow outbreak shows in no single day: each week is judged as well, by the baseline from
before it. Of the groups of a day those are kept that the rule of Benjamini and Hochberg (J. R. Statist. Soc.
B 57, 1995) keeps.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Sides = Literal["up", "both"]

# Eight weeks know the weekdays' habits and forget what is long past.
WINDOW_DAYS: Final = 56
# The level itself follows the last weeks.
RECENT_DAYS: Final = 28
LEAST_DAYS: Final = 14
WEEK: Final = 7
# Share of the groups named on a day that may be false, days and weeks together.
FALSE_SHARE: Final = 0.2
# Nothing is named that is less rare than this, however few groups there are: about one day in half a year.
# Days as rare do not enter later baselines.
RARE: Final = 0.005
# So many of 14 days out of line are a new level.
_SETTLED: Final = 12
# How many items a group needs until its own weekdays count as much as those of all groups.
_WEEKDAY_PRIOR: Final = 15.0
_LEAST_SUM: Final = 0.5
# The spread of all groups counts as so many days of a group's own.
_SPREAD_PRIOR: Final = 14.0
# (z^2 + 1) / 2 at z = 3.3, for t / z is 1 + (z^2 + 1) / (4 freedom) (Abramowitz and Stegun 26.7.5).
_STUDENT: Final = 6.0


@dataclass(frozen=True)
class Surveillance:
    """Figures of groups by days, each of shape (groups, days); NaN (p-values: 1) before there is enough past.

    `p_day` and `p_week` are two-sided where both sides were asked for; `variance` is that of a day's count.
    `day` and `week` say which are out of line by the rule of the day; a week is that which ends on the day,
    without the days that are out of line by themselves: `week_observed` and `week_expected` are its sums.
    """

    expected: Floats
    variance: Floats
    p_day: Floats
    day: Flags
    p_week: Floats
    week: Flags
    week_observed: Floats
    week_expected: Floats


@dataclass(frozen=True)
class _Baseline:
    """What is known before a day: shapes (groups,), (groups, 7), (groups,), (groups,), (groups, 7)."""

    level: Floats
    habit: Floats
    spread: Floats
    recent: Floats
    known: Floats


def watch_counts(
    counts: Floats,
    weekdays: NDArray[np.int64],
    families: NDArray[np.int64],
    *,
    sides: Sides = "up",
    false_share: float = FALSE_SHARE,
) -> Surveillance:
    """Judge every day of every group by the days before it.

    `counts` has the shape (groups, days), days without a gap; `weekdays` (0 is Monday) the shape (days,).
    `families`, shape (groups,), numbers the families of groups: each has its part of the false ones, so that
    many small groups do not drown a few large ones.
    """
    groups, days = counts.shape
    figures = [np.full((groups, days), np.nan) for _ in range(4)]
    expected, variance, week_observed, week_expected = figures
    p_day, p_week = np.ones((groups, days)), np.ones((groups, days))
    day, week = np.zeros((groups, days), dtype=bool), np.zeros((groups, days), dtype=bool)
    kept = np.ones((groups, days))
    out = np.zeros((groups, days), dtype=bool)
    is_weekday = np.eye(WEEK)[weekdays]
    known: dict[int, _Baseline] = {}
    for at in range(LEAST_DAYS, days):
        base = _baseline(counts, kept, is_weekday, at)
        known[at] = base
        today = weekdays[at]
        expected[:, at] = base.level * base.habit[:, today]
        variance[:, at] = _variance(expected[:, at], base, base.known[:, today])
        p_day[:, at] = tail(counts[:, at], expected[:, at], variance[:, at], sides)
        day[:, at] = discoveries(p_day[:, at], families, false_share / 2)
        rare = p_day[:, at] < RARE
        out[:, at] = rare
        kept[:, at] = ~rare
        first = at - WEEK + 1
        if first in known:
            span, before = slice(first, at + 1), known[first]
            single = ~day[:, span]
            usual = before.level[:, None] * before.habit[:, weekdays[span]]
            week_observed[:, at] = (counts[:, span] * single).sum(axis=1)
            week_expected[:, at] = (usual * single).sum(axis=1)
            spread = _variance(week_expected[:, at], before, np.inf)
            p_week[:, at] = tail(week_observed[:, at], week_expected[:, at], spread, sides)
            week[:, at] = discoveries(p_week[:, at], families, false_share / 2) & single[:, -1]
            out[:, at] |= week[:, at]
            kept[week[:, at], span] = 0.0
        # After two weeks out of line, a day or two excepted, this is how things are: the past is forgotten.
        settled = np.flatnonzero(out[:, at - LEAST_DAYS + 1 : at + 1].sum(axis=1) >= _SETTLED)
        kept[settled, : at - LEAST_DAYS + 1] = 0.0
        kept[settled, at - LEAST_DAYS + 1 : at + 1] = 1.0
        out[settled, : at + 1] = False
    return Surveillance(expected, variance, p_day, day, p_week, week, week_observed, week_expected)


def tail(counts: Floats, mean: Floats, variance: Floats, sides: Sides) -> Floats:
    """Chance of so many or more, 1 where they are not more; for both sides twice the smaller tail.

    Negative binomial, Poisson at its edge; tails by the incomplete beta function (Abramowitz and Stegun
    26.5.26). Arrays of the shape (groups,).
    """
    from scipy.special import betainc

    found = np.ones(len(counts))
    more = np.flatnonzero(counts > mean)
    less = np.flatnonzero(counts < mean) if sides == "both" else more[:0]
    # A variance of the mean itself is the Poisson limit: a size beyond any count stands for it.
    beyond = np.maximum(variance - mean, 1e-6 * mean)
    size = mean * mean / np.where(beyond > 0, beyond, 1.0)
    share = mean / np.where(beyond > 0, mean + beyond, 1.0)
    found[more] = betainc(counts[more], size[more], 1 - share[more])
    found[less] = betainc(size[less], counts[less] + 1, share[less])
    return np.minimum(1.0, 2 * found) if sides == "both" else found


def _baseline(counts: Floats, kept: Floats, is_weekday: Floats, at: int) -> _Baseline:
    span = slice(max(0, at - WINDOW_DAYS), at)
    recent = slice(max(0, at - RECENT_DAYS), at)
    weights, days = kept[:, span], is_weekday[span]
    weighed = weights * counts[:, span]
    sums, numbers = weighed @ days, weights @ days
    level = (sums.sum(axis=1) + _LEAST_SUM) / np.maximum(numbers.sum(axis=1), 1.0)
    usual = level[:, None] * numbers
    everyone = (sums.sum(axis=0) + _WEEKDAY_PRIOR) / (usual.sum(axis=0) + _WEEKDAY_PRIOR)
    habit = (sums + _WEEKDAY_PRIOR * everyone) / (usual + _WEEKDAY_PRIOR)
    lately = (kept[:, recent] * counts[:, recent]).sum(axis=1)
    exposure = (kept[:, recent] * (habit @ is_weekday[recent].T)).sum(axis=1)
    # All of a month out of line: the longer past has to do.
    level = np.where(exposure > WEEK, (lately + _LEAST_SUM) / np.maximum(exposure, 1.0), level)
    fitted = level[:, None] * (habit @ days.T)
    squares = (weights * (counts[:, span] - fitted) ** 2 / fitted).sum(axis=1)
    # The level and six weekdays were fitted; of small groups the weekdays hardly were.
    total = usual.sum(axis=1)
    fit = 1 + (WEEK - 1) * total / (total + WEEK * _WEEKDAY_PRIOR)
    freedom = np.maximum(weights.sum(axis=1) - fit, 1.0)
    everyones = float(squares.sum() / freedom.sum())
    freedom = freedom + _SPREAD_PRIOR
    spread = (squares + _SPREAD_PRIOR * everyones) / freedom
    # The spread is estimated itself: Student's tail in the far end, as a wider normal one.
    spread = np.maximum(1.0, spread * (1 + _STUDENT / freedom))
    return _Baseline(level, habit, spread, lately, usual + _WEEKDAY_PRIOR)


def _variance(mean: Floats, base: _Baseline, known: Floats | float) -> Floats:
    """Of a count to come: its own spread, and how unsure the level and the weekday's habit are."""
    unsure = base.spread * (1 / (base.recent + 1) + 1 / known)
    found: Floats = base.spread * mean + mean**2 * unsure
    return found


def discoveries(p_values: Floats, families: NDArray[np.int64], false_share: float) -> Flags:
    """What the rule of Benjamini and Hochberg keeps of each family, none of it less rare than `RARE`."""
    found = np.zeros(len(p_values), dtype=bool)
    numbers = np.unique(families)
    for number in numbers:
        own = np.flatnonzero(families == number)
        ordered = np.sort(p_values[own])
        allowed = false_share / len(numbers) * np.arange(1, len(own) + 1) / len(own)
        below = np.flatnonzero(ordered <= allowed)
        if len(below):
            found[own] = p_values[own] <= min(RARE, ordered[below[-1]])
    return found
