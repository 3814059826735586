"""What a task is to achieve, and how it stands against that."""

from datetime import timedelta
from typing import Any

import pytest

from retention.policy import load_policy
from retention.policy_outcomes import HoldoutRule, OutcomeRules
from retention.task_aims import aim_of
from store.records import Outcome, Task, TaskStatus, Tier
from tests.retention_world import NOW, World
from tools.alert_view import task_figures


def task(**changes: Any) -> Task:
    fields: dict[str, Any] = {
        "task_id": "t1", "customer_id": "c1", "tier": Tier.ORANGE, "status": TaskStatus.OPEN, "owner": "王敏",
        "summary": "提到竞品", "created_at": NOW, "created_by": "scan",
    }  # fmt: skip
    return Task(**{**fields, **changes})


def left(days: float, outcome: Any = "churned", customer: str = "c1") -> Outcome:
    return Outcome(customer_id=customer, occurred_at=NOW + timedelta(days=days), outcome=outcome)


@pytest.mark.parametrize(
    ("outcomes", "after", "status", "stands"),
    [
        ([], 10, TaskStatus.OPEN, "running"),
        ([], 90, TaskStatus.DONE, "stayed"),
        ([left(30)], 40, TaskStatus.DONE, "left"),
        ([left(30)], 20, TaskStatus.DONE, "running"),
        ([left(95)], 100, TaskStatus.DONE, "stayed"),
        ([left(-5)], 100, TaskStatus.DONE, "stayed"),
        ([left(30), left(31, "renewed")], 100, TaskStatus.DONE, "stayed"),
        ([left(30, customer="c2")], 100, TaskStatus.DONE, "stayed"),
        ([left(30)], 100, TaskStatus.REJECTED, "unknown"),
    ],
)
def test_a_task_stands_as_its_customer_does(
    outcomes: list[Outcome], after: int, status: TaskStatus, stands: str
) -> None:
    now = NOW + timedelta(days=after)
    found = aim_of(task(status=status), outcomes, load_policy(), now=now, language="zh")
    assert found is not None and (found.stands, found.metric, found.window_days) == (stands, "saved", 90)


def test_only_a_hold_out_is_a_control() -> None:
    rules = OutcomeRules(saved_days=30, holdout=HoldoutRule(share=0.1, tiers=frozenset({Tier.YELLOW})))
    policy = load_policy().model_copy(update={"outcomes": rules})
    yellow = aim_of(task(tier=Tier.YELLOW), [], policy, now=NOW, language="en")
    orange = aim_of(task(), [], policy, now=NOW, language="en")
    assert yellow is not None and "10%" in yellow.control and "within 30 days" in yellow.hypothesis
    assert orange is not None and "no control group" in orange.control
    assert aim_of(task(customer_id=None), [], policy, now=NOW, language="en") is None


def test_a_task_in_full_tells_its_aim(tmp_path: Any) -> None:
    world = World(tmp_path)
    world.facts.add_outcomes([left(-1)])
    context = world.context()
    stored = world.operations.propose_task(task(created_at=NOW - timedelta(days=20)))
    aim = task_figures(stored, "zh", context)["aim"]
    assert aim["stands"] == "left" and aim["until"].startswith("2027-01-31")
    world.close()
