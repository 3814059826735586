"""What drives a score: how much each factor explains when factors go together, and what it moves.

Works on sums of products alone, so that a million rows cost one query. Importance is Johnson's relative
weight (Multivariate Behavioral Research 35, 2000), which shares out R^2 among correlated factors;
coefficients are least squares with classical errors. Intervals of the importance come from redrawing the
matrix of products from its Wishart distribution.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import t_quantile, t_two_sided

Floats = NDArray[np.float64]
LEAST_ROWS_PER_FACTOR = 10
_DRAWS = 400
# Factors that others explain to this share say the same thing twice: the later one is left out.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Driver:
    """One factor, by its index among those given.

    `coefficient` is the change of the outcome for one unit of the factor, others equal; `standardised` per
    standard deviations. `importance` is its share of the explained variance (all add up to 1), `vif` how
    much collinearity inflates its variance. `mean` of the factor (the share of items for a flag);
    `contribution` = coefficient x mean: what it adds to the outcome's mean.
    """

    index: int
    coefficient: float
    ci_low: float
    ci_high: float
    p_value: float
    standardised: float
    importance: float
    importance_low: float
    importance_high: float
    mean: float
    contribution: float
    vif: float


@dataclass(frozen=True)
class Drivers:
    """Drivers by importance; `r2` is adjusted for their number.

    `left_out` indexes factors that do not vary or repeat those before them.
    """

    drivers: tuple[Driver, ...]
    r2: float
    n: int
    left_out: tuple[int, ...]


def find_drivers(
    n: int,
    sums: Sequence[float],
    products: Sequence[Sequence[float]],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Drivers | None:
    """Regress the first variable on the others.

    `sums` has shape (p + 1,), `products` (p + 1, p + 1), both outcome first. None below ten rows a factor,
    or where the outcome does not vary.
    """
    total = np.asarray(sums, dtype=np.float64)
    if n < LEAST_ROWS_PER_FACTOR * max(1, len(total) - 1) + 2:
        return None
    covariance = (np.asarray(products, dtype=np.float64) - np.outer(total, total) / n) / (n - 1)
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if spread[0] <= 1e-12:
        return None
    kept, left_out = _independent(covariance, spread)
    if not kept:
        return Drivers((), 0.0, n, tuple(one - 1 for one in left_out))
    columns = [0, *kept]
    deviation = spread[columns]
    correlation = covariance[np.ix_(columns, columns)] / np.outer(deviation, deviation)
    shares, r2 = relative_weights(correlation)
    low, high = _redrawn(correlation, n, confidence, seed)
    inverse = np.linalg.inv(correlation[1:, 1:])
    beta = inverse @ correlation[1:, 0]
    freedom = n - len(kept) - 1
    error = np.sqrt(np.maximum((1 - r2) / freedom * np.diag(inverse), 0.0))
    margin = t_quantile(0.5 + confidence / 2, freedom)
    found = []
    for at, index in enumerate(kept):
        scale = deviation[0] / deviation[at + 1]
        mean = float(total[index] / n)
        t = float(beta[at] / error[at]) if error[at] > 0 else math.inf
        p_value = 0.0 if math.isinf(t) else t_two_sided(t, freedom)
        found.append(
            Driver(
                index=index - 1,
                coefficient=float(beta[at] * scale),
                ci_low=float((beta[at] - margin * error[at]) * scale),
                ci_high=float((beta[at] + margin * error[at]) * scale),
                p_value=p_value,
                standardised=float(beta[at]),
                importance=float(shares[at]),
                # Shares are never negative: redrawn ones of an idle factor do not reach its true zero.
                importance_low=float(low[at]) if p_value < 1 - confidence else 0.0,
                importance_high=float(high[at]),
                mean=mean,
                contribution=float(beta[at] * scale) * mean,
                vif=float(inverse[at, at]),
            )
        )
    adjusted = 1 - (1 - r2) * (n - 1) / freedom
    found.sort(key=lambda one: -one.importance)
    return Drivers(tuple(found), max(0.0, float(adjusted)), n, tuple(one - 1 for one in left_out))


def relative_weights(correlation: Floats) -> tuple[Floats, float]:
    """Shares of R^2 (adding up to 1), shape (p,), and R^2, of a (p + 1, p + 1) matrix, outcome first."""
    values, vectors = np.linalg.eigh(correlation[1:, 1:])
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 1e-12))) @ vectors.T
    beta = np.linalg.solve(root, correlation[1:, 0])
    raw = (root**2) @ (beta**2)
    r2 = float(raw.sum())
    return (raw / r2 if r2 > 1e-12 else np.full(len(raw), 1 / len(raw))), min(r2, 1.0)


def _independent(covariance: Floats, spread: Floats) -> tuple[list[int], list[int]]:
    """Factors that vary and are not made of those before them; and the others."""
    kept: list[int] = []
    left_out: list[int] = []
    for index in range(1, len(spread)):
        if spread[index] <= 1e-12:
            left_out.append(index)
            continue
        if kept:
            inner, outer = covariance[np.ix_(kept, kept)], covariance[kept, index]
            rest = covariance[index, index] - outer @ np.linalg.solve(inner, outer)
            if rest <= _TOLERANCE * covariance[index, index]:
                left_out.append(index)
                continue
        kept.append(index)
    return kept, left_out


def _redrawn(correlation: Floats, n: int, confidence: float, seed: int) -> tuple[Floats, Floats]:
    """Interval of the shares: quantiles over matrices drawn as if from n normal rows."""
    rng = np.random.default_rng(seed)
    size, freedom = len(correlation), n - 1
    lower = np.linalg.cholesky(correlation + 1e-10 * np.eye(size))
    shares = []
    for _ in range(_DRAWS):
        # Bartlett's decomposition: the Wishart matrix without drawing n rows.
        factor = np.tril(rng.normal(size=(size, size)), -1)
        factor[np.diag_indices(size)] = np.sqrt(rng.chisquare(freedom - np.arange(size)))
        drawn = lower @ factor
        matrix = drawn @ drawn.T
        deviation = np.sqrt(np.diag(matrix))
        shares.append(relative_weights(matrix / np.outer(deviation, deviation))[0])
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.stack(shares), (tail, 1 - tail), axis=0)
    return low, high
