"""Slope, rhythm and changes of level of simulated series."""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.trends import LEAST_DAYS, Point, find_trend

FIRST = date(2026, 3, 2)


def points(seed: int, *, slope: float = 0.0, step: float = 0.0, at: int = 60, days: int = 90) -> list[Point]:
    rng = np.random.default_rng(seed)
    found, error = [], 0.0
    for index in range(days):
        day = FIRST + timedelta(days=index)
        error = 0.3 * error + rng.normal() * 0.05
        value = 0.5 + slope * index + 0.08 * (day.weekday() >= 5) + error + (step if index >= at else 0)
        found.append(Point(day, value, 40))
    return found


def test_a_slope_is_found_with_its_interval() -> None:
    found = find_trend(points(1, slope=0.004))
    assert found is not None and found.direction == "rising"
    assert found.ci_low < 0.004 < found.ci_high


def test_without_a_slope_most_series_are_steady_and_have_no_changepoint() -> None:
    found = [find_trend(points(seed)) for seed in range(30)]
    assert sum(one is not None and one.direction == "steady" for one in found) >= 26
    assert sum(bool(one and one.changepoints) for one in found) <= 4


def test_a_lasting_change_of_level_is_dated() -> None:
    found = find_trend(points(2, step=0.3))
    assert found is not None and len(found.changepoints) == 1
    change = found.changepoints[0]
    assert abs((change.day - FIRST).days - 60) <= 2
    assert change.after - change.before == pytest.approx(0.3, abs=0.08)


def test_the_rhythm_of_the_week_is_told_where_there_is_one() -> None:
    found = find_trend(points(3))
    assert found is not None and found.weekday_effects is not None
    assert min(found.weekday_effects[5:]) > max(found.weekday_effects[:5])
    rng = np.random.default_rng(9)
    flat = [Point(FIRST + timedelta(days=n), float(rng.normal()), 9) for n in range(90)]
    plain = find_trend(flat)
    assert plain is not None and plain.weekday_effects is None


def test_short_series_say_nothing_constant_ones_are_steady_and_an_exact_line_has_its_slope() -> None:
    assert find_trend(points(1)[: LEAST_DAYS - 1]) is None
    constant = find_trend([Point(FIRST + timedelta(days=n), 3.0, 1) for n in range(40)])
    assert constant is not None and (constant.direction, constant.slope) == ("steady", 0.0)
    exact = find_trend([Point(FIRST + timedelta(days=n), 2.0 * n, 1) for n in range(40)])
    assert exact is not None and exact.slope == pytest.approx(2.0) and exact.direction == "rising"
