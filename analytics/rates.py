"""Two counts over two exposures: the ratio of their rates."""

import math
from dataclasses import dataclass

from analytics.distributions import binomial_two_sided, normal_quantile
from store.errors import InputError


@dataclass(frozen=True)
class RateRatio:
    """Rate after over rate before; None where nothing happened before. `p_value` is exact."""

    ratio: float | None
    ci_low: float
    ci_high: float
    p_value: float


def rate_ratio(
    before: int,
    after: int,
    *,
    exposure_before: float = 1.0,
    exposure_after: float = 1.0,
    confidence: float = 0.95,
) -> RateRatio:
    """Compare two Poisson rates.

    Exposure is what the counts are out of: days, or all items of the window. The test is the conditional
    binomial one (Przyborowski and Wilenski, Biometrika 31, 1940); the interval is the log-normal one with
    1/2 added to each count (Haldane's correction). Raises InputError unless both exposures are positive.
    """
    if exposure_before <= 0 or exposure_after <= 0:
        raise InputError("a rate needs a positive exposure")
    expected = exposure_after / (exposure_before + exposure_after)
    centre = math.log((after + 0.5) / exposure_after) - math.log((before + 0.5) / exposure_before)
    margin = normal_quantile(0.5 + confidence / 2) * math.sqrt(1 / (before + 0.5) + 1 / (after + 0.5))
    return RateRatio(
        ratio=(after / exposure_after) / (before / exposure_before) if before else None,
        ci_low=math.exp(centre - margin),
        ci_high=math.exp(centre + margin),
        p_value=binomial_two_sided(after, before + after, expected) if before + after else 1.0,
    )
