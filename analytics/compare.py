"""Before and after: what changed, whether it is more than chance, and how much is mix and how much rate."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analytics.day_spread import Daily, day_stretch, stretched
from analytics.estimates import Difference, Estimate, Kind, Scale, difference, estimate
from analytics.sums import EMPTY, Sums

Key = tuple[str | None, ...]
Direction = Literal["rose", "fell", "unchanged"]


@dataclass(frozen=True)
class Contribution:
    """What one group adds to the change, in the metric's unit; `total` = `mix` + `rate`.

    `share` is `total` over the whole change, None where the whole did not change.
    `before` and `after` are the group's own levels, None where it has no items there.
    """

    key: Key
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    mix: float
    rate: float
    total: float
    share: float | None


@dataclass(frozen=True)
class Decomposition:
    """A change split over groups; `mix_effect` + `rate_effect` is the change, to rounding."""

    mix_effect: float
    rate_effect: float
    rate_significant: bool
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Comparison:
    """Two levels and their difference. `direction` is "unchanged" unless the change is significant."""

    before: Estimate
    after: Estimate
    difference: Difference
    direction: Direction


def compare(
    kind: Kind,
    before: Sums,
    after: Sums,
    *,
    scale: Scale | None = None,
    days: tuple[Daily, Daily] | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Compare two windows or two segments; units and `scale` as in `estimates.estimate`.

    `days` are the sums by day of two windows: with them the interval allows for days that differ as a whole.
    """
    change = difference(kind, before, after, scale=scale, confidence=confidence)
    if days is not None:
        change = stretched(change, day_stretch(kind, *days, change))
    direction: Direction = "unchanged"
    if change.significant and change.value:
        direction = "rose" if change.value > 0 else "fell"
    return Comparison(
        before=estimate(kind, before, scale=scale, confidence=confidence),
        after=estimate(kind, after, scale=scale, confidence=confidence),
        difference=change,
        direction=direction,
    )


def decompose(kind: Kind, groups: Mapping[Key, tuple[Sums, Sums]]) -> Decomposition | None:
    """Split the change of the pooled groups into mix and rate effects.

    `groups` maps each value of a partition (each item in exactly one group) to its sums before and after.
    Kitagawa's symmetric decomposition (E. Kitagawa, JASA 50, 1955; Oaxaca-Blinder with midpoint weights):
    rate = mean weight x change of level; mix = change of weight x (mean level of the group - mean level of
    all). A group that is missing on one side has no change of level: all of it is mix. For counts the
    change of each group is all there is (`rate`), and mix is 0. Returns None where one side has no items.
    """
    before = sum((pair[0] for pair in groups.values()), EMPTY)
    after = sum((pair[1] for pair in groups.values()), EMPTY)
    if kind == "count":
        return _count_decomposition(groups, after.n - before.n)
    if not before.n or not after.n:
        return None
    scale = 100.0 if kind == "nps" else 1.0
    change = scale * (after.mean - before.mean)
    middle = (before.mean + after.mean) / 2
    contributions, variance = [], 0.0
    for key, (first, second) in groups.items():
        weights = first.n / before.n, second.n / after.n
        levels = (
            first.mean if first.n else second.mean,
            second.mean if second.n else first.mean,
        )
        if not first.n and not second.n:
            continue
        rate = scale * (weights[0] + weights[1]) / 2 * (levels[1] - levels[0])
        mix = scale * (weights[1] - weights[0]) * ((levels[0] + levels[1]) / 2 - middle)
        contributions.append(_contribution(key, first, second, scale, mix, rate, change))
        variance += _rate_variance(first, second, scale * (weights[0] + weights[1]) / 2)
    rate_effect = math.fsum(one.rate for one in contributions)
    return Decomposition(
        mix_effect=math.fsum(one.mix for one in contributions),
        rate_effect=rate_effect,
        rate_significant=abs(rate_effect) > 1.96 * math.sqrt(variance),
        contributions=tuple(sorted(contributions, key=lambda one: -abs(one.total))),
    )


def is_partition(groups: Mapping[Key, tuple[Sums, Sums]], before: Sums, after: Sums) -> bool:
    """Whether the groups hold each item exactly once (a multi-valued dimension such as topic does not)."""
    return (
        sum(pair[0].n for pair in groups.values()) == before.n
        and sum(pair[1].n for pair in groups.values()) == after.n
    )


def _rate_variance(first: Sums, second: Sums, weight: float) -> float:
    if first.n < 2 or second.n < 2:
        return 0.0
    return weight * weight * (first.variance / first.n + second.variance / second.n)


def _count_decomposition(groups: Mapping[Key, tuple[Sums, Sums]], change: int) -> Decomposition:
    contributions = [
        _contribution(key, first, second, 1.0, 0.0, float(second.n - first.n), float(change), count=True)
        for key, (first, second) in groups.items()
    ]
    return Decomposition(
        mix_effect=0.0,
        rate_effect=float(change),
        rate_significant=difference(
            "count",
            sum((pair[0] for pair in groups.values()), EMPTY),
            sum((pair[1] for pair in groups.values()), EMPTY),
        ).significant,
        contributions=tuple(sorted(contributions, key=lambda one: -abs(one.total))),
    )


def _contribution(
    key: Key,
    first: Sums,
    second: Sums,
    scale: float,
    mix: float,
    rate: float,
    change: float,
    *,
    count: bool = False,
) -> Contribution:
    return Contribution(
        key=key,
        n_before=first.n,
        n_after=second.n,
        before=float(first.n) if count else (scale * first.mean if first.n else None),
        after=float(second.n) if count else (scale * second.mean if second.n else None),
        mix=mix,
        rate=rate,
        total=mix + rate,
        share=(mix + rate) / change if change else None,
    )
