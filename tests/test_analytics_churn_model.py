"""The churn model learns in the order of time, tells honest odds, and leaves out what gives the answer away."""

import numpy as np
import pytest

from analytics.churn_model import ChurnRows, fit_churn, judge
from analytics.ranking import auc, auc_difference


def rows(seed: int = 1, n: int = 6000, *, leak: bool = False) -> ChurnRows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    left = rng.random(n) < 1 / (1 + np.exp(-(1.2 * x[:, 0] - 0.8 * x[:, 1] - 2.5)))
    x[rng.random(n) < 0.2, 1] = np.nan
    names: tuple[str, ...] = ("trouble", "use", "nothing")
    if leak:
        names, x = (*names, "closed"), np.column_stack([x, left + rng.normal(scale=0.05, size=n)])
    return ChurnRows(names, x, left, np.arange(n) * 4 // n)


def test_it_finds_what_matters_and_its_odds_come_true() -> None:
    fitted = fit_churn(rows())
    judged = fitted.judged
    assert judged.auc.value is not None and judged.auc.value > 0.75
    assert judged.ece < 0.03 and judged.brier < judged.brier_same
    weights = dict(zip(fitted.model.names, fitted.model.weights.tolist(), strict=True))
    assert weights["trouble"] > 0.5 > 0.1 > abs(weights["nothing"]) and weights["use"] < -0.3
    fresh = rows(seed=2)
    after = judge(fresh.left, fitted.model.probability(fresh.x))
    assert after.ece < 0.03 and sum(one.n for one in after.bins) == len(fresh.left)


def test_contributions_add_up_to_the_log_odds() -> None:
    model = fit_churn(rows()).model
    x = rows(seed=3).x[:5]
    base = model.slope * model.intercept + model.shift
    assert model.contributions(x).sum(axis=1) + base == pytest.approx(model.log_odds(x))
    unknown = np.array([[0.0, np.nan, 0.0]])
    assert model.contributions(unknown)[0, 1] == 0


def test_a_column_that_tells_nearly_all_is_left_out() -> None:
    fitted = fit_churn(rows(leak=True))
    assert fitted.suspected == ("closed",) and "closed" not in fitted.model.names
    assert fitted.judged.auc.value is not None and fitted.judged.auc.value < 0.95


def test_the_newest_cutoff_changes_no_judged_probability() -> None:
    given = rows()
    newest = given.cutoff == given.cutoff.max()
    other = ChurnRows(given.names, given.x, np.where(newest, ~given.left, given.left), given.cutoff)
    assert fit_churn(given).held_out == pytest.approx(fit_churn(other).held_out)


def test_the_area_is_that_of_all_pairs_and_its_interval_covers() -> None:
    rng = np.random.default_rng(4)
    truth = rng.random(200) < 0.3
    score = np.round(rng.normal(size=200) + truth, 1)
    pairs = (score[truth][:, None] > score[~truth]) + 0.5 * (score[truth][:, None] == score[~truth])
    found = auc(truth, score)
    assert found.value == pytest.approx(pairs.mean())
    assert found.ci_low is not None and found.ci_high is not None
    assert 0 < found.ci_low < pairs.mean() < found.ci_high < 1
    inside = 0
    for seed in range(300):
        draw = np.random.default_rng(seed)
        kind = np.arange(120) < 40
        one = auc(kind, draw.normal(size=120) + kind)
        assert one.ci_low is not None and one.ci_high is not None
        # The area of two normals one deviation apart: Phi(1 / sqrt 2).
        inside += one.ci_low <= 0.7602 <= one.ci_high
    assert 0.92 <= inside / 300 <= 0.98


def test_two_rankings_of_the_same_rows() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(500) < 0.2
    good, noise = rng.normal(size=500) + 1.5 * truth, rng.normal(size=500)
    better = auc_difference(truth, noise, good)
    assert better.significant and better.ci_low is not None and better.ci_low > 0
    same = auc_difference(truth, good, 2 * good)
    assert same.value == 0 and not same.significant
    assert auc(np.zeros(3, dtype=np.bool_), np.arange(3.0)).value is None
