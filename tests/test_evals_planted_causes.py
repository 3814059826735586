"""Planted causes: worlds are what they claim to be, and what was named is scored by its items."""

import numpy as np
import pytest

from evals.planted_causes import ask, figures, same, scored
from evals.planted_worlds import ITEMS, make_world
from evals.wording import read_yaml


def test_seventy_worlds_hold_a_cause_and_thirty_do_not() -> None:
    data = read_yaml("planted_worlds.yaml")
    assert (sum(data["planted"].values()), sum(data["decoys"].values())) == (70, 30)


def test_one_seed_makes_one_world() -> None:
    first, second = (make_world("drop", 3, 11) for _ in range(2))
    assert first.conditions == second.conditions
    assert all(np.array_equal(first.columns[n], second.columns[n]) for n in ("region", "hour", "topic"))
    assert len(first.columns["region"]) == ITEMS


@pytest.mark.parametrize("kind", ["drop", "rise", "score", "level"])
def test_the_planted_items_did_get_worse(kind: str) -> None:
    world = make_world(kind, 5, 12)
    hit = world.mask(world.conditions)
    negative = world.columns["sentiment"] == "negative"
    assert world.conditions and hit.sum() >= 60
    assert negative[hit].mean() > negative[world.after & ~hit].mean() + 0.15


def test_a_drift_falls_on_everybody() -> None:
    world = make_world("drift", 2, 12)
    assert not world.planted and not world.conditions
    negative, before = world.columns["sentiment"] == "negative", ~world.after
    for channel in ("survey", "review"):
        mine = world.columns["channel"] == channel
        assert negative[mine & world.after].mean() > negative[mine & before].mean()


def test_another_name_for_the_same_items_is_right_and_a_wider_one_is_not() -> None:
    world = make_world("drop", 3, 11)
    world.conditions = {"city": str(world.columns["city"][0])}
    assert same(world, {**world.conditions, "region": str(world.columns["region"][0])})
    assert not same(world, {"region": str(world.columns["region"][0])})
    assert not same(world, {"no such dimension": "x"})


def test_the_tool_is_asked_over_a_store() -> None:
    world = make_world("rise", 2, 21)
    answer = scored(world, ask(world, 21))
    assert answer["rank"] == 1
    found = figures([answer])
    assert (found["top1"]["hits"], found["top1"]["n"]) == (1, 1)
    assert found["false_causes"]["n"] == 0
