"""Runs of days that fall out of line, in one series or in many at once, each day judged by its past only.

Counts are judged by `analytics.surveillance`. The expected value of a mean or a share is the level of recent
weeks plus the habit of the weekday, its spread that within a day and between days, so a restless series needs
a larger jump; days found to be out of line do not enter later baselines. Many series raise no more false
alarms than one: those of a day are kept by the rule of Benjamini and Hochberg.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from analytics.distributions import normal_two_sided
from analytics.estimates import Kind
from analytics.sums import EMPTY, Sums
from analytics.surveillance import (
    FALSE_SHARE,
    LEAST_DAYS,
    RARE,
    RECENT_DAYS,
    WEEK,
    WINDOW_DAYS,
    Floats,
    Sides,
    Surveillance,
    discoveries,
    watch_counts,
)

Direction = Literal["up", "down"]
Key = TypeVar("Key", bound=Hashable)

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
    """A run of days out of line in one direction: half-open `start`, `end`.

    `raised` is the day on which it could first be told: a slow rise of counts begins before. `score` is
    -log10 of the smallest p-value; `observed` and `expected` are means over the run, n its items.
    """

    start: date
    end: date
    raised: date
    direction: Direction
    score: float
    observed: float
    expected: float
    n: int


class _Limits(NamedTuple):
    """What an alarm takes: the arguments of `find_anomalies`."""

    sides: Sides
    min_n: int
    min_change: float
    false_share: float


class _Alarm(NamedTuple):
    """A day that raised an alarm, and the first day that it speaks of."""

    first: date
    day: date
    direction: Direction
    p_value: float


def find_anomalies(
    kind: Kind,
    series: Mapping[Key, Mapping[date, Sums]],
    *,
    sides: Sides = "both",
    min_n: int = 5,
    min_change: float = 0.0,
    false_share: float = FALSE_SHARE,
    family: Callable[[Key], int] = lambda _: 0,
) -> list[tuple[Key, Anomaly]]:
    """Runs of days out of line in any of the series, by series, worst first.

    `false_share` is the share of the series named on a day that may be false (a day on which nothing happened
    names one so often); `family` numbers the families of series that share the false ones evenly. A day (for
    counts also a week) speaks only if it holds or should hold `min_n` items; `min_change` is the least
    departure from the expected that is worth a word, in the metric's unit (a share of the expected for
    counts). For counts a missing day is a zero, else it is left out.
    """
    limits = _Limits(sides, min_n, min_change, false_share)
    families = {key: family(key) for key in series}
    if kind == "count":
        found = _count_anomalies(series, families, limits)
    else:
        found = _level_anomalies(kind, series, families, limits)
    return sorted(found, key=lambda pair: -pair[1].score)


def _count_anomalies(
    series: Mapping[Key, Mapping[date, Sums]], families: Mapping[Key, int], limits: _Limits
) -> list[tuple[Key, Anomaly]]:
    known = [day for daily in series.values() for day in daily]
    if not known:
        return []
    first = min(known)
    days = [first + timedelta(days=step) for step in range((max(known) - first).days + 1)]
    counts = np.zeros((len(series), len(days)))
    for row, daily in enumerate(series.values()):
        for day, sums in daily.items():
            counts[row, (day - first).days] = sums.n
    weekdays = np.array([day.weekday() for day in days])
    numbers = np.array(list(families.values()))
    watched = watch_counts(counts, weekdays, numbers, sides=limits.sides, false_share=limits.false_share)
    found = []
    for row, key in enumerate(series):
        for run in _runs(_count_alarms(watched, counts, row, days, limits)):
            found.append((key, _count_anomaly(run, counts[row], watched.expected[row], first)))
    return found


def _count_alarms(
    watched: Surveillance, counts: Floats, row: int, days: Sequence[date], limits: _Limits
) -> list[_Alarm]:
    alarms = []
    for at in np.flatnonzero(watched.day[row] | watched.week[row]).tolist():
        single = bool(watched.day[row, at])
        observed = counts[row, at] if single else watched.week_observed[row, at]
        expected = watched.expected[row, at] if single else watched.week_expected[row, at]
        if max(observed, expected) < limits.min_n:
            continue
        if abs(observed - expected) < limits.min_change * expected:
            continue
        up = bool(observed > expected)
        begins = at
        if not single:
            span = range(at - WEEK + 1, at + 1)
            usual = watched.expected[row]
            begins = next((n for n in span if (counts[row, n] > usual[n]) == up), at)
        p_value = float(watched.p_day[row, at] if single else watched.p_week[row, at])
        alarms.append(_Alarm(days[begins], days[at], "up" if up else "down", p_value))
    return alarms


def _runs(alarms: Sequence[_Alarm]) -> list[list[_Alarm]]:
    """Alarms of one direction with at most a day between them, in order."""
    runs: list[list[_Alarm]] = []
    for one in alarms:
        last = runs[-1][-1] if runs else None
        if last is not None and last.direction == one.direction and one.first - last.day <= timedelta(days=2):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _count_anomaly(run: Sequence[_Alarm], counts: Floats, expected: Floats, origin: date) -> Anomaly:
    start, last = min(one.first for one in run), run[-1].day
    span = slice((start - origin).days, (last - origin).days + 1)
    return Anomaly(
        start=start,
        end=last + timedelta(days=1),
        raised=run[0].day,
        direction=run[0].direction,
        score=_score(run),
        observed=float(counts[span].mean()),
        expected=float(np.nanmean(expected[span])),
        n=int(counts[span].sum()),
    )


def _score(run: Sequence[_Alarm]) -> float:
    return min(99.0, -math.log10(max(min(one.p_value for one in run), 1e-99)))


def _level_anomalies(
    kind: Kind,
    series: Mapping[Key, Mapping[date, Sums]],
    families: Mapping[Key, int],
    limits: _Limits,
) -> list[tuple[Key, Anomaly]]:
    scored = {key: {one.day: one for one in score_days(kind, daily)} for key, daily in series.items()}
    by_day: dict[date, list[Key]] = {}
    for key, scores in scored.items():
        for day in scores:
            by_day.setdefault(day, []).append(key)
    alarms: dict[Key, list[_Alarm]] = {key: [] for key in series}
    for day in sorted(by_day):
        keys = by_day[day]
        kept = discoveries(
            np.array([scored[key][day].p_value for key in keys]),
            np.array([families[key] for key in keys]),
            limits.false_share,
        )
        for key in (key for key, keep in zip(keys, kept, strict=True) if keep):
            one = scored[key][day]
            enough = one.n >= limits.min_n and abs(one.observed - one.expected) >= limits.min_change
            if enough and (limits.sides == "both" or one.direction == "up"):
                alarms[key].append(_Alarm(day, day, one.direction, one.p_value))
    return [(key, _level_anomaly(run, scored[key])) for key in series for run in _runs(alarms[key])]


def _level_anomaly(run: Sequence[_Alarm], scored: Mapping[date, DayScore]) -> Anomaly:
    days = [scored[one.day] for one in run]
    return Anomaly(
        start=run[0].day,
        end=run[-1].day + timedelta(days=1),
        raised=run[0].day,
        direction=run[0].direction,
        score=_score(run),
        observed=sum(one.observed for one in days) / len(days),
        expected=sum(one.expected for one in days) / len(days),
        n=sum(one.n for one in days),
    )


def score_days(kind: Kind, daily: Mapping[date, Sums]) -> list[DayScore]:
    """Every day of a mean, a share or an NPS that has items and enough past, in order."""
    past: list[tuple[date, Sums]] = []
    scores: list[DayScore] = []
    flagged_in_a_row = 0
    for day, sums in sorted(daily.items()):
        if not sums.n:
            continue
        while past and (day - past[0][0]).days > WINDOW_DAYS:
            del past[0]
        if len(past) < LEAST_DAYS:
            past.append((day, sums))
            continue
        score = _level_score(kind, day, sums, past)
        scores.append(score)
        flagged_in_a_row = flagged_in_a_row + 1 if score.p_value < RARE else 0
        # After two weeks out of line this is how things are now.
        if score.p_value >= RARE or flagged_in_a_row >= LEAST_DAYS:
            past.append((day, sums))
    return scores


def _level_score(kind: Kind, day: date, sums: Sums, past: Sequence[tuple[date, Sums]]) -> DayScore:
    scale = 100.0 if kind == "nps" else 1.0
    pooled = sum((one for _, one in past), EMPTY)
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


def _weekday_shifts(shifts: Sequence[tuple[date, float]]) -> list[float]:
    return [len(of) * median(of) / (len(of) + _WEEKDAY_PRIOR) if of else 0.0 for of in _by_weekday(shifts)]


def _by_weekday(values: Sequence[tuple[date, float]]) -> list[list[float]]:
    groups: list[list[float]] = [[] for _ in range(7)]
    for day, value in values:
        groups[day.weekday()].append(value)
    return groups
