"""Values far from the rest of their group."""

import random

from analytics.outliers import LEAST_VALUES, find_outliers


def test_a_far_value_is_found_with_the_range_that_is_not_far() -> None:
    values = [10.0 + n % 7 for n in range(50)] + [500.0, -300.0]
    found = find_outliers(values)
    assert found is not None and found.indices == (50, 51)
    assert found.low < 10 and found.high > 16 and found.middle == 13.0


def test_a_long_tail_is_no_outlier_by_itself() -> None:
    values = [float(1.1**n) for n in range(40)]
    found = find_outliers(values)
    assert found is not None and found.indices == ()


def test_few_values_or_no_spread_allow_no_judgement() -> None:
    assert find_outliers([1.0, 2.0, 300.0]) is None
    assert find_outliers([5.0] * 40 + [1.0, 2.0]) is None


def test_most_values_are_never_outliers() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        spread = rng.choice((0.5, 3.0, 40.0))
        values = [
            rng.lognormvariate(0, spread) * rng.choice((1, -1))
            for _ in range(rng.randrange(LEAST_VALUES, 60))
        ]
        found = find_outliers(values)
        assert found is None or len(found.indices) <= len(values) / 2
