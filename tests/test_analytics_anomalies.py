"""Days out of line: found within a day of the burst, silent otherwise."""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.anomalies import Anomaly, find_anomalies, score_days
from analytics.estimates import Kind
from analytics.sums import Sums

FIRST = date(2026, 3, 2)


def counts(seed: int, *, level: float = 30, burst: int | None = None, days: int = 120) -> dict[date, Sums]:
    rng = np.random.default_rng(seed)
    found = {}
    for step in range(days):
        day = FIRST + timedelta(days=step)
        rate = level * (1.4 if day.weekday() >= 5 else 1.0) * rng.gamma(50, 1 / 50)
        if burst is not None and burst <= step < burst + 3:
            rate *= 2.5
        found[day] = Sums(int(rng.poisson(rate)), 0.0, 0.0)
    return found


def alone(kind: Kind, daily: dict[date, Sums], min_n: int = 5) -> list[Anomaly]:
    return [found for _, found in find_anomalies(kind, {"": daily}, min_n=min_n)]


def test_a_burst_is_seen_on_its_first_days_and_its_end_is_told() -> None:
    for seed in range(6):
        start = FIRST + timedelta(days=90)
        first = alone("count", counts(seed, burst=90))[0]
        assert start <= first.start <= start + timedelta(days=1)
        assert first.end <= start + timedelta(days=4)
        assert first.direction == "up" and first.observed > 1.5 * first.expected


def test_weekends_and_chance_raise_few_alarms() -> None:
    alarms = sum(len(alone("count", counts(seed))) for seed in range(20))
    # 20 series of some 3.5 months each: at most one alarm in a series-month would be 70.
    assert alarms <= 20


def test_a_slump_of_a_share_is_seen_with_its_direction() -> None:
    rng = np.random.default_rng(2)
    daily = {}
    for step in range(80):
        hits = int(rng.binomial(60, 0.6 if step < 70 else 0.25))
        daily[FIRST + timedelta(days=step)] = Sums(60, hits, hits)
    found = alone("proportion", daily)
    assert found[0].direction == "down" and found[0].start == FIRST + timedelta(days=70)
    assert found[0].observed == pytest.approx(0.25, abs=0.08)


def test_nps_is_told_in_points() -> None:
    rng = np.random.default_rng(3)
    daily = {}
    for step in range(60):
        scores = rng.choice((-1, 0, 1), size=80, p=(0.2, 0.3, 0.5) if step < 58 else (0.7, 0.2, 0.1))
        daily[FIRST + timedelta(days=step)] = Sums(80, float(scores.sum()), float((scores**2).sum()))
    worst = alone("nps", daily)[0]
    assert worst.expected == pytest.approx(30, abs=10) and worst.observed == pytest.approx(-60, abs=15)


def test_a_new_level_becomes_normal_after_two_weeks() -> None:
    rng = np.random.default_rng(4)
    daily = {
        FIRST + timedelta(days=step): Sums(int(rng.poisson(20 if step < 60 else 60)), 0.0, 0.0)
        for step in range(140)
    }
    last = max(one.end for one in alone("count", daily))
    assert last < FIRST + timedelta(days=100)


def test_missing_days_are_zeros_for_counts_and_nothing_for_shares() -> None:
    daily = {FIRST + timedelta(days=step): Sums(20, 10, 10) for step in range(40) if step != 30}
    hole = FIRST + timedelta(days=30)
    assert [one.start for one in alone("count", daily)] == [hole]
    assert hole not in {one.day for one in score_days("proportion", daily)}


@pytest.mark.parametrize("kind", ["count", "proportion", "mean", "nps"])
def test_little_or_no_past_says_nothing(kind: Kind) -> None:
    assert alone(kind, {}) == []
    few = {FIRST + timedelta(days=step): Sums(5, 2, 2) for step in range(14)}
    assert alone(kind, few) == []


def test_small_groups_raise_no_alarm() -> None:
    daily = {FIRST + timedelta(days=step): Sums(0 if step < 40 else 4, 0, 0) for step in range(41)}
    daily[FIRST] = Sums(1, 0, 0)
    assert alone("count", daily, min_n=5) == []
    assert alone("count", daily, min_n=4) != []
