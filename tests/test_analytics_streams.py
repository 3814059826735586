"""Points out of line in a stream: found at once, by their past only, and told once."""

import numpy as np

from analytics.streams import ALARM, score_stream


def hours(seed: int, days: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rhythm = 20 + 10 * np.sin(np.arange(24 * days) / 24 * 2 * np.pi)
    return rng.poisson(rhythm).astype(np.float64)


def test_a_burst_is_seen_at_its_first_hour_and_told_once() -> None:
    series = hours(1)
    series[700:706] += 150
    alarms = np.flatnonzero(score_stream(series, learn=144, per_day=24) >= ALARM)
    assert [at for at in alarms.tolist() if 700 <= at < 730] == [700]


def test_no_score_depends_on_what_comes_later() -> None:
    series = hours(2)
    whole = score_stream(series, learn=144, per_day=24)
    for end in (150, 400, 777):
        assert np.array_equal(score_stream(series[:end], learn=144, per_day=24), whole[:end])


def test_a_quiet_night_is_missed_by_level_and_seen_by_the_daily_rhythm() -> None:
    series = hours(3)
    series[24 * 30 + 2 : 24 * 30 + 12] = 0
    day = slice(24 * 30, 24 * 31)
    assert score_stream(series, learn=144, per_day=24)[day].max() >= ALARM


def test_too_short_or_flat_series_say_nothing() -> None:
    assert score_stream([], learn=100).shape == (0,)
    assert not score_stream(np.arange(40.0), learn=100).any()
    assert not score_stream(np.full(300, 7.0), learn=60, per_day=24).any()
