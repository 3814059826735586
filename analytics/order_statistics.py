"""Quantiles with intervals that hold whatever the distribution."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from analytics.distributions import binomial_at_most, normal_quantile


class Ranks(NamedTuple):
    """Which order statistics (1 is the smallest) make a quantile and its interval; None: no such value."""

    values: tuple[int, ...]
    low: int | None
    high: int | None

    @property
    def all(self) -> frozenset[int]:
        """Every rank needed."""
        return frozenset({*self.values, *(rank for rank in (self.low, self.high) if rank is not None)})


class Quantile(NamedTuple):
    """A quantile and its interval; None where the sample is too small for one."""

    value: float | None
    ci_low: float | None
    ci_high: float | None


def quantile_ranks(n: int, probability: float, *, confidence: float = 0.95) -> Ranks:
    """The ranks of a quantile of n values and of its distribution-free interval.

    The interval runs between the order statistics that the binomial distribution gives (Conover, Practical
    Nonparametric Statistics, 3rd ed. 1999, section 3.2; Hahn and Meeker, Statistical Intervals, 1991, 5.2):
    it holds at least as often as said for any distribution, however skewed. The value is the mean of the two
    middle ones for an even split, else the smallest with at least that share at or below it.
    """
    if n < 1:
        return Ranks((), None, None)
    tail = (1 - confidence) / 2
    place = n * probability
    whole = abs(place - round(place)) < 1e-9 * max(1.0, place)
    if probability == 0.5 and whole:
        values: tuple[int, ...] = (round(place), round(place) + 1)
    else:
        values = (min(n, max(1, round(place) if whole else math.ceil(place))),)
    low = _smallest(n, probability, tail)
    high = _smallest(n, probability, 1 - tail) + 1
    return Ranks(values, low if low >= 1 else None, high if high <= n else None)


def quantile(ranks: Ranks, found: Mapping[int, float]) -> Quantile:
    """The quantile of values by rank."""
    if not ranks.values:
        return Quantile(None, None, None)
    value = sum(found[rank] for rank in ranks.values) / len(ranks.values)
    if ranks.low is None or ranks.high is None:
        return Quantile(value, None, None)
    return Quantile(value, found[ranks.low], found[ranks.high])


def _smallest(n: int, probability: float, least: float) -> int:
    """The smallest count with a cumulative binomial probability of `least`, searched near the normal's."""
    width = math.sqrt(n * probability * (1 - probability))
    start = n * probability + normal_quantile(least) * width
    low, high = max(-1, math.floor(start - 3 - width)), min(n, math.ceil(start + 3 + width))
    while high - low > 1:
        middle = (low + high) // 2
        if binomial_at_most(middle, n, probability) >= least:
            high = middle
        else:
            low = middle
    return high
