"""One figure from several estimates of the same effect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.distributions import normal_quantile
from store.errors import InputError


@dataclass(frozen=True)
class Pooled:
    """The pooled effect with its interval, the number of estimates, and the variance between them."""

    value: float
    low: float
    high: float
    n: int
    between: float


def pool(estimates: Sequence[tuple[float, float, float]], *, confidence: float = 0.95) -> Pooled | None:
    """Pool (value, low, high) of independent estimates by inverse variance; None without any.

    The random-effects mean of DerSimonian and Laird (Controlled Clinical Trials 7, 1986): each estimate is
    weighed by 1 / (its variance + the variance between them), so that effects which disagree widen the
    interval and equal ones give the fixed-effect mean. A variance is read off the interval's width, taken
    as normal. An estimate without width (or the wrong way round) is an InputError.
    """
    if not estimates:
        return None
    z = normal_quantile(0.5 + confidence / 2)
    if any(not low < high for _, low, high in estimates):
        raise InputError("an estimate needs an interval with low < high to be weighed")
    variances = [((high - low) / (2 * z)) ** 2 for _, low, high in estimates]
    values = [value for value, _, _ in estimates]
    between = _between(values, variances)
    weights = [1 / (variance + between) for variance in variances]
    mean = _mean(values, weights)
    margin = z / math.sqrt(sum(weights))
    return Pooled(mean, mean - margin, mean + margin, len(values), between)


def _between(values: Sequence[float], variances: Sequence[float]) -> float:
    """DerSimonian and Laird's moment estimate of the variance between effects, at least 0."""
    weights = [1 / variance for variance in variances]
    total = sum(weights)
    scale = total - sum(weight * weight for weight in weights) / total
    if len(values) < 2 or scale <= 0:
        return 0.0
    mean = _mean(values, weights)
    spread = sum(weight * (value - mean) ** 2 for value, weight in zip(values, weights, strict=True))
    return max(0.0, (spread - (len(values) - 1)) / scale)


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
