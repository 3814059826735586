import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from analytics.distributions import binomial_two_sided, normal_two_sided, t_quantile, t_two_sided
from analytics.estimates import Kind, count, difference, estimate, mean, proportion
from analytics.rates import rate_ratio
from analytics.sums import Sums
from store.errors import InputError


def sums(values: "np.ndarray[tuple[int], np.dtype[np.float64]] | list[float]") -> Sums:
    numbers = np.asarray(values, dtype=float)
    return Sums(len(numbers), float(numbers.sum()), float((numbers**2).sum()))


@pytest.mark.parametrize("df", [1, 2.5, 7, 30, 400, 1e5, 1e8])
def test_student_agrees_with_scipy(df: float) -> None:
    assert t_quantile(0.975, df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-6)
    for t in (0.0, 0.3, 2, 9, 25):
        assert t_two_sided(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-6)


def test_tails_agree_with_scipy() -> None:
    assert normal_two_sided(-8) == pytest.approx(2 * stats.norm.sf(8), rel=1e-9)
    for k, n, p in [(0, 9, 0.4), (9, 9, 0.4), (7, 50, 0.05), (30, 100, 0.5)]:
        expected = min(1.0, 2 * min(stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p)))
        assert binomial_two_sided(k, n, p) == pytest.approx(expected, rel=1e-9)


def test_mean_agrees_with_scipy() -> None:
    values = np.array([3.0, 4, 4, 5, 1, 2, 5])
    low, high = stats.t.interval(0.95, 6, values.mean(), stats.sem(values))
    found = mean(*sums(values))
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((values.mean(), low, high))


def test_proportion_and_count_agree_with_published_figures() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 857): 81 of 263 and 0 of 20, Wilson without correction.
    found = proportion(263, 81)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    found = proportion(20, 0)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.0, 0.1611), abs=5e-5)
    exact = stats.chi2.ppf([0.025, 0.975], [20, 22]) / 2
    assert (count(10).ci_low, count(10).ci_high) == pytest.approx(tuple(exact), rel=0.01)


def test_difference_of_proportions_agrees_with_newcombe() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 873), method 10: 56/70 - 48/80.
    found = difference("proportion", Sums(80, 48, 48), Sums(70, 56, 56))
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert found.significant


def test_difference_of_means_agrees_with_welch() -> None:
    first, second = np.array([5.0, 4, 4, 3, 5, 5]), np.array([2.0, 3, 3, 5, 1, 2, 4, 2])
    interval = stats.ttest_ind(second, first, equal_var=False).confidence_interval()
    found = difference("mean", sums(first), sums(second))
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("kind", ["nps", "mean", "proportion"])
def test_nothing_in_gives_no_figure_and_a_reason(kind: Kind) -> None:
    empty = Sums(0, 0, 0)
    found = estimate(kind, empty)
    assert found.value is None and found.ci_low is None and found.reason
    change = difference(kind, empty, Sums(5, 2, 2))
    assert change.value is None and not change.significant and change.reason == "no items before"


def test_a_mean_without_spread_claims_no_interval() -> None:
    assert mean(1, 4, 16).reason == "one value has no interval"
    same = mean(40, 200, 1000)
    assert same.value == 5 and same.ci_low is None and same.reason
    change = difference("mean", Sums(40, 200, 1000), Sums(40, 160, 640))
    assert change.value == -1 and change.ci_low is None and not change.significant


def test_what_is_not_a_proportion_is_refused() -> None:
    with pytest.raises(InputError):
        proportion(5, 6)


def test_rate_ratio() -> None:
    doubled = rate_ratio(100, 200)
    assert doubled.ratio == 2 and doubled.p_value < 1e-6 and doubled.ci_low > 1.5
    assert rate_ratio(100, 200, exposure_before=30, exposure_after=60).p_value > 0.9
    first = rate_ratio(0, 4)
    assert first.ratio is None and first.p_value == pytest.approx(0.125)
    assert rate_ratio(0, 0).p_value == 1
    with pytest.raises(InputError):
        rate_ratio(1, 1, exposure_before=0)


def _nps(random: np.random.Generator, n: int, move: float) -> Sums:
    return sums(random.choice([-1.0, 0, 1], n, p=[0.2 + move, 0.3, 0.5 - move]))


def _share(random: np.random.Generator, n: int, move: float) -> Sums:
    return sums((random.random(n) < 0.2 + move).astype(float))


def _score(random: np.random.Generator, n: int, move: float) -> Sums:
    return sums(random.normal(4 + move, 1, n))


@pytest.mark.parametrize(
    ("kind", "draw", "move", "truth"),
    [("nps", _nps, 0.1, -20.0), ("proportion", _share, 0.1, 0.1), ("mean", _score, 0.4, 0.4)],
)
def test_difference_intervals_cover(
    kind: Kind, draw: Callable[[np.random.Generator, int, float], Sums], move: float, truth: float
) -> None:
    random = np.random.default_rng(11)
    covered = 0
    for _ in range(1500):
        found = difference(kind, draw(random, 40, 0.0), draw(random, 60, move))
        assert found.ci_low is not None and found.ci_high is not None
        covered += found.ci_low <= truth <= found.ci_high
    assert 0.93 <= covered / 1500 <= 0.98


def test_no_change_is_rarely_significant() -> None:
    random = np.random.default_rng(3)
    hits = sum(difference("nps", _nps(random, 80, 0), _nps(random, 80, 0)).significant for _ in range(1500))
    assert 0.02 <= hits / 1500 <= 0.07


def test_sums_pool_and_split() -> None:
    first, second = sums([1.0, 2]), sums([4.0, 4, 5])
    assert first + second - second == first
    assert (first + second).mean == pytest.approx(3.2)
    assert math.isnan(Sums(0, 0, 0).mean) and math.isnan(Sums(1, 3, 9).variance)
