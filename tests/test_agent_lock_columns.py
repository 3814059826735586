"""Columns of any data as measures, names however they are written, and what was refused."""

from typing import Any

import pytest

from agent.number_lock import NumberLock, Source

GROUPS: dict[str, Any] = {
    "tool": "metric_stats",
    "period": {"from": "2013-01-01T00:00:00+00:00", "to": "2015-01-01T00:00:00+00:00"},
    "n": 90,
    "data": {
        "metric": "wifi_connectivity_rating",
        "title": "wifi_connectivity_rating",
        "kind": "mean",
        "value": 3.12,
        "n": 90,
        "groups": [
            {"key": "not given", "label": "not given", "keys": {"carrier": None}, "n": 30, "value": 1.5},
            {"key": "red-kite-air", "label": "red-kite-air", "keys": {"carrier": "red-kite-air"}, "n": 31, "value": 2.29},
            {"key": "grey-heron", "label": "grey-heron", "keys": {"carrier": "grey-heron"}, "n": 35, "value": 3.65},
        ],
    },
}  # fmt: skip
AGES: dict[str, Any] = {
    "tool": "metric_stats",
    "n": 90,
    "data": {"metric": "Age", "kind": "mean", "value": 43.4},
}


def kinds(text: str, said: tuple[str, ...] = (), asked: str = "") -> list[str]:
    lock = NumberLock(
        [Source("g", "metric_stats", {}, GROUPS), Source("a", "metric_stats", {}, AGES)], [asked], said
    )
    return [claim.kind for claim in lock.check(text).claims]


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("Red Kite Air has a Wi-Fi rating of 2.29.", "Red Kite Air has a Wi-Fi rating of 3.65.", "attribution"),
        ("The wifi connectivity rating is 3.12.", "The wifi connectivity rating is 3.21.", "figure"),
        ("Grey Heron 的评分最高。", "Red Kite Air 的评分最高。", "rank"),
        ("Red Kite Air 的评分最低。", "Grey Heron 的评分最低。", "rank"),
        ("Red Kite Air has a lower rating than Grey Heron.", "Red Kite Air has a higher rating than Grey Heron.", "rank"),
        ("The mean age is 43.4 years.", "The mean age is 43.4 minutes.", "unit"),
        ("| Grey Heron | 35 | 3.65 |", "| Grey Heron | 35 | 2.29 |", "attribution"),
    ],
)  # fmt: skip
def test_columns_and_groups_are_known_by_their_words(right: str, wrong: str, kind: str) -> None:
    assert kinds(right) == []
    assert kind in kinds(wrong)


def test_what_was_refused_may_be_told_word_for_word_and_no_further() -> None:
    said = ("There is no version 9.9.9; there are 5.2.1 and 5.3.0.",)
    assert kinds("There is no version 9.9.9; there are 5.2.1 and 5.3.0.", said) == []
    assert kinds("There is no version 9.9.9; there are 5.2.1 and 5.4.0.", said)


def test_words_that_the_person_wrote_may_be_quoted_and_are_no_value() -> None:
    assert kinds("The data has no “C424242”.", asked="How is C424242 doing?") == []
    assert kinds("The wifi connectivity rating is 9.", asked="Is the wifi connectivity rating 9?") != []
