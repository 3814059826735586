import random

import pytest

from analytics.pooling import pool
from store.errors import InputError


def test_equal_estimates_give_the_fixed_effect_mean() -> None:
    one = pool([(2.0, 1.0, 3.0)])
    four = pool([(2.0, 1.0, 3.0)] * 4)
    assert one is not None and four is not None
    assert (one.value, one.low, one.high, one.n, one.between) == pytest.approx((2.0, 1.0, 3.0, 1, 0.0))
    assert (four.value, four.low, four.high, four.between) == pytest.approx((2.0, 1.5, 2.5, 0.0))


def test_the_surer_estimate_weighs_more() -> None:
    found = pool([(0.0, -0.1, 0.1), (0.1, -0.9, 1.1)])
    assert found is not None
    # Variances 1 : 100, so the weights are 100 : 1; they do not disagree.
    assert found.value == pytest.approx(0.1 / 101) and found.between == 0.0


def test_a_worked_example_of_the_random_effects_mean() -> None:
    # Variances 1 and 1, values 0 and 4: Q = 8, C = 2 - 2 / 2 = 1, between = 7; each weight 1 / 8.
    z = 1.959963984540054
    found = pool([(0.0, -z, z), (4.0, 4 - z, 4 + z)])
    assert found is not None
    assert (found.value, found.between) == pytest.approx((2.0, 7.0))
    assert found.high - found.low == pytest.approx(2 * z * 2.0)


def test_the_interval_covers_the_true_effect_as_often_as_it_says() -> None:
    draw = random.Random(3)
    covered = 0
    for _ in range(1500):
        estimates = []
        for _ in range(8):
            error = draw.uniform(0.5, 2.0)
            value = draw.gauss(1.0, error)
            estimates.append((value, value - 1.96 * error, value + 1.96 * error))
        found = pool(estimates)
        assert found is not None
        covered += found.low <= 1.0 <= found.high
    assert 0.93 <= covered / 1500 <= 0.985


def test_nothing_and_estimates_without_width() -> None:
    assert pool([]) is None
    with pytest.raises(InputError):
        pool([(1.0, 1.0, 1.0)])
