"""Forecasts of simulated series: intervals hold, the week's rhythm is kept, bounds are bounds."""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.forecasts import LEAST_DAYS, forecast_days

FIRST = date(2026, 3, 2)


def series(seed: int, days: int = 120) -> list[float]:
    rng = np.random.default_rng(seed)
    weekly = [0.1 if (FIRST + timedelta(days=n)).weekday() >= 5 else 0.0 for n in range(days)]
    return [0.4 + 0.001 * n + weekly[n] + float(rng.normal()) * 0.03 for n in range(days)]


def test_intervals_hold_most_of_what_came_and_the_naive_forecast_is_beaten() -> None:
    held, better = [], 0
    for seed in range(8):
        values = series(seed)
        found = forecast_days(FIRST, values[:106], 14)
        assert found is not None and len(found.days) == 14
        assert found.days[0].day == FIRST + timedelta(days=106)
        held += [one.low <= truth <= one.high for one, truth in zip(found.days, values[106:], strict=True)]
        better += found.mean_absolute_error <= found.naive_error
    assert np.mean(held) >= 0.85
    assert better >= 7


def test_weekends_stay_weekends() -> None:
    found = forecast_days(FIRST, series(1), 14)
    assert found is not None
    week = {one.day.weekday(): one.value for one in found.days[:7]}
    assert min(week[5], week[6]) > max(week[day] for day in range(5))


def test_counts_are_never_negative_and_shares_stay_in_bounds() -> None:
    rng = np.random.default_rng(5)
    counts = forecast_days(FIRST, rng.poisson(1.5, 60).tolist(), 30, low=0.0, counts=True)
    assert counts is not None and min(one.low for one in counts.days) >= 0
    shares = forecast_days(FIRST, [0.99] * 59 + [0.2], 30, low=0.0, high=1.0)
    assert shares is not None and max(one.high for one in shares.days) <= 1
    assert shares.days[-1].high - shares.days[-1].low >= 0


def test_a_short_history_gives_none() -> None:
    assert forecast_days(FIRST, [1.0] * (LEAST_DAYS - 1), 7) is None
    constant = forecast_days(FIRST, [4.0] * 60, 7)
    assert constant is not None and constant.days[0].value == pytest.approx(4.0)
