"""How hot a theme is, and whether it is rising."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analytics.rates import rate_ratio

Trend = Literal["rising", "falling", "steady", "new"]

WEIGHTS: Mapping[str, float] = {
    "volume": 0.30,
    "growth": 0.25,
    "severity": 0.20,
    "reach": 0.15,
    "recency": 0.10,
}

# Below this many mentions a theme without a past is an accident rather than news.
MIN_NEW = 5
# Added to both counts, so that a growth from 1 to 3 does not look like one from 100 to 300.
_GROWTH_PRIOR = 5.0


@dataclass(frozen=True)
class Activity:
    """What is known of one theme in a window and in the one before it.

    `n` and `n_before` count its items, `items` and `items_before` all items of the windows; `negative` its
    negative items. `recent` counts its items in the last quarter of the window, `customers` the different
    people who raised it out of `all_customers`; None where that is not known.
    """

    n: int
    n_before: int
    items: int
    items_before: int
    negative: int
    recent: int | None = None
    customers: int | None = None
    all_customers: int | None = None


@dataclass(frozen=True)
class Heat:
    """The index 0-100 and its parts 0-1 (only those that are known)."""

    index: float
    parts: Mapping[str, float]


def heat(activity: Activity) -> Heat:
    """Heat index: 100 x the weighted mean of the known parts, weights as in `WEIGHTS`.

    volume = ln(1 + n) / ln(1 + items); growth = 1/2 + 1/2 tanh(ln g) with g the ratio of the theme's shares
    of all items, 5 added to each count (1/2 is no growth, 0.8 a doubling); severity = negative / n;
    reach = sqrt(customers / all customers); recency = min(1, 2 recent / n) (1/2 is an even spread).
    0 where the theme has no items.
    """
    if activity.n <= 0:
        return Heat(0.0, {})
    parts = {
        "volume": math.log1p(activity.n) / math.log1p(max(activity.items, activity.n)),
        "growth": 0.5 + 0.5 * math.tanh(_log_growth(activity)),
        "severity": activity.negative / activity.n,
    }
    if activity.customers is not None and activity.all_customers:
        parts["reach"] = math.sqrt(min(1.0, activity.customers / activity.all_customers))
    if activity.recent is not None:
        parts["recency"] = min(1.0, 2 * activity.recent / activity.n)
    weight = math.fsum(WEIGHTS[name] for name in parts)
    return Heat(100 * math.fsum(WEIGHTS[name] * part for name, part in parts.items()) / weight, parts)


def _log_growth(activity: Activity) -> float:
    if not activity.items_before:
        return 0.0
    expected = activity.n_before * activity.items / activity.items_before
    return math.log((activity.n + _GROWTH_PRIOR) / (expected + _GROWTH_PRIOR))


def trend(
    n_before: int,
    n_after: int,
    *,
    exposure_before: float = 1.0,
    exposure_after: float = 1.0,
    alpha: float = 0.01,
) -> Trend:
    """Say whether a theme rises or falls, only where the Poisson rate ratio differs from 1 at level `alpha`.

    Exposure is days, or all items of each window (which tells a theme's own growth from the feed's).
    alpha is 0.01 because trends are read in lists of tens. "new": significant, and never seen before.
    """
    test = rate_ratio(n_before, n_after, exposure_before=exposure_before, exposure_after=exposure_after)
    if test.p_value >= alpha:
        return "steady"
    if n_before == 0:
        return "new" if n_after >= MIN_NEW else "steady"
    return "rising" if n_after / exposure_after > n_before / exposure_before else "falling"
