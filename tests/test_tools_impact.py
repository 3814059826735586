from collections.abc import Iterator
from pathlib import Path

import pytest

from store.facts import Find
from store.records import Customer, Priority, Sentiment
from tests.retention_world import World
from tools.customers import customer_360
from tools.impact import business_priorities
from tools.registry import spec
from tools.search import search_feedback

SEARCH, ALL = spec(search_feedback), spec(customer_360)
BAD, GOOD = Sentiment.NEGATIVE, Sentiment.POSITIVE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_the_same_words_weigh_more_from_a_large_customer_who_has_complained_before(world: World) -> None:
    world.facts.add_customers([Customer(customer_id="large", tier="VIP", lifetime_value=200_000)])
    world.says("large", 20, "又慢了", BAD)
    world.says("large", 40, "上个月也慢", BAD)
    first = world.says("large", 2, "加载太慢", BAD)
    second = world.says("small", 2, "加载太慢", BAD)
    result = SEARCH.run({"contains": ["加载太慢"]}, world.context())
    found = {one["id"]: one["business_priority"] for one in result.data["items"]}
    assert found[second] == {
        "level": "normal",
        "points": 10,
        "parts": [
            {"name": "text", "value": "normal", "points": 0},
            {"name": "concern", "value": "negative", "points": 10},
        ],
    }
    parts = {part["name"]: part for part in found[first]["parts"]}
    assert found[first]["level"] == "important"
    assert (parts["tier"]["value"], parts["lifetime_value"]["value"]) == ("VIP", 200_000)
    assert parts["repeated"]["value"] == 1
    assert found[first]["points"] == sum(part["points"] for part in parts.values())


def test_items_without_labels_have_no_business_priority_and_praise_has_none_to_speak_of(world: World) -> None:
    scored = world.says("c", 1, nps=3)
    praised = world.says("c", 1, "很好", GOOD)
    context = world.context()
    found = business_priorities(context.facts.find(Find()), context)
    assert scored not in found
    assert (found[praised]["level"], found[praised]["points"]) == ("normal", 0)


def test_the_gravest_concerns_of_a_customer_come_first(world: World) -> None:
    world.says("c", 9, "有点慢", BAD)
    grave = world.says("c", 5, "要起诉你们", BAD, priority=Priority.URGENT)
    world.says("c", 3, "挺好", GOOD)
    found = ALL.run({"customer_id": "c"}, world.context()).data["concerns"]
    assert found[0]["feedback_id"] == grave
    assert len(found) == 2
    assert all(one["points"] == sum(part["points"] for part in one["parts"]) for one in found)
