"""A logistic regression that starts from a belief and moves as far as the rows carry it."""

import numpy as np
import pytest

from analytics.prior_logistic import fit_prior_logistic
from store.errors import InputError


def test_without_rows_the_belief_stays_with_its_spread() -> None:
    found = fit_prior_logistic(
        np.zeros((0, 2)), np.zeros(0, dtype=bool), np.array([1.0, -2.0]), np.array([0.5, 3.0])
    )
    assert found.mode == pytest.approx([1.0, -2.0]) and found.spread == pytest.approx([0.5, 3.0])


def test_with_many_rows_and_a_wide_belief_it_is_the_plain_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(4000), rng.normal(size=(4000, 2))])
    right = rng.random(4000) < 1 / (1 + np.exp(-(x @ [0.4, 1.2, -0.7])))
    ours = fit_prior_logistic(x, right, np.zeros(3), np.full(3, 100.0))
    theirs = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-10).fit(x, right)
    assert ours.mode == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert np.all(np.abs(ours.mode - [0.4, 1.2, -0.7]) < 3 * ours.spread)
    assert ours.log_odds(x[:1])[0] == pytest.approx(float(x[0] @ ours.mode))


def test_a_narrow_belief_is_moved_less_and_a_weight_of_two_is_the_row_twice() -> None:
    x, right = np.ones((10, 1)), np.array([True] * 9 + [False])
    modes = [fit_prior_logistic(x, right, np.zeros(1), np.array([sd])).mode[0] for sd in (0.1, 1.0, 10.0)]
    assert 0 < modes[0] < modes[1] < modes[2] < np.log(9)
    twice = fit_prior_logistic(np.ones((20, 1)), np.concatenate([right, right]), np.zeros(1), np.ones(1)).mode
    weighed = fit_prior_logistic(x, right, np.zeros(1), np.ones(1), np.full(10, 2.0)).mode
    assert weighed == pytest.approx(twice)


def test_rows_that_are_told_apart_exactly_have_a_mode_all_the_same() -> None:
    x = np.column_stack([np.ones(40), np.linspace(-400, 400, 40)])
    found = fit_prior_logistic(x, x[:, 1] > 0, np.array([0.0, 1.0]), np.ones(2))
    assert np.all(np.isfinite(found.mode)) and np.all(found.log_odds(x[-1:]) > 0)


def test_a_belief_without_width_is_refused() -> None:
    with pytest.raises(InputError, match="above zero"):
        fit_prior_logistic(np.ones((1, 1)), np.array([True]), np.zeros(1), np.zeros(1))
