"""What recurring events do to a daily series, beside its trend and its weekdays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics.autoregression import Floats, fit_days
from analytics.distributions import normal_quantile

# One promotion alone cannot be told from anything else that went on in these days.
LEAST_OCCURRENCES, LEAST_DAYS, LEAST_OTHER_DAYS = 2, 4, 21
_WEEKLY_FROM = 28
_Z = normal_quantile(0.975)

Span = tuple[date, date]
"""First and last day, both included."""


@dataclass(frozen=True)
class EventEffect:
    """The change of a day's value that goes with an event, its interval, and how often it was seen."""

    value: float
    low: float
    high: float
    occurrences: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def event_effects(
    days: Sequence[date], values: Sequence[float] | Floats, events: Mapping[str, Sequence[Span]]
) -> dict[str, EventEffect]:
    """The effect of each kind of event, all of them, a straight trend and the weekdays held equal.

    Days in order, gaps allowed. Regression on indicator variables with AR(1) errors (see
    `autoregression.fit_days`; calendar effects as in Bell and Hillmer, JASA 78, 1983). Where occasions of a
    kind differ by more than chance, its interval is widened by Birge's ratio (Physical Review 40, 1932): one
    sale that went wrong is no effect of sales. Kinds seen on fewer than two occasions or four days, or that
    leave fewer than 21 other days, have none.
    """
    columns = {name: _indicator(days, spans) for name, spans in events.items()}
    seen = {name: sum(any(a <= day <= b for day in days) for a, b in spans) for name, spans in events.items()}
    kept = [
        name
        for name, column in columns.items()
        if seen[name] >= LEAST_OCCURRENCES
        and column.sum() >= LEAST_DAYS
        and len(days) - column.sum() >= LEAST_OTHER_DAYS
    ]
    if not kept:
        return {}
    design = np.column_stack([*(columns[name] for name in kept), _rest(days)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return {}
    found = {}
    for at, name in enumerate(kept):
        fitted = fit_days(days, values, design, at)
        if fitted is None:
            continue
        others = np.delete(design, at, axis=1)
        wider = _birge_ratio(days, values, events[name], others, fitted.value)
        low, high = (fitted.value + wider * (end - fitted.value) for end in (fitted.low, fitted.high))
        found[name] = EventEffect(fitted.value, low, high, seen[name])
    return found


def _birge_ratio(
    days: Sequence[date],
    values: Sequence[float] | Floats,
    spans: Sequence[Span],
    others: Floats,
    pooled: float,
) -> float:
    """How many times wider than their errors the occasions scatter about their common effect; at least 1."""
    occasions = [column for span in spans if (column := _indicator(days, (span,))).any()]
    design = np.column_stack([*occasions, others])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return 1.0
    apart = 0.0
    for at in range(len(occasions)):
        one = fit_days(days, values, design, at)
        if one is None:
            return 1.0
        apart += ((one.value - pooled) / ((one.high - one.low) / (2 * _Z))) ** 2
    return max(1.0, math.sqrt(apart / (len(occasions) - 1)))


def on_days(
    days: Sequence[date], effects: Mapping[str, float], events: Mapping[str, Sequence[Span]]
) -> Floats:
    """The sum of these effects on each day, shape (n,)."""
    total = np.zeros(len(days))
    for name, effect in effects.items():
        total += effect * _indicator(days, events[name])
    return total


def _indicator(days: Sequence[date], spans: Sequence[Span]) -> Floats:
    return np.array([float(any(a <= day <= b for a, b in spans)) for day in days])


def _rest(days: Sequence[date]) -> Floats:
    """Intercept, trend and, where four weeks are seen, weekdays."""
    at = np.array([day.toordinal() for day in days], dtype=np.float64)
    columns = [np.ones(len(days)), (at - at.mean()) / 365.0]
    if len(days) >= _WEEKLY_FROM:
        weekdays = np.array([day.weekday() for day in days])
        columns += [(weekdays == one).astype(np.float64) for one in range(1, 7) if (weekdays == one).any()]
    return np.column_stack(columns)
