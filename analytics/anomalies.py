"""Days that fall out of a daily series, each judged by its own past only.

The expected value is the level of recent weeks times (counts) or plus (levels) the habit of the weekday; the
spread is that of the days themselves, so a restless series needs a larger jump. Counts are judged by the
negative binomial tail (extra-Poisson variance by the method of moments), means and shares by a normal tail
with the variance within a day and between days. Days found to be out of line do not enter later baselines.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Literal

from analytics.distributions import normal_two_sided
from analytics.estimates import Kind
from analytics.sums import Sums

Direction = Literal["up", "down"]

# Eight weeks know the weekdays' habits and forget what is long past.
WINDOW_DAYS = 56
# The level itself follows the last weeks.
RECENT_DAYS = 28
LEAST_DAYS = 14
_WEEKDAY_PRIOR = 2.0
_TRIMMED_MEAN = 0.759


@dataclass(frozen=True)
class DayScore:
    """One day against its past. `p_value` two-sided; `expected` and `spread` (one standard deviation) and
    `observed` in the metric's unit; n its items.
    """

    day: date
    n: int
    observed: float
    expected: float
    spread: float
    p_value: float

    @property
    def direction(self) -> Direction:
        """Above or below what was expected."""
        return "up" if self.observed > self.expected else "down"


@dataclass(frozen=True)
class Anomaly:
    """A run of days out of line in one direction: half-open `start`, `end`; figures of the worst day.

    `score` is -log10 of the worst p-value; `observed` and `expected` are means over the run.
    """

    start: date
    end: date
    direction: Direction
    score: float
    observed: float
    expected: float
    n: int


def find_anomalies(
    kind: Kind, daily: Mapping[date, Sums], *, alpha: float = 0.005, min_n: int = 5, min_change: float = 0.0
) -> list[Anomaly]:
    """Runs of days whose p-value is below `alpha` and that hold at least `min_n` items, worst first.

    `alpha` is the false-alarm rate a day: 0.005 is about one a series in half a year. `min_change` is the
    least departure from the expected that is worth a word, in the metric's unit (a share of the expected
    for counts).
    """
    scored = score_days(kind, daily, alpha=alpha)
    runs: list[list[DayScore]] = []
    for one in scored:
        if one.p_value >= alpha or max(one.n, one.expected if kind == "count" else 0) < min_n:
            continue
        base = abs(one.expected) if kind == "count" else 1.0
        if abs(one.observed - one.expected) < min_change * base:
            continue
        last = runs[-1][-1] if runs else None
        if last is not None and last.direction == one.direction and one.day - last.day <= timedelta(days=2):
            runs[-1].append(one)
        else:
            runs.append([one])
    return sorted((_anomaly(run) for run in runs), key=lambda found: -found.score)


def score_days(kind: Kind, daily: Mapping[date, Sums], *, alpha: float = 0.005) -> list[DayScore]:
    """Every day with enough past, in order. For counts a missing day is a zero, else it is left out."""
    days = _filled(daily) if kind == "count" else {d: s for d, s in sorted(daily.items()) if s.n}
    past: list[tuple[date, Sums]] = []
    scores: list[DayScore] = []
    flagged_in_a_row = 0
    for day, sums in days.items():
        while past and (day - past[0][0]).days > WINDOW_DAYS:
            del past[0]
        if len(past) < LEAST_DAYS:
            past.append((day, sums))
            continue
        score = _count_score(day, sums, past) if kind == "count" else _level_score(kind, day, sums, past)
        scores.append(score)
        flagged_in_a_row = flagged_in_a_row + 1 if score.p_value < alpha else 0
        # After two weeks out of line this is how things are now.
        if score.p_value >= alpha or flagged_in_a_row >= LEAST_DAYS:
            past.append((day, sums))
    return scores


def _filled(daily: Mapping[date, Sums]) -> dict[date, Sums]:
    if not daily:
        return {}
    first, last = min(daily), max(daily)
    days = (first + timedelta(days=step) for step in range((last - first).days + 1))
    return {day: daily.get(day, Sums(0, 0.0, 0.0)) for day in days}


def _count_score(day: date, sums: Sums, past: Sequence[tuple[date, Sums]]) -> DayScore:
    level = max(0.1, median([float(one.n) for _, one in past]))
    factors = _weekday_factors([(d, one.n / level) for d, one in past])
    recent = [one.n / factors[d.weekday()] for d, one in past[-RECENT_DAYS:]]
    level = max(0.1, median(recent))
    expected = max(0.1, level * factors[day.weekday()])
    fitted = [max(0.1, level * factors[d.weekday()]) for d, _ in past]
    squares = _usual_square([(one.n - m) / m for (_, one), m in zip(past, fitted, strict=True)])
    dispersion = max(0.0, squares - sum(1 / m for m in fitted) / len(fitted))
    variance = (expected + dispersion * expected**2) * _inflation(day, past)
    return DayScore(
        day,
        sums.n,
        float(sums.n),
        expected,
        math.sqrt(variance),
        _negative_binomial(sums.n, expected, variance),
    )


def _level_score(kind: Kind, day: date, sums: Sums, past: Sequence[tuple[date, Sums]]) -> DayScore:
    scale = 100.0 if kind == "nps" else 1.0
    pooled = sum((one for _, one in past), Sums(0, 0.0, 0.0))
    within = max(pooled.variance if pooled.n > 1 else 0.0, 1e-12)
    level = median([one.mean for _, one in past])
    habits = _weekday_shifts([(d, one.mean - level) for d, one in past])
    level = median([one.mean - habits[d.weekday()] for d, one in past[-RECENT_DAYS:]])
    expected = level + habits[day.weekday()]
    squares = _usual_square([one.mean - level - habits[d.weekday()] for d, one in past])
    between = max(0.0, squares - sum(within / one.n for _, one in past) / len(past))
    variance = (between + within / sums.n) * _inflation(day, past)
    z = (sums.mean - expected) / math.sqrt(variance)
    return DayScore(
        day, sums.n, scale * sums.mean, scale * expected, scale * math.sqrt(variance), normal_two_sided(z)
    )


def _usual_square(left: Sequence[float]) -> float:
    """Mean square of residuals without the largest twentieth: one wild day must not hide the next.

    Made unbiased for normal residuals (a chi-square cut at its 95% point has 0.759 of its mean) and for the
    level and seven weekdays that were fitted.
    """
    kept = sorted(value * value for value in left)[: max(1, math.ceil(0.95 * len(left)))]
    return sum(kept) / max(1, len(kept) - 7) / _TRIMMED_MEAN


def _inflation(day: date, past: Sequence[tuple[date, Sums]]) -> float:
    """How much less sure the expected value is for being estimated: medians of n have variance pi/2/n."""
    same = sum(1 for one, _ in past if one.weekday() == day.weekday())
    return 1.0 + math.pi / 2 * (1 / min(len(past), RECENT_DAYS) + 1 / (same + _WEEKDAY_PRIOR))


def _weekday_factors(ratios: Sequence[tuple[date, float]]) -> list[float]:
    """Median ratio of each weekday, drawn towards 1 where few days tell."""
    return [
        (len(of) * median(of) + _WEEKDAY_PRIOR) / (len(of) + _WEEKDAY_PRIOR) if of else 1.0
        for of in _by_weekday(ratios)
    ]


def _weekday_shifts(shifts: Sequence[tuple[date, float]]) -> list[float]:
    return [len(of) * median(of) / (len(of) + _WEEKDAY_PRIOR) if of else 0.0 for of in _by_weekday(shifts)]


def _by_weekday(values: Sequence[tuple[date, float]]) -> list[list[float]]:
    groups: list[list[float]] = [[] for _ in range(7)]
    for day, value in values:
        groups[day.weekday()].append(value)
    return groups


def _negative_binomial(count: int, mean: float, variance: float) -> float:
    """Two-sided p-value (twice the smaller tail) of a count; Poisson where the variance is no larger.

    Tails by the incomplete beta and gamma functions (Abramowitz and Stegun 26.5.26, 6.5.13).
    """
    from scipy.special import betainc, gammainc, gammaincc

    if variance <= mean * 1.000001:
        lower = gammaincc(count + 1, mean)
        upper = gammainc(count, mean) if count else 1.0
    else:
        size, share = mean * mean / (variance - mean), mean / variance
        lower = betainc(size, count + 1, share)
        upper = betainc(count, size, 1 - share) if count else 1.0
    return float(min(1.0, 2 * min(lower, upper)))


def _anomaly(run: Sequence[DayScore]) -> Anomaly:
    worst = min(one.p_value for one in run)
    return Anomaly(
        start=run[0].day,
        end=run[-1].day + timedelta(days=1),
        direction=run[0].direction,
        score=min(99.0, -math.log10(max(worst, 1e-99))),
        observed=sum(one.observed for one in run) / len(run),
        expected=sum(one.expected for one in run) / len(run),
        n=sum(one.n for one in run),
    )
