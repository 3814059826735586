"""The simulated year: drawn the same again, lived through the product's own scan, judged by what is true."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from evals.year_feed import Year, draw_year
from evals.year_keywords import alarmed_by_words
from evals.year_lives import read_plan
from evals.year_run import Raised, label_year, live_year
from evals.year_score import figures, monthly
from pipeline.embedded_classifier import EmbeddedClassifier
from retention.policy import load_policy
from store.records import Tier


@pytest.fixture(scope="module")
def plan() -> Mapping[str, Any]:
    few = {"customers": 30, "leavers": 10, "silent_leavers": 2, "recoverers": 3, "loud": 3, "days": 47}
    return {**read_plan("close"), **few}


@pytest.fixture(scope="module")
def year(plan: Mapping[str, Any]) -> Year:
    return draw_year(3, "tuned", plan)


def test_the_same_seed_gives_the_same_year_and_nobody_speaks_after_leaving(
    year: Year, plan: Mapping[str, Any]
) -> None:
    again = draw_year(3, "tuned", plan)
    assert again.items == year.items and again.events == year.events and again.lives == year.lives
    assert sum(life.leaves is not None for life in year.lives.values()) == 12
    for day, items in year.items.items():
        for item in items:
            leaves = year.lives[item.customer_id or ""].leaves
            assert leaves is None or day < leaves


def test_words_that_are_tuned_on_are_not_those_that_are_reported(plan: Mapping[str, Any]) -> None:
    from evals.wording import read_yaml

    for texts in read_yaml("year_words.yaml").values():
        for halves in texts.values():
            assert not set(halves["tuned"]) & set(halves["reported"])


def test_a_year_is_lived_through_the_scan(year: Year, tmp_path: Path) -> None:
    labels = label_year(year, EmbeddedClassifier().classify)
    lived = live_year(year, labels, tmp_path, load_policy())
    assert lived.raised and lived.learnt_on is None
    assert all(year.start <= one.day < year.end for one in lived.raised.values())
    found = figures(year, list(lived.raised.values()), year.start, year.end)
    assert found["precision"]["n"] == sum(one.person_day() is not None for one in lived.raised.values())


def test_who_is_called_for_nothing_and_who_is_found_in_time(year: Year) -> None:
    leaver = next(life for life in year.lives.values() if life.story == "leaver")
    content = next(life for life in year.lives.values() if life.story == "ordinary")
    assert leaver.leaves is not None
    early = leaver.leaves - timedelta(days=14)

    def raised(customer: str, day: date, tier: Tier = Tier.ORANGE) -> Raised:
        return Raised(customer + str(day), customer, {tier: day}, ("price",), 50.0, False)

    found = figures(year, [raised(leaver.customer_id, early)], year.start, year.end)
    assert (found["precision"]["value"], found["recall"]["hits"]) == (1.0, 1)
    late = figures(year, [raised(leaver.customer_id, early + timedelta(days=1))], year.start, year.end)
    assert (late["recall"]["hits"], late["recall_any_time"]["hits"]) == (0, 1)
    wrong = figures(year, [raised(content.customer_id, early)], year.start, year.end)
    assert wrong["precision"]["value"] == 0 and wrong["false_alarms"]["count"] == 1
    yellow = figures(year, [raised(content.customer_id, early, Tier.YELLOW)], year.start, year.end)
    assert yellow["precision"]["n"] == 0 and yellow["yellow_right"]["n"] == 1


def test_counts_a_month_have_an_exact_interval() -> None:
    rate = monthly(10, 5000, 365)
    assert rate["value"] == pytest.approx(10 / 5 / 12, rel=0.01)
    assert rate["low"] / rate["value"] == pytest.approx(0.4795, rel=0.01)
    assert rate["high"] / rate["value"] == pytest.approx(1.839, rel=0.01)
    assert monthly(0, 1000, 30)["low"] == 0


def test_keywords_alarm_once_a_fortnight(year: Year) -> None:
    by_customer: dict[str, list[date]] = {}
    for one in alarmed_by_words(year):
        by_customer.setdefault(one.customer_id, []).append(one.day)
    assert by_customer
    assert all(
        later - earlier >= timedelta(days=14)
        for days in by_customer.values()
        for earlier, later in pairwise(days)
    )
