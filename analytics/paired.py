"""Two labellers on the same texts: is one better, or is it chance?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.estimates import Estimate

_ROUNDS = 1_000
_SEED = 20_251_122


@dataclass(frozen=True)
class McNemar:
    """Texts that only one of two got right, and how likely so uneven a split is by chance."""

    gained: int
    lost: int
    p_value: float


def mcnemar(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> McNemar:
    """McNemar's exact test (binomial on the texts on which the two differ; McNemar 1947); shapes (n,)."""
    from scipy.stats import binomtest

    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    p_value = float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    return McNemar(gained, lost, p_value)


def paired_difference(n: int, figure: Callable[[NDArray[np.intp]], float]) -> Estimate:
    """A difference of two figures over the same n texts, with a percentile bootstrap interval.

    `figure` computes the difference from the places of the texts drawn.
    """
    if not n:
        return Estimate(None, None, None, 0, "no texts")
    generator = np.random.default_rng(_SEED)
    drawn = [figure(generator.integers(0, n, n)) for _ in range(_ROUNDS)]
    value = figure(np.arange(n))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)
