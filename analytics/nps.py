"""Net Promoter Score from sums of x, where x is 1 (promoter, 9-10), 0 (passive, 7-8), -1 (detractor, 0-6)."""

import math
from dataclasses import dataclass

from analytics.distributions import normal_quantile
from store.errors import InputError

# Rocks' adjustment: three pseudo-observations, split a quarter, a half, a quarter.
PSEUDO_N = 3.0
PSEUDO_SQUARES = 1.5


@dataclass(frozen=True)
class NpsEstimate:
    """NPS in points (-100..100) with its interval; None with a `reason` where there is no answer."""

    nps: float | None
    ci_low: float | None
    ci_high: float | None
    promoters: int
    passives: int
    detractors: int
    n: int
    reason: str | None = None


def counts(n: int, total: float, squares: float) -> tuple[int, int, int]:
    """Return (promoters, passives, detractors), exact integers.

    promoters - detractors = total and promoters + detractors = squares. Raises InputError where the sums
    cannot come from values in {-1, 0, 1}.
    """
    promoters, detractors = (squares + total) / 2, (squares - total) / 2
    exact = round(promoters), n - round(promoters) - round(detractors), round(detractors)
    off = max(abs(promoters - exact[0]), abs(detractors - exact[2]))
    if off > 1e-6 or min(exact) < 0:
        raise InputError(f"n={n}, total={total}, squares={squares} are not the sums of an NPS metric")
    return exact


def nps(n: int, total: float, squares: float, *, confidence: float = 0.95) -> NpsEstimate:
    """NPS with the adjusted-Wald interval.

    The interval is Wald's after adding 3/4 promoter, 3/2 passive and 3/4 detractor (B. Rocks, "Interval
    Estimation for the Net Promoter Score", The American Statistician 70(4), 2016; recommended by
    J. Sauro and J. Lewis, MeasuringU, 2021). The point is the plain NPS; with a few scores at one end it
    lies outside Wald's interval, which is then extended to it. Raises InputError on sums that are not those
    of an NPS metric.
    """
    promoters, passives, detractors = counts(n, total, squares)
    if n == 0:
        return NpsEstimate(None, None, None, 0, 0, 0, 0, "no scores")
    centre, variance = adjusted(n, total, squares)
    margin = normal_quantile(0.5 + confidence / 2) * math.sqrt(variance)
    point = total / n
    return NpsEstimate(
        nps=100 * point,
        ci_low=100 * min(point, max(-1.0, centre - margin)),
        ci_high=100 * max(point, min(1.0, centre + margin)),
        promoters=promoters,
        passives=passives,
        detractors=detractors,
        n=n,
    )


def adjusted(n: int, total: float, squares: float, weight: float = 1.0) -> tuple[float, float]:
    """Mean of x and the variance of that mean after `weight` times Rocks' pseudo-observations are added."""
    size = n + weight * PSEUDO_N
    centre = total / size
    spread = (squares + weight * PSEUDO_SQUARES) / size - centre * centre
    return centre, spread / size
