"""One figure with its interval, and the difference of two with its own."""

import math
from dataclasses import dataclass
from typing import Literal

from analytics.distributions import normal_quantile, t_quantile
from analytics.nps import adjusted, counts, nps
from analytics.sums import Sums
from store.errors import InputError

Kind = Literal["nps", "mean", "proportion", "count"]


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


def estimate(kind: Kind, sums: Sums, *, confidence: float = 0.95) -> Estimate:
    """Estimate by kind: NPS in points, a mean in its own unit, a proportion in 0..1, a count of items."""
    if kind == "nps":
        score = nps(*sums, confidence=confidence)
        return Estimate(score.nps, score.ci_low, score.ci_high, score.n, score.reason)
    if kind == "proportion":
        return proportion(sums.n, sums.total, confidence=confidence)
    if kind == "count":
        return count(sums.n, confidence=confidence)
    return mean(*sums, confidence=confidence)


def mean(n: int, total: float, squares: float, *, confidence: float = 0.95) -> Estimate:
    """Arithmetic mean with Student's t interval.

    No interval below two values, nor where all values are equal (their spread is unknown, not zero).
    """
    if n == 0:
        return Estimate(None, None, None, 0, "no values")
    sums = Sums(n, total, squares)
    if n == 1:
        return Estimate(sums.mean, None, None, 1, "one value has no interval")
    if _no_spread(sums):
        return Estimate(sums.mean, None, None, n, "all values are equal: the interval is unknown")
    margin = t_quantile(0.5 + confidence / 2, n - 1) * math.sqrt(sums.variance / n)
    return Estimate(sums.mean, sums.mean - margin, sums.mean + margin, n)


def proportion(n: int, total: float, *, confidence: float = 0.95) -> Estimate:
    """Share of `total` in `n` with Wilson's score interval (E. B. Wilson, JASA 22, 1927)."""
    if not 0 <= total <= n:
        raise InputError(f"{total} of {n} is not a proportion")
    if n == 0:
        return Estimate(None, None, None, 0, "no items")
    return Estimate(total / n, *_wilson(n, total, confidence), n)


def _wilson(n: int, total: float, confidence: float) -> tuple[float, float]:
    share = total / n
    z2 = normal_quantile(0.5 + confidence / 2) ** 2
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


def difference(kind: Kind, before: Sums, after: Sums, *, confidence: float = 0.95) -> Difference:
    """After minus before by kind (see `estimate` for units).

    NPS: adjusted Wald with half of Rocks' pseudo-observations in each sample, as Agresti and Caffo (The
    American Statistician 54, 2000) do for proportions. Mean: Welch. Proportion: Newcombe's hybrid score
    interval (Statistics in Medicine 17, 1998, method 10). Count: two Poisson counts over equal spans.
    """
    if kind == "count":
        return _count_difference(before.n, after.n, confidence)
    if not before.n or not after.n:
        return Difference(None, None, None, False, "no items before" if not before.n else "no items after")
    if kind == "nps":
        return _nps_difference(before, after, confidence)
    if kind == "proportion":
        return _proportion_difference(before, after, confidence)
    return _mean_difference(before, after, confidence)


def _nps_difference(before: Sums, after: Sums, confidence: float) -> Difference:
    counts(*before)
    counts(*after)
    low_mean, low_variance = adjusted(*before, weight=0.5)
    high_mean, high_variance = adjusted(*after, weight=0.5)
    margin = normal_quantile(0.5 + confidence / 2) * math.sqrt(low_variance + high_variance)
    centre = high_mean - low_mean
    low, high = 100 * max(-2.0, centre - margin), 100 * min(2.0, centre + margin)
    return _difference(100 * (after.mean - before.mean), low, high)


def _proportion_difference(before: Sums, after: Sums, confidence: float) -> Difference:
    first = _wilson(before.n, before.total, confidence)
    second = _wilson(after.n, after.total, confidence)
    return _square_and_add(before.mean, first, after.mean, second)


def _mean_difference(before: Sums, after: Sums, confidence: float) -> Difference:
    change = after.mean - before.mean
    if min(before.n, after.n) < 2:
        return Difference(change, None, None, False, "fewer than two values on one side")
    if _no_spread(before) and _no_spread(after):
        return Difference(change, None, None, False, "all values are equal: the interval is unknown")
    first, second = before.variance / before.n, after.variance / after.n
    df = (first + second) ** 2 / (first**2 / (before.n - 1) + second**2 / (after.n - 1))
    margin = t_quantile(0.5 + confidence / 2, df) * math.sqrt(first + second)
    return _difference(change, change - margin, change + margin)


def _count_difference(before: int, after: int, confidence: float) -> Difference:
    return _square_and_add(before, _byar(before, confidence), after, _byar(after, confidence))


def _square_and_add(
    before: float, first: tuple[float, float], after: float, second: tuple[float, float]
) -> Difference:
    """Combine two intervals into that of the difference (Newcombe 1998; MOVER, Zou and Donner 2008)."""
    change = after - before
    low = change - math.hypot(after - second[0], first[1] - before)
    high = change + math.hypot(second[1] - after, before - first[0])
    return _difference(change, low, high)


def _difference(value: float, low: float, high: float) -> Difference:
    return Difference(value, low, high, significant=low > 0 or high < 0)


def _no_spread(sums: Sums) -> bool:
    return sums.variance <= 1e-12 * max(1.0, abs(sums.squares) / sums.n)
