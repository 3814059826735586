"""Where a daily series is heading: slope, weekly rhythm, and days on which its level changed for good."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.autoregression import fit_days

Floats = NDArray[np.float64]
Direction = Literal["rising", "falling", "steady"]

LEAST_DAYS = 14
_WEEKS_FOR_RHYTHM = 3
_LEAST_SEGMENT = 7
_ALPHA = 0.05


@dataclass(frozen=True)
class Point:
    """A day's value and how many items it rests on."""

    day: date
    value: float
    n: int


@dataclass(frozen=True)
class Changepoint:
    """The first day at a new level; `before` and `after` are the mean levels of the stretches it parts."""

    day: date
    before: float
    after: float
    p_value: float


@dataclass(frozen=True)
class TrendFound:
    """Slope a day with its interval, in the metric's unit; "steady" unless the interval leaves out zero.

    `weekday_effects` are departures from the mean, Monday first (None where the rhythm is not significant).
    """

    direction: Direction
    slope: float
    ci_low: float
    ci_high: float
    weekday_effects: tuple[float, ...] | None
    changepoints: tuple[Changepoint, ...]


def find_trend(points: Sequence[Point], *, confidence: float = 0.95) -> TrendFound | None:
    """Describe a series in order of days; None below `LEAST_DAYS` days.

    Slope by generalised least squares with AR(1) errors, weekday effects taken out (as in
    `interventions`); the rhythm by an F test of the weekdays; changes of level by PELT (Killick, Fearnhead
    and Eckley, JASA 107, 2012) with a BIC penalty, kept where the two stretches differ beyond the
    autocorrelation and a slope at the 5% level divided by the number of days (Bonferroni).
    """
    values = np.array([point.value for point in points])
    if len(points) < LEAST_DAYS:
        return None
    if float(np.ptp(values)) == 0.0:
        return TrendFound("steady", 0.0, 0.0, 0.0, None, ())
    days = [point.day for point in points]
    rhythm = _rhythm(days, values)
    plain = values if rhythm is None else values - np.array([rhythm[day.weekday()] for day in days])
    slope, low, high = _slope(days, plain, confidence)
    direction: Direction = "rising" if low > 0 else "falling" if high < 0 else "steady"
    return TrendFound(direction, slope, low, high, rhythm, _changepoints(days, plain))


def _slope(days: Sequence[date], values: Floats, confidence: float) -> tuple[float, float, float]:
    steps = np.array([(day - days[0]).days for day in days], dtype=np.float64)
    found = fit_days(days, values, np.column_stack((np.ones(len(days)), steps)), 1, confidence=confidence)
    if found is None:
        exact = float(np.polyfit(steps, values, 1)[0])
        return exact, exact, exact
    return found.value, found.low, found.high


def _rhythm(days: Sequence[date], values: Floats) -> tuple[float, ...] | None:
    """Weekday effects where they explain more than chance (one-way F test on the detrended values)."""
    from scipy.special import fdtrc

    weekday = np.array([day.weekday() for day in days])
    counts = np.bincount(weekday, minlength=7)
    if counts.min() < _WEEKS_FOR_RHYTHM:
        return None
    steps = np.array([(day - days[0]).days for day in days], dtype=np.float64)
    flat = values - np.polyval(np.polyfit(steps, values, 1), steps)
    means = np.bincount(weekday, flat, 7) / counts
    between = float((counts * means**2).sum()) / 6
    within = float(((flat - means[weekday]) ** 2).sum()) / max(1, len(flat) - 8)
    if within <= 0 or fdtrc(6, len(flat) - 8, between / within) >= _ALPHA:
        return None
    return tuple(float(mean) for mean in means - means.mean())


def _changepoints(days: Sequence[date], values: Floats) -> tuple[Changepoint, ...]:
    import ruptures

    if len(values) < 2 * _LEAST_SEGMENT:
        return ()
    steps = np.diff(values)
    noise = float(np.median(np.abs(steps - np.median(steps)))) * 1.4826 / math.sqrt(2)
    noise = max(noise, 1e-9, float(values.std()) * 0.1)
    penalty = 3.0 * math.log(len(values)) * noise**2
    algorithm = ruptures.Pelt(custom_cost=_squared_cost(), min_size=_LEAST_SEGMENT, jump=1)
    algorithm = algorithm.fit(values.reshape(-1, 1))
    ends = algorithm.predict(pen=penalty)
    bounds = [0, *ends]
    found = []
    for at, start, end in zip(ends[:-1], bounds[:-2], ends[1:], strict=True):
        p = _step_p(days[start:end], values[start:end], at - start)
        # Any of the days could have been the one: the best of them looks like a step by chance alone.
        if p < _ALPHA / len(values):
            before, after = float(values[start:at].mean()), float(values[at:end].mean())
            found.append(Changepoint(days[at], before, after, p))
    return tuple(found)


def _squared_cost() -> Any:
    """The cost of ruptures' "l2" from running sums: its own takes the variance of each of n^2 spans anew."""
    from ruptures.base import BaseCost

    class SquaredCost(BaseCost):  # type: ignore[misc]
        model = "l2"
        min_size = 1

        def fit(self, signal: Floats) -> "SquaredCost":
            centred = signal[:, 0] - signal[:, 0].mean()
            self.signal = signal
            self.sums = np.concatenate(([0.0], np.cumsum(centred))).tolist()
            self.squares = np.concatenate(([0.0], np.cumsum(centred**2))).tolist()
            return self

        def error(self, start: int, end: int) -> float:
            total = self.sums[end] - self.sums[start]
            within = self.squares[end] - self.squares[start] - total * total / (end - start)
            return float(max(within, 0.0))

    return SquaredCost()


def _step_p(days: Sequence[date], values: Floats, at: int) -> float:
    """p-value of a step at row `at` beside a steady slope (which is no step), AR(1) errors."""
    rows = np.arange(len(values), dtype=np.float64)
    design = np.column_stack((np.ones(len(values)), rows >= at, rows / len(rows))).astype(np.float64)
    found = fit_days(days, values, design, 1)
    return 0.0 if found is None else found.p_value
