"""Drivers from sums of products alone: the same as from the rows, fair among correlated factors."""

import numpy as np
import pytest

from analytics.drivers import find_drivers, relative_weights


def moments(rows: np.ndarray) -> tuple[int, list[float], list[list[float]]]:
    return len(rows), rows.sum(axis=0).tolist(), (rows.T @ rows).tolist()


def world(seed: int = 0, n: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    seat, food = rng.normal(size=(2, n))
    crew = 0.9 * food + 0.45 * rng.normal(size=n)
    noise = rng.normal(size=n)
    return np.column_stack((2.0 * seat + 1.0 * food + noise, seat, food, crew, rng.normal(size=n)))


def test_coefficients_are_those_of_least_squares_on_the_rows() -> None:
    rows = world()
    found = find_drivers(*moments(rows))
    assert found is not None
    design = np.column_stack((np.ones(len(rows)), rows[:, 1:]))
    expected = np.linalg.lstsq(design, rows[:, 0], rcond=None)[0][1:]
    for one in found.drivers:
        assert one.coefficient == pytest.approx(expected[one.index], abs=1e-6)
        assert one.ci_low < expected[one.index] < one.ci_high
    assert found.r2 == pytest.approx(5 / 6, abs=0.02) and found.n == len(rows)


def test_importance_adds_up_ranks_and_is_shared_by_factors_that_go_together() -> None:
    found = find_drivers(*moments(world()))
    assert found is not None
    by_index = {one.index: one for one in found.drivers}
    assert found.drivers[0].index == 0
    assert sum(one.importance for one in found.drivers) == pytest.approx(1)
    # The crew has no effect of its own but goes with the food: it gets a share, an idle factor none.
    assert by_index[2].importance > 0.03 > by_index[3].importance
    assert by_index[2].vif > 3 and abs(by_index[2].coefficient) < 0.15
    assert all(one.importance_low <= one.importance <= one.importance_high + 1e-9 for one in found.drivers)


def test_intervals_of_importance_hold_the_truth_nineteen_times_in_twenty() -> None:
    truth = find_drivers(*moments(world(99, 400_000)))
    assert truth is not None
    wanted = {one.index: one.importance for one in truth.drivers}
    held = [
        one.importance_low <= wanted[one.index] <= one.importance_high
        for seed in range(25)
        for one in getattr(find_drivers(*moments(world(seed, 600))), "drivers", ())
        if one.index < 3
    ]
    assert len(held) == 75 and np.mean(held) >= 0.88


def test_constant_and_doubled_factors_are_left_out() -> None:
    rows = world()
    rows = np.column_stack((rows, np.ones(len(rows)), 2 * rows[:, 1] - rows[:, 2]))
    found = find_drivers(*moments(rows))
    assert found is not None and found.left_out == (4, 5)


def test_too_few_rows_or_a_constant_outcome_say_nothing() -> None:
    assert find_drivers(*moments(world(n=41))) is None
    flat = world()
    flat[:, 0] = 7
    assert find_drivers(*moments(flat)) is None


def test_uncorrelated_factors_share_by_their_squared_correlation() -> None:
    matrix = np.array([[1, 0.6, 0.3], [0.6, 1, 0], [0.3, 0, 1]])
    shares, r2 = relative_weights(matrix)
    assert shares == pytest.approx([0.36 / 0.45, 0.09 / 0.45]) and r2 == pytest.approx(0.45)
