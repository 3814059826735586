"""Did a measure work: the effect of something done on a day, by the best design the data allow.

With a control group: difference in differences of the daily levels. Without one, but with enough days:
interrupted time series. Otherwise the plain before/after comparison, which proves least. The designs are
those of Shadish, Cook and Campbell (2002); the series models follow Bernal, Cummins and Gasparrini
(International Journal of Epidemiology 46, 2017).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from analytics.autoregression import fit_days
from analytics.compare import compare
from analytics.estimates import Kind, Scale
from analytics.sums import EMPTY, Sums

Design = Literal["difference_in_differences", "interrupted_time_series", "before_after"]
Grade = Literal["association", "adjusted", "quasi-experimental"]
Daily = Mapping[date, Sums]

# Fewer days on a side leave the autocorrelation of a series unknown.
LEAST_BEFORE, LEAST_AFTER = 14, 7
_WEEKLY_FROM = 28
_SEEN_ALPHA = 0.05


@dataclass(frozen=True)
class InterventionEffect:
    """What was found; `effect` in the metric's unit (NPS points, share 0..1, mean, items a day).

    `level_before` and `level_after` are those of the treated. `pre_trend_p` is the probability of a
    difference in trends as large before the measure if there were none (None where it was not tested).
    """

    design: Design
    grade: Grade
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    significant: bool
    level_before: float | None
    level_after: float | None
    n_before: int
    n_after: int
    days_before: int
    days_after: int
    pre_trend_p: float | None = None
    reason: str | None = None


def intervention_effect(
    kind: Kind,
    treated: Daily,
    start: date,
    control: Daily | None = None,
    *,
    scale: Scale | None = None,
    confidence: float = 0.95,
) -> InterventionEffect:
    """Estimate what changed at `start` (the first day under the measure); `scale` as in `estimates`.

    `treated` and `control` map days of one whole span to sums; days without items may be missing (a count
    of 0 must be given as an empty sum). The design is the strongest that the days allow.
    """
    if control is not None:
        found = _differences(kind, treated, control, start, confidence)
        if found is not None:
            return found
    return _series(kind, treated, start, confidence) or _plain(kind, treated, start, scale, confidence)


def _differences(
    kind: Kind, treated: Daily, control: Daily, start: date, confidence: float
) -> InterventionEffect | None:
    """Daily level of the treated less that of the control, before against after (AR(1) errors).

    For counts the logarithms are compared, since groups of unequal size grow by factors, and the effect is
    turned back into items a day.
    """
    days = sorted(day for day in treated if day in control and _usable(kind, treated[day], control[day]))
    if not _enough(days, start):
        return None
    if kind == "count":
        values = [math.log((treated[day].n + 0.5) / (control[day].n + 0.5)) for day in days]
    else:
        values = [_level(kind, treated[day]) - _level(kind, control[day]) for day in days]
    fitted = _shift(days, values, start, trend=False, confidence=confidence)
    if fitted is None:
        return None
    trend_p = _trend_p([day for day in days if day < start], values)
    if kind == "count":
        base = _mean_count(treated, start, after=False)
        value, low, high = fitted
        fitted = base * math.expm1(value), base * math.expm1(low), base * math.expm1(high)
    grade: Grade = "quasi-experimental" if trend_p is None or trend_p >= _SEEN_ALPHA else "adjusted"
    return _found("difference_in_differences", grade, fitted, kind, treated, start, days, pre_trend_p=trend_p)


def _series(kind: Kind, treated: Daily, start: date, confidence: float) -> InterventionEffect | None:
    """A shift of level on top of trend and weekdays, in one series (AR(1) errors)."""
    days = sorted(day for day in treated if _usable(kind, treated[day]))
    if not _enough(days, start):
        return None
    values = [_level(kind, treated[day]) for day in days]
    fitted = _shift(days, values, start, trend=True, confidence=confidence)
    if fitted is None:
        return None
    return _found("interrupted_time_series", "adjusted", fitted, kind, treated, start, days)


def _plain(
    kind: Kind, treated: Daily, start: date, scale: Scale | None, confidence: float
) -> InterventionEffect:
    before, after = _sides(treated, start)
    days = [sum(1 for day in treated if (day < start) is early) for early in (True, False)]
    if kind == "count":
        return _plain_count(before, after, days, confidence)
    sides = tuple(
        {day: sums for day, sums in treated.items() if (day < start) is early} for early in (True, False)
    )
    found = compare(kind, before, after, scale=scale, days=(sides[0], sides[1]), confidence=confidence)
    change = found.difference
    return InterventionEffect(
        design="before_after",
        grade="association",
        effect=change.value,
        ci_low=change.ci_low,
        ci_high=change.ci_high,
        significant=change.significant,
        level_before=found.before.value,
        level_after=found.after.value,
        n_before=before.n,
        n_after=after.n,
        days_before=days[0],
        days_after=days[1],
        reason=change.reason,
    )


def _plain_count(before: Sums, after: Sums, days: Sequence[int], confidence: float) -> InterventionEffect:
    from analytics.rates import rate_ratio

    levels = [side.n / count if count else None for side, count in zip((before, after), days, strict=True)]
    low = high = effect = None
    if levels[0] is not None and levels[1] is not None:
        ratio = rate_ratio(
            before.n, after.n, exposure_before=days[0], exposure_after=days[1], confidence=confidence
        )
        effect = levels[1] - levels[0]
        base = (before.n + 0.5) / days[0]
        low, high = base * (ratio.ci_low - 1), base * (ratio.ci_high - 1)
    return InterventionEffect(
        design="before_after",
        grade="association",
        effect=effect,
        ci_low=low,
        ci_high=high,
        significant=low is not None and high is not None and (low > 0 or high < 0),
        level_before=levels[0],
        level_after=levels[1],
        n_before=before.n,
        n_after=after.n,
        days_before=days[0],
        days_after=days[1],
        reason=None if effect is not None else "no days on one side",
    )


def _shift(
    days: Sequence[date], values: Sequence[float], start: date, *, trend: bool, confidence: float
) -> tuple[float, float, float] | None:
    """The shift at `start` with its interval, AR(1) errors; None where there is no spread to judge by."""
    import numpy as np

    steps = np.array([(day - start).days for day in days], dtype=np.float64)
    columns = [np.ones(len(days)), (steps >= 0).astype(np.float64)]
    if trend:
        columns.append(steps / max(1.0, float(np.ptp(steps))))
    if len(days) >= _WEEKLY_FROM:
        weekday = np.array([day.weekday() for day in days])
        for one in sorted(set(weekday.tolist()))[1:]:
            columns.append((weekday == one).astype(np.float64))
    found = fit_days(days, values, np.column_stack(columns), 1, confidence=confidence)
    return None if found is None else (found.value, found.low, found.high)


def _trend_p(days: Sequence[date], values: Sequence[float]) -> float | None:
    """Whether treated and control drifted apart before the measure: the p-value of a slope."""
    import numpy as np

    if len(days) < LEAST_BEFORE:
        return None
    steps = np.array([(day - days[0]).days for day in days], dtype=np.float64)
    design = np.column_stack((np.ones(len(days)), steps / max(1.0, steps[-1])))
    found = fit_days(days, values[: len(days)], design, 1)
    return None if found is None else found.p_value


def _found(
    design: Design,
    grade: Grade,
    fitted: Sequence[float],
    kind: Kind,
    treated: Daily,
    start: date,
    days: Sequence[date],
    *,
    pre_trend_p: float | None = None,
) -> InterventionEffect:
    effect, low, high = fitted
    before, after = _sides(treated, start)
    if kind == "count":
        levels = (_mean_count(treated, start, after=False), _mean_count(treated, start, after=True))
    else:
        levels = (_level(kind, before), _level(kind, after))
    return InterventionEffect(
        design=design,
        grade=grade,
        effect=effect,
        ci_low=low,
        ci_high=high,
        significant=low > 0 or high < 0,
        level_before=levels[0],
        level_after=levels[1],
        n_before=before.n,
        n_after=after.n,
        days_before=sum(1 for day in days if day < start),
        days_after=sum(1 for day in days if day >= start),
        pre_trend_p=pre_trend_p,
    )


def _sides(treated: Daily, start: date) -> tuple[Sums, Sums]:
    before = sum((sums for day, sums in treated.items() if day < start), EMPTY)
    return before, sum((sums for day, sums in treated.items() if day >= start), EMPTY)


def _mean_count(treated: Daily, start: date, *, after: bool) -> float:
    counts = [sums.n for day, sums in treated.items() if (day >= start) is after]
    return sum(counts) / len(counts) if counts else 0.0


def _level(kind: Kind, sums: Sums) -> float:
    if kind == "count":
        return float(sums.n)
    return sums.mean * (100.0 if kind == "nps" else 1.0)


def _usable(kind: Kind, *sides: Sums) -> bool:
    return kind == "count" or all(side.n for side in sides)


def _enough(days: Sequence[date], start: date) -> bool:
    before = sum(1 for day in days if day < start)
    return before >= LEAST_BEFORE and len(days) - before >= LEAST_AFTER
