"""How much more two periods differ by chance than their items tell, because whole days go well or badly."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from analytics.autoregression import fit_days
from analytics.estimates import Difference, Kind
from analytics.sums import Sums

Daily = Mapping[date, Sums]

# With fewer days, or days of a handful of items, the spread between days cannot be told from chance.
LEAST_DAYS: Final = 7
_LEAST_A_DAY: Final = 5
# Intervals from days are a little wider even where days are alike; only more than that is a spread.
_ALIKE: Final = 1.2


def day_stretch(kind: Kind, before: Daily, after: Daily, change: Difference) -> float:
    """Factor (1 or more) by which the interval of `change` must be wider for days that differ.

    Items of one day share its weather, its outage, its promotion, and days resemble their neighbours: items
    are no independent sample. The width that the daily levels give (a step with AR(1) errors) over that of
    the items. Of days with a standard deviation of 0.4 (logit) and autocorrelation 0.6, 32 to 41% of periods
    without any change would else be told to differ.
    """
    import numpy as np

    sides = [
        {day: sums for day, sums in side.items() if sums.n or kind == "count"} for side in (before, after)
    ]
    if min(map(len, sides)) < LEAST_DAYS or change.ci_low is None or change.ci_high is None:
        return 1.0
    if min(sum(sums.n for sums in side.values()) / len(side) for side in sides) < _LEAST_A_DAY:
        return 1.0
    days = sorted({**sides[0], **sides[1]})
    if len(days) < len(sides[0]) + len(sides[1]):
        return 1.0
    scale = {"nps": 100.0, "count": float(len(sides[1]))}.get(kind, 1.0)
    values = [
        scale * (sums.n if kind == "count" else sums.mean)
        for sums in ({**sides[0], **sides[1]}[d] for d in days)
    ]
    later = np.array([day in sides[1] for day in days], dtype=np.float64)
    columns = [np.ones(len(days)), later]
    if min(map(len, sides)) >= 2 * LEAST_DAYS:
        weekday = np.array([day.weekday() for day in days])
        columns += [(weekday == one).astype(np.float64) for one in sorted(set(weekday.tolist()))[1:]]
    found = fit_days(days, values, np.column_stack(columns), 1)
    width = change.ci_high - change.ci_low
    stretch = 1.0 if found is None or width <= 0 else (found.high - found.low) / width
    return stretch if stretch > _ALIKE else 1.0


def stretched(change: Difference, factor: float) -> Difference:
    """The same difference with its interval `factor` times as wide about its value."""
    if factor <= 1 or change.value is None or change.ci_low is None or change.ci_high is None:
        return change
    low = change.value - factor * (change.value - change.ci_low)
    high = change.value + factor * (change.ci_high - change.value)
    return Difference(change.value, low, high, significant=low > 0 or high < 0, reason=change.reason)
