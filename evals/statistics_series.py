"""Daily series with known truth: false "rose" and "fell", effects of measures, intervals over time."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.compare import compare
from analytics.estimates import Kind
from analytics.forecasts import forecast_days
from analytics.interventions import intervention_effect
from analytics.sums import EMPTY, Sums
from evals.statistics_coverage import Coverage

Floats = NDArray[np.float64]
_FIRST = date(2026, 1, 5)
_WEEK = np.array([0.0, 0.0, 0.1, 0.0, -0.1, -0.5, -0.4])
_A_DAY = 40


class Tally(NamedTuple):
    """How many (`cases`) of n of one kind were judged rightly (for null pairs: called a change, wrongly)."""

    name: str
    cases: int
    n: int


def null_pairs(pairs: int, seed: int) -> Iterator[Tally]:
    """Pairs of periods with the same truth: how many are said to have risen or fallen."""
    rng = np.random.default_rng(seed)
    cases = {
        "independent items": (0.0, 0.0),
        "days differ": (0.4, 0.0),
        "days differ and resemble their neighbours (0.6)": (0.4, 0.6),
    }
    for name, (spread, carry) in cases.items():
        for length in (14, 30, 60):
            said = 0
            for at in range(pairs):
                kind: Kind = ("proportion", "nps", "mean")[at % 3]
                days = _days(rng, kind, 2 * length, _wander(rng, 2 * length, spread, carry))
                said += _direction(kind, days, length) != "unchanged"
            yield Tally(f"{name}, {length} days", said, pairs)


def effects(cases: int, seed: int) -> Iterator[Tally]:
    """Measures that worked and that did nothing, by design; right is significant, or not, and its sign."""
    rng = np.random.default_rng(seed)
    for control in ("none", "parallel trend", "another level"):
        for real in (True, False):
            right = 0
            for at in range(cases):
                right += _judged_right(rng, control, real=real, kind=("proportion", "nps")[at % 2])
            name = {"none": "series alone, with trend"}.get(control, f"control with {control}")
            yield Tally(f"{name}, {'real' if real else 'no'} effect", right, cases)


def effect_coverage(samples: int, seed: int) -> Iterator[Coverage]:
    """Intervals of the effect (here: none) with and without a control group, short and long."""
    rng = np.random.default_rng(seed)
    for control in (True, False):
        for before, after in ((14, 7), (30, 14), (60, 30)):
            for carry in (0.0, 0.3, 0.6):
                held = 0
                for _ in range(samples):
                    whole = before + after
                    treated = _days(rng, "proportion", whole, _wander(rng, whole, 0.3, carry))
                    other = _days(rng, "proportion", whole, _wander(rng, whole, 0.3, carry))
                    found = intervention_effect(
                        "proportion", treated, _FIRST + timedelta(days=before), other if control else None
                    )
                    held += found.ci_low is not None and found.ci_low <= 0 <= (found.ci_high or 0.0)
                design = "difference in differences" if control else "interrupted time series"
                yield Coverage(design, f"{before} + {after} days", f"autocorrelation {carry}", held, samples)


def forecast_coverage(samples: int, seed: int) -> Iterator[Coverage]:
    """Prediction intervals of 14 days of counts and of shares, with a weekly rhythm."""
    rng = np.random.default_rng(seed)
    for counts in (True, False):
        for past in (35, 60, 120):
            held = 0
            for _ in range(samples):
                mood = _wander(rng, past + 14, 0.25, float(rng.uniform(0, 0.6)))
                series = _forecast_series(rng, mood, counts=counts)
                found = forecast_days(
                    _FIRST, series[:past].tolist(), 14, low=0, high=np.inf if counts else 1, counts=counts
                )
                if found is None:
                    raise ValueError(f"{past} days must be enough for a forecast")
                truths = zip(found.days, series[past:], strict=True)
                held += sum(one.low - 1e-9 <= truth <= one.high + 1e-9 for one, truth in truths)
            name = "counts" if counts else "shares"
            yield Coverage(f"forecast of {name}", f"{past} days", "weekly rhythm", held, 14 * samples)


def _judged_right(rng: np.random.Generator, control: str, *, real: bool, kind: Kind) -> bool:
    before, after = 60, 40
    whole = before + after
    trend = 0.4 * np.linspace(0, 1, whole) if control != "another level" else np.zeros(whole)
    step = np.where(np.arange(whole) >= before, -0.9 if real else 0.0, 0.0)
    treated = _days(rng, kind, whole, trend + step + _wander(rng, whole, 0.2, 0.3))
    level = 0.8 if control == "another level" else 0.0
    other = _days(rng, kind, whole, level + trend + _wander(rng, whole, 0.2, 0.3))
    start = _FIRST + timedelta(days=before)
    found = intervention_effect(kind, treated, start, None if control == "none" else other)
    if not real:
        return not found.significant
    # A lower logit is a lower share and a lower score.
    return found.significant and (found.effect or 0.0) < 0


def _direction(kind: Kind, days: dict[date, Sums], length: int) -> str:
    ordered = sorted(days)
    sides = [{day: days[day] for day in part} for part in (ordered[:length], ordered[length:])]
    sums = [sum(side.values(), EMPTY) for side in sides]
    scale = (1.0, 5.0) if kind == "mean" else None
    return compare(kind, sums[0], sums[1], scale=scale, days=(sides[0], sides[1])).direction


def _days(rng: np.random.Generator, kind: Kind, length: int, mood: Floats) -> dict[date, Sums]:
    """Sums by day of about 40 items; `mood` moves the logit of the days, beside the weekly rhythm."""
    logit = -0.5 + mood + 0.4 * _WEEK[np.arange(length) % 7]
    found = {}
    for step, chance in enumerate(1 / (1 + np.exp(-logit))):
        n = int(rng.poisson(_A_DAY)) + 1
        if kind == "proportion":
            values = (rng.random(n) < chance).astype(np.float64)
        elif kind == "nps":
            drawn = rng.random(n)
            values = np.where(drawn < chance, 1.0, np.where(drawn < chance + 0.2 * (1 - chance), 0.0, -1.0))
        else:
            values = 1.0 + rng.binomial(4, chance, n)
        found[_FIRST + timedelta(days=step)] = Sums(n, float(values.sum()), float((values**2).sum()))
    return found


def _wander(rng: np.random.Generator, length: int, spread: float, carry: float) -> Floats:
    """A stationary AR(1) series with standard deviation `spread`."""
    steps = rng.normal(size=length)
    mood = np.empty(length)
    mood[0] = steps[0]
    for at in range(1, length):
        mood[at] = carry * mood[at - 1] + np.sqrt(1 - carry**2) * steps[at]
    wandered: Floats = spread * mood
    return wandered


def _forecast_series(rng: np.random.Generator, mood: Floats, *, counts: bool) -> Floats:
    rhythm = _WEEK[np.arange(len(mood)) % 7]
    if counts:
        return rng.poisson(30 * np.exp(rhythm + mood)).astype(np.float64)
    return rng.binomial(_A_DAY, 1 / (1 + np.exp(1 - rhythm - mood))) / _A_DAY
