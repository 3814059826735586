import math

import pytest

from analytics.heat import WEIGHTS, Activity, heat, trend


def test_weights_are_a_whole() -> None:
    assert math.fsum(WEIGHTS.values()) == pytest.approx(1)


def test_heat_by_hand() -> None:
    found = heat(Activity(95, 95, 1000, 1000, 38, recent=19, customers=90, all_customers=360))
    parts = {
        "volume": math.log(96) / math.log(1001),
        "growth": 0.5,
        "severity": 0.4,
        "reach": 0.5,
        "recency": 0.4,
    }
    assert found.parts == pytest.approx(parts)
    assert found.index == pytest.approx(100 * sum(WEIGHTS[name] * part for name, part in parts.items()))


def test_each_part_heats() -> None:
    calm = Activity(50, 50, 1000, 1000, 10, recent=12, customers=30, all_customers=500)
    hotter = [
        Activity(100, 100, 1000, 1000, 20, recent=24, customers=30, all_customers=500),
        Activity(50, 10, 1000, 1000, 10, recent=12, customers=30, all_customers=500),
        Activity(50, 50, 1000, 1000, 40, recent=12, customers=30, all_customers=500),
        Activity(50, 50, 1000, 1000, 10, recent=25, customers=30, all_customers=500),
        Activity(50, 50, 1000, 1000, 10, recent=12, customers=50, all_customers=500),
    ]
    assert all(heat(one).index > heat(calm).index for one in hotter)


def test_unknown_parts_are_left_out_and_the_index_stays_in_range() -> None:
    found = heat(Activity(10, 0, 10, 0, 10))
    assert set(found.parts) == {"volume", "growth", "severity"}
    assert 0 <= found.index <= 100
    assert heat(Activity(0, 5, 100, 100, 0)).index == 0


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (100, 160, "rising"),
        (160, 100, "falling"),
        (100, 112, "steady"),
        (2, 6, "steady"),
        (0, 12, "new"),
        (0, 4, "steady"),
        (0, 0, "steady"),
    ],
)
def test_trend_follows_significance_and_not_the_ratio(before: int, after: int, expected: str) -> None:
    assert trend(before, after) == expected


def test_trend_is_relative_to_exposure() -> None:
    assert trend(100, 200, exposure_before=1000, exposure_after=2000) == "steady"
    assert trend(100, 100, exposure_before=1000, exposure_after=2000) == "falling"
