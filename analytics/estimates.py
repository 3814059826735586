"""One figure with its interval, and the difference of two with its own."""

import math
from dataclasses import dataclass
from typing import Literal

from analytics.distributions import normal_quantile, t_quantile
from analytics.nps import adjusted, counts, nps
from analytics.sums import Sums
from store.errors import InputError

Kind = Literal["nps", "mean", "proportion", "count"]
Scale = tuple[float, float]
"""The lowest and the highest value that a metric can take."""
_NPS_SCALE: Scale = (-1.0, 1.0)


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval. None wherever the sample gives no honest answer, and `reason` says why."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    reason: str | None = None


@dataclass(frozen=True)
class Difference:
    """After minus before, with its interval; `significant` when the interval leaves out zero."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    significant: bool
    reason: str | None = None


def estimate(kind: Kind, sums: Sums, *, scale: Scale | None = None, confidence: float = 0.95) -> Estimate:
    """Estimate by kind: NPS in points, a mean in its own unit, a proportion in 0..1, a count of items.

    `scale` is that of a mean, where it is known: see `mean`.
    """
    if kind == "nps":
        score = nps(*sums, confidence=confidence)
        return Estimate(score.nps, score.ci_low, score.ci_high, score.n, score.reason)
    if kind == "proportion":
        return proportion(sums.n, sums.total, confidence=confidence)
    if kind == "count":
        return count(sums.n, confidence=confidence)
    return mean(*sums, scale=scale, confidence=confidence)


def mean(
    n: int, total: float, squares: float, *, scale: Scale | None = None, confidence: float = 0.95
) -> Estimate:
    """Arithmetic mean with its interval: Wilson's on a known scale, else Student's t.

    On a scale the mean is a share of the way from its low to its high end, and its variance that of the
    proportion of a sample of another, effective size (Korn and Graubard, Survey Methodology 24, 1998; with
    Wilson's interval and t for z: Dean and Pagano, Journal of Survey Statistics and Methodology 3, 2015). Of
    scores that are mostly 5 of 5 Student's t holds the truth 79 to 91% of the time, this one 92 to 97%.
    No interval below two values, nor where all are equal (their spread is unknown, not zero) unless they
    lie on an end of the scale, where they are counted like a proportion.
    """
    if n == 0:
        return Estimate(None, None, None, 0, "no values")
    sums = Sums(n, total, squares)
    if n == 1:
        return Estimate(sums.mean, None, None, 1, "one value has no interval")
    bounds = _mean_bounds(sums, scale, confidence)
    if bounds is None:
        return Estimate(sums.mean, None, None, n, "all values are equal: the interval is unknown")
    return Estimate(sums.mean, *bounds, n)


def _mean_bounds(sums: Sums, scale: Scale | None, confidence: float) -> tuple[float, float] | None:
    """Interval of the mean of two values or more; None where their spread is unknown."""
    t = t_quantile(0.5 + confidence / 2, sums.n - 1)
    if scale is None or not scale[0] < scale[1]:
        margin = t * math.sqrt(sums.variance / sums.n)
        return None if _no_spread(sums) else (sums.mean - margin, sums.mean + margin)
    low, width = scale[0], scale[1] - scale[0]
    share = min(1.0, max(0.0, (sums.mean - low) / width))
    most = share * (1 - share)
    if most <= 1e-12:
        effective = float(sums.n)
    elif _no_spread(sums):
        return None
    else:
        effective = sums.n * most * width * width / sums.variance
    first, last = _wilson(effective, share, t)
    return low + width * first, low + width * last


def proportion(n: int, total: float, *, confidence: float = 0.95) -> Estimate:
    """Share of `total` in `n` with Wilson's score interval (E. B. Wilson, JASA 22, 1927)."""
    if not 0 <= total <= n:
        raise InputError(f"{total} of {n} is not a proportion")
    if n == 0:
        return Estimate(None, None, None, 0, "no items")
    return Estimate(total / n, *_wilson(n, total / n, normal_quantile(0.5 + confidence / 2)), n)


def _wilson(n: float, share: float, z: float) -> tuple[float, float]:
    z2 = z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    margin = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the interval touches 0 or 1 exactly; rounding must not push it past the point.
    return max(0.0, min(share, centre - margin)), min(1.0, max(share, centre + margin))


def count(n: int, *, confidence: float = 0.95) -> Estimate:
    """A count with Byar's approximation to the exact Poisson interval (Breslow and Day, 1987, p. 69)."""
    return Estimate(float(n), *_byar(n, confidence), n)


def _byar(n: int, confidence: float) -> tuple[float, float]:
    z = normal_quantile(0.5 + confidence / 2)
    low = n * (1 - 1 / (9 * n) - z / (3 * math.sqrt(n))) ** 3 if n else 0.0
    more = n + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    return max(0.0, low), high


def difference(
    kind: Kind, before: Sums, after: Sums, *, scale: Scale | None = None, confidence: float = 0.95
) -> Difference:
    """After minus before by kind (see `estimate` for units and `scale`).

    Proportion: Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10). NPS, and means
    on a known scale: the same hybrid of the two intervals of `mean`, which holds near the ends of a scale
    where Wald's does not. Other means: Welch. Count: two Poisson counts over equal spans.
    """
    if kind == "count":
        return _count_difference(before.n, after.n, confidence)
    if not before.n or not after.n:
        return Difference(None, None, None, False, "no items before" if not before.n else "no items after")
    if kind == "nps":
        return _nps_difference(before, after, confidence)
    if kind == "proportion":
        return _proportion_difference(before, after, confidence)
    return _mean_difference(before, after, scale, confidence)


def _nps_difference(before: Sums, after: Sums, confidence: float) -> Difference:
    first, second = (_nps_bounds(side, confidence) for side in (before, after))
    low, high = _combined(before.mean, first, after.mean, second)
    return _difference(100 * (after.mean - before.mean), 100 * low, 100 * high)


def _nps_bounds(sums: Sums, confidence: float) -> tuple[float, float]:
    """In -1..1; Rocks' adjusted interval where answers that are all passive tell nothing of their spread."""
    counts(*sums)
    found = _mean_bounds(sums, _NPS_SCALE, confidence) if sums.n > 1 else None
    if found is not None:
        return found
    centre, variance = adjusted(*sums)
    margin = normal_quantile(0.5 + confidence / 2) * math.sqrt(variance)
    return max(-1.0, min(sums.mean, centre - margin)), min(1.0, max(sums.mean, centre + margin))


def _proportion_difference(before: Sums, after: Sums, confidence: float) -> Difference:
    z = normal_quantile(0.5 + confidence / 2)
    bounds = [_wilson(side.n, side.mean, z) for side in (before, after)]
    return _square_and_add(before.mean, bounds[0], after.mean, bounds[1])


def _mean_difference(before: Sums, after: Sums, scale: Scale | None, confidence: float) -> Difference:
    change = after.mean - before.mean
    if min(before.n, after.n) < 2:
        return Difference(change, None, None, False, "fewer than two values on one side")
    bounds = [_mean_bounds(side, scale, confidence) for side in (before, after)]
    if scale is not None and bounds[0] is not None and bounds[1] is not None:
        return _square_and_add(before.mean, bounds[0], after.mean, bounds[1])
    if _no_spread(before) and _no_spread(after):
        return Difference(change, None, None, False, "all values are equal: the interval is unknown")
    return _welch(before, after, confidence)


def _welch(before: Sums, after: Sums, confidence: float) -> Difference:
    change = after.mean - before.mean
    first, second = before.variance / before.n, after.variance / after.n
    df = (first + second) ** 2 / (first**2 / (before.n - 1) + second**2 / (after.n - 1))
    margin = t_quantile(0.5 + confidence / 2, df) * math.sqrt(first + second)
    return _difference(change, change - margin, change + margin)


def _count_difference(before: int, after: int, confidence: float) -> Difference:
    return _square_and_add(before, _byar(before, confidence), after, _byar(after, confidence))


def _square_and_add(
    before: float, first: tuple[float, float], after: float, second: tuple[float, float]
) -> Difference:
    return _difference(after - before, *_combined(before, first, after, second))


def _combined(
    before: float, first: tuple[float, float], after: float, second: tuple[float, float]
) -> tuple[float, float]:
    """Combine two intervals into that of the difference (Newcombe 1998; MOVER, Zou and Donner 2008)."""
    change = after - before
    low = change - math.hypot(after - second[0], first[1] - before)
    return low, change + math.hypot(second[1] - after, before - first[0])


def _difference(value: float, low: float, high: float) -> Difference:
    return Difference(value, low, high, significant=low > 0 or high < 0)


def _no_spread(sums: Sums) -> bool:
    return sums.variance <= 1e-12 * max(1.0, abs(sums.squares) / sums.n)
