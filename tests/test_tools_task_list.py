"""The list of tasks: which are due first, which are overdue, how they stand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.clock import FixedClock
from store.records import Customer, Sentiment
from tests.retention_world import NOW, World
from tools.context import Asker
from tools.registry import spec
from tools.task_list import list_tasks
from tools.tasks import create_retention_task

CREATE = spec(create_retention_task, acts=True, role="analyst")
LIST = spec(list_tasks)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.says("red", 0.1, "客服一直推脱，我要解约", Sentiment.NEGATIVE, signals=("cancel",))
    made.says("orange", 1, "别家更便宜", Sentiment.NEGATIVE, signals=("competitor",))
    made.facts.add_customers([Customer(customer_id="orange", owner="李经理")])
    CREATE.run({"customer_ids": ["red", "orange"]}, made.context())
    yield made
    made.close()


def listed(world: World, hours: float = 0, **args: Any) -> dict[str, Any]:
    return LIST.run(args, world.context(clock=FixedClock(NOW + timedelta(hours=hours)))).data


def test_the_most_pressing_comes_first_and_counts_are_of_all(world: World) -> None:
    data = listed(world, limit=1)
    assert [task["customer_id"] for task in data["tasks"]] == ["red"]
    assert (data["all"], data["overdue"], data["by_status"]) == (2, 0, {"pending_approval": 2})


def test_what_is_past_its_deadline_is_overdue(world: World) -> None:
    data = listed(world, hours=3, status="overdue")
    assert [(task["customer_id"], task["overdue"]) for task in data["tasks"]] == [("red", True)]
    assert data["overdue"] == 1


def test_a_done_task_is_neither_undone_nor_overdue(world: World) -> None:
    [red] = [task for task in world.operations.tasks() if task.customer_id == "red"]
    CREATE.run({"customer_ids": ["red"]}, world.context(asker=Asker("max", "manager"), approved=True))
    assert listed(world, status="open")["tasks"][0]["task_id"] == red.task_id
    assert listed(world, hours=3, customer_ids=["orange"])["overdue"] == 0


def test_by_owner_and_customer(world: World) -> None:
    assert [t["customer_id"] for t in listed(world, owner="李经理")["tasks"]] == ["orange"]
    assert listed(world, customer_ids=["nobody"])["all"] == 0
