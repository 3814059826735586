"""Counts of many groups: small bursts found, rhythm and noise left alone, at the stated rate."""

import numpy as np
import pytest

from analytics.surveillance import RARE, discoveries, tail, watch_counts

DAYS = 120
WEEKDAYS = np.arange(DAYS) % 7
WEEKEND = np.where(WEEKDAYS >= 5, 1.6, 1.0)


def noise(level: float, groups: int = 200, seed: int = 5, shape: float | None = None) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rates = level * WEEKEND * np.ones((groups, 1))
    if shape is not None:
        rates = rates * rng.gamma(shape, 1 / shape, rates.shape)
    return rng.poisson(rates).astype(np.float64)


def together(counts: np.ndarray) -> np.ndarray:
    return np.zeros(len(counts), dtype=np.int64)


def test_a_burst_of_a_few_items_is_named_on_its_day_and_alone() -> None:
    counts = noise(0.5)
    counts[17, 90] = 8
    watched = watch_counts(counts, WEEKDAYS, together(counts))
    assert np.flatnonzero(watched.day[:, 90]).tolist() == [17]
    assert watched.expected[17, 90] < 2


def test_a_slow_rise_shows_in_the_week_and_in_no_single_day() -> None:
    counts = noise(1.0)
    counts[3, 90:97] = 5
    watched = watch_counts(counts, WEEKDAYS, together(counts))
    assert not watched.day[3, 90:97].any() and watched.week[3, 92:97].any()
    assert watched.week_observed[3, 96] == 35 and watched.week_expected[3, 96] < 14


def test_no_figure_depends_on_what_comes_later() -> None:
    counts = noise(4.0, groups=20)
    counts[2, 60:64] = 40
    whole = watch_counts(counts, WEEKDAYS, together(counts))
    for end in (40, 62, 90):
        part = watch_counts(counts[:, :end], WEEKDAYS[:end], together(counts))
        assert np.array_equal(part.p_day, whole.p_day[:, :end])
        assert np.array_equal(part.week, whole.week[:, :end])


@pytest.mark.parametrize("level", [0.3, 5.0, 100.0])
@pytest.mark.parametrize("shape", [None, 50.0, 10.0])
def test_noise_is_as_rare_as_its_p_value_says(level: float, shape: float | None) -> None:
    counts = noise(level, shape=shape)
    watched = watch_counts(counts, WEEKDAYS, together(counts))
    # Some 20,000 days: the standard error of a share of 0.005 is 0.0005. Counts are discrete: fewer are rare.
    assert (watched.p_day[:, 21:] < RARE).mean() < 0.0065
    assert (watched.p_week[:, 21:] < RARE).mean() < 0.0065
    # A day on which nothing happened should name one in 5 times; the far tail of restless noise is heavier.
    named = watched.day[:, 14:] | watched.week[:, 14:]
    assert named.any(axis=0).mean() <= (0.2 if shape is None else 0.3)
    assert named.sum() / len(counts) / (DAYS / 30.4) < 0.05


def test_a_constant_series_and_a_strict_weekly_rhythm_are_quiet() -> None:
    constant = np.full((2, DAYS), 6.0)
    rhythm = np.where(WEEKDAYS >= 5, 40.0, 10.0) * np.ones((2, 1))
    silent = np.zeros((2, DAYS))
    for counts in (constant, rhythm, silent):
        watched = watch_counts(counts, WEEKDAYS, together(counts), sides="both")
        assert not watched.day.any() and not watched.week.any()


def test_what_goes_on_for_two_weeks_is_the_new_level() -> None:
    counts = noise(20.0, groups=5)
    counts[0, 60:] *= 3
    named = watch_counts(counts, WEEKDAYS, together(counts), sides="both").day[0]
    assert named[60:72].sum() >= 11 and named[78:].sum() <= 2


def test_too_little_past_says_nothing() -> None:
    counts = noise(3.0)[:, :14]
    watched = watch_counts(counts, WEEKDAYS[:14], together(counts))
    assert np.isnan(watched.expected).all() and (watched.p_day == 1).all() and not watched.week.any()


def test_tails_are_those_of_the_negative_binomial_and_of_poisson() -> None:
    from scipy.stats import nbinom, poisson

    counts, mean = np.array([9.0, 2.0, 0.0]), np.array([4.0, 4.0, 4.0])
    upper = tail(counts, mean, np.array([8.0, 8.0, 8.0]), "up")
    assert upper == pytest.approx([nbinom.sf(8, 4, 0.5), 1, 1])
    both = tail(counts, mean, mean, "both")
    assert both == pytest.approx(
        [2 * poisson.sf(8, 4), 2 * poisson.cdf(2, 4), 2 * poisson.cdf(0, 4)], rel=1e-4
    )


def test_each_family_has_its_part_of_the_false_ones() -> None:
    p_values = np.concatenate(([0.002], np.full(9, 0.5), np.full(990, 0.9)))
    one, two = np.zeros(1000, dtype=np.int64), np.repeat([0, 1], [10, 990])
    assert not discoveries(p_values, one, 0.1).any()
    assert discoveries(p_values, two, 0.1).tolist() == [True] + [False] * 999
    assert not discoveries(np.array([0.01]), np.zeros(1, dtype=np.int64), 0.1).any()
