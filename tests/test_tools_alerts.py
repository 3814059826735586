"""The tools of alerts: what they list, how verdicts add up, what a message needs, and who may do what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retention.alert_scan import AlertScan
from retention.policy import load_policy
from retention.precision import precision
from store.clock import FixedClock
from store.errors import NotPermitted, ToolInputError
from store.records import Sentiment, TaskStatus
from tests.retention_world import NOW, ZONE, World
from tools.catalogue import run_tool
from tools.context import Asker

BAD = Sentiment.NEGATIVE
ANALYST, MANAGER = Asker("ana", "analyst"), Asker("max", "manager")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.says("red", 0.1, "客服一直推脱，我要解约", BAD, signals=("cancel",))
    made.says("orange", 1, "别家更便宜", BAD, signals=("competitor",))
    made.says("late", 1, "太贵了", BAD, signals=("price",))
    made.context()
    AlertScan(made.facts, made.operations, FixedClock(NOW), ZONE, {}, load_policy).run()
    yield made
    made.close()


def call(world: World, name: str, asker: Asker = ANALYST, **args: Any) -> dict[str, Any]:
    return run_tool(name, args, world.context(asker=asker)).data


def alert(world: World, customer: str) -> str:
    return next(one.alert_id for one in world.operations.alerts() if one.customer_id == customer)


def task(world: World, customer: str) -> str:
    return next(one.task_id for one in world.operations.tasks() if one.customer_id == customer)


def test_alerts_are_listed_by_tier_and_deadline(world: World) -> None:
    data = call(world, "list_alerts", due="today")
    assert [one["customer_id"] for one in data["alerts"]] == ["red"]
    assert (data["open"], data["overdue"], data["by_tier"]["red"]) == (3, 0, 1)
    assert data["alerts"][0]["task"]["status"] == "pending_approval"
    assert [one["customer_id"] for one in call(world, "list_alerts", tiers=["orange"])["alerts"]]
    assert call(world, "list_alerts", status="closed")["alerts"] == []


def test_verdicts_are_counted_by_tier_and_cause_and_the_last_one_counts(world: World) -> None:
    call(world, "record_verdict", alert_id=alert(world, "orange"), verdict="false_alarm", reason="旧供应商")
    call(world, "record_verdict", alert_id=task(world, "red"), verdict="false_alarm")
    again = call(world, "record_verdict", alert_id=alert(world, "red"), verdict="accurate")
    assert (again["alert"]["status"], again["history"]) == ("open", 2)
    repeated = call(world, "record_verdict", alert_id=alert(world, "red"), verdict="accurate")
    assert repeated["history"] == 2
    judged = call(world, "list_alerts")["verdicts"]
    assert (judged["judged"], judged["accurate"], judged["value"]) == (2, 1, 0.5)
    assert 0 < judged["ci_low"] < 0.5 < judged["ci_high"] < 1
    by_cause = {one["cause"]: one["accurate"] for one in judged["by_cause"]}
    assert (by_cause["cancel"], by_cause["competitor"]) == (1, 0)
    assert {one["tier"]: one["false_alarms"] for one in judged["by_tier"]} == {"orange": 1, "red": 0}
    assert precision([]).overall.value is None


def test_a_viewer_judges_and_changes_nothing(world: World) -> None:
    viewer = Asker("eve", "viewer")
    for name, args in (
        ("record_verdict", {"alert_id": alert(world, "red"), "verdict": "accurate"}),
        ("update_task", {"task_id": task(world, "red"), "comment": "x"}),
        ("send_playbook_message", {"alert_id": alert(world, "orange")}),
    ):
        with pytest.raises(NotPermitted):
            call(world, name, viewer, **args)
    assert world.operations.verdicts() == [] and world.operations.messages() == []


def test_a_task_is_changed_by_role_and_what_awaits_approval_by_approvers(world: World) -> None:
    red = task(world, "red")
    with pytest.raises(NotPermitted, match="approve"):
        call(world, "update_task", task_id=red, status="cancelled")
    with pytest.raises(NotPermitted, match="owner"):
        call(world, "update_task", task_id=red, owner="李", comment="给李")
    assert world.operations.task_events(red)[-1].field == "created"  # nothing of it was written
    world.operations.set_task_status(red, TaskStatus.OPEN, actor="max")
    changed = call(
        world, "update_task", MANAGER, task_id=red, owner="李", due_at="2026-11-23", comment="转李"
    )
    assert changed["changed"] == ["owner", "due_at", "comment"]
    assert changed["task"]["due_at"] == "2026-11-23T23:59:59+08:00"
    assert call(world, "update_task", MANAGER, task_id=red, comment="转李")["changed"] == []
    assert call(world, "update_task", task_id=red, status="done")["task"]["status"] == "done"
    assert world.operations.alert(alert(world, "red")).status == "closed"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "args", [{}, {"due_at": "soon"}, {"due_at": "2020-01-01"}, {"status": "open"}, {"task_id": "nope"}]
)
def test_a_change_that_makes_no_sense_is_refused(world: World, args: dict[str, str]) -> None:
    with pytest.raises(ToolInputError):
        call(world, "update_task", MANAGER, **{"task_id": task(world, "red"), **args})


def test_a_message_is_written_once_awaits_approval_and_red_has_none(world: World) -> None:
    orange = alert(world, "orange")
    first = call(world, "send_playbook_message", alert_id=orange)
    assert (first["new"], first["message"]["status"]) == (True, "pending_approval")
    assert "我们的产品与服务" in first["message"]["text"]
    assert not call(world, "send_playbook_message", alert_id=orange)["new"]
    assert len(world.operations.messages()) == 1
    with pytest.raises(ToolInputError, match="no message"):
        call(world, "send_playbook_message", alert_id=alert(world, "red"), language="en")
    with pytest.raises(ToolInputError, match="no alert"):
        call(world, "send_playbook_message", alert_id="alert-0", language="en")
