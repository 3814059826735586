"""Quantiles by rank: against tables, and how often their intervals hold."""

import numpy as np
import pytest

from analytics.order_statistics import Ranks, quantile, quantile_ranks


@pytest.mark.parametrize(
    ("n", "low", "high"),
    # Conover, Practical Nonparametric Statistics: ranks of the 95% interval of a median.
    [(6, 1, 6), (10, 2, 9), (20, 6, 15), (25, 8, 18), (50, 18, 33), (100, 40, 61)],
)
def test_ranks_of_the_median_are_those_of_the_tables(n: int, low: int, high: int) -> None:
    found = quantile_ranks(n, 0.5)
    assert (found.low, found.high) == (low, high)


def test_too_few_values_have_no_interval() -> None:
    assert quantile_ranks(0, 0.5) == Ranks((), None, None)
    assert quantile_ranks(5, 0.5) == Ranks((3,), None, None)
    assert quantile(quantile_ranks(4, 0.5), {2: 3.0, 3: 5.0}).value == 4.0
    assert quantile_ranks(20, 0.9).high is None


@pytest.mark.parametrize("probability", [0.5, 0.9])
def test_the_interval_holds_for_skewed_waits(probability: float) -> None:
    rng, n, draws = np.random.default_rng(5), 80, 3000
    truth = float(np.exp({0.5: 0.0, 0.9: 1.2815515655446004 * 1.5}[probability]))
    ranks = quantile_ranks(n, probability)
    assert ranks.low is not None and ranks.high is not None
    waits = np.sort(rng.lognormal(0, 1.5, (draws, n)), axis=1)
    held = (waits[:, ranks.low - 1] <= truth) & (truth <= waits[:, ranks.high - 1])
    assert 0.94 <= held.mean() <= 0.985


@pytest.mark.parametrize("n", [997, 1_000_000])
def test_large_samples_are_near_the_normal_ranks(n: int) -> None:
    found = quantile_ranks(n, 0.5)
    assert found.low is not None and found.high is not None
    half = 1.959964 * (n**0.5) / 2
    assert abs(found.low - (n / 2 - half)) <= 2 and abs(found.high - (n / 2 + half)) <= 2
