"""The high-risk pool: who is in it, why and since when, and who of the care team cares for whom."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from retention.alert_scan import AlertScan
from retention.high_risk_pool import ended, revised
from retention.policy import Policy, load_policy
from retention.policy_pool import CareTeam, PoolRules
from retention.pool_scan import PoolReport, PoolScan
from store.clock import FixedClock
from store.pool import PoolEntry, PoolReason
from store.records import Outcome, Sentiment, TaskStatus
from store.sqlite_operations import SqliteOperationStore
from tests.retention_world import NOW, ZONE, World

BAD = Sentiment.NEGATIVE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def policy(**team: object) -> Policy:
    rules = PoolRules(team=CareTeam.model_validate(team))
    return load_policy().model_copy(update={"pool": rules})


def scan(world: World, rules: Policy | None = None, days: float = 0) -> PoolReport:
    world.context()
    clock = FixedClock(NOW + timedelta(days=days))
    operations = SqliteOperationStore(world.home / "operations.sqlite", clock)
    try:
        AlertScan(world.facts, operations, clock, ZONE, {}, policies=load_policy).run()
        return PoolScan(world.facts, operations, lambda: rules or policy(), clock).run()
    finally:
        operations.close()


def low(subject: str) -> PoolReason:
    return PoolReason(kind="low_score", name="nps", value=3, subject=subject, at=NOW)


def assigned(
    candidates: Mapping[str, tuple[PoolReason, ...]], *stays: PoolEntry, **team: object
) -> dict[str, str]:
    rules = CareTeam.model_validate(team)
    found = revised(stays, candidates, (), team=rules, role_name="客户关怀小组", now=NOW)
    return {one.customer_id: one.carer for one in found}


def test_red_and_low_scorers_are_in_with_why_and_since_when(world: World) -> None:
    world.says("red", 0.1, "我要解约", BAD, signals=("cancel",))
    score = world.says("low", 3, nps=4)
    world.says("recovered", 9, nps=2)
    world.says("recovered", 1, nps=8)
    world.says("old", 70, nps=0)
    world.says("fine", 1, nps=9)
    assert scan(world) == PoolReport(customers=2, entered=2, left=0, without_carer=0)
    by_customer = {one.customer_id: one for one in world.operations.pool()}
    assert {one.kind for one in by_customer["red"].reasons} == {"alert"}
    [reason] = by_customer["low"].reasons
    assert (reason.name, reason.value, reason.subject, reason.at) == (
        "nps",
        4,
        score,
        NOW - timedelta(days=3),
    )
    assert by_customer["low"].entered_at == NOW and by_customer["low"].carer == "客户关怀小组"
    assert scan(world) == PoolReport(customers=2, entered=0, left=0, without_carer=0)
    assert world.operations.verify_audit() > 0


def test_who_scores_better_or_is_helped_leaves_and_the_stay_is_kept(world: World) -> None:
    world.says("red", 0.1, "我要解约", BAD, signals=("cancel",))
    world.says("low", 3, nps=4)
    scan(world)
    [task] = world.operations.tasks()
    for status in (TaskStatus.OPEN, TaskStatus.DONE):
        world.operations.set_task_status(task.task_id, status, actor="m")
    world.says("low", 0.05, nps=9)
    assert scan(world, days=0.1).left == 1
    assert [one.customer_id for one in world.operations.pool()] == ["red"]  # cared for after the task
    assert scan(world, days=15).left == 1
    past = world.operations.pool(past=True)
    assert {one.left_because for one in past} == {"recovered"} and not world.operations.pool()


def test_who_has_left_is_in_no_pool(world: World) -> None:
    world.says("low", 3, nps=4)
    world.context()
    scan(world)
    gone = Outcome(customer_id="low", occurred_at=NOW, outcome="churned")
    world.facts.add_outcomes([gone])
    assert scan(world, days=0.1).left == 1
    assert world.operations.pool(past=True)[0].left_because == "left"


def test_carers_are_given_out_evenly_kept_and_never_above_what_they_can() -> None:
    every = {f"c{n}": (low(f"f{n}"),) for n in range(5)}
    given = assigned(every, members=("甲", "乙"), most_each=2)
    assert sorted(given.values()) == ["", "乙", "乙", "甲", "甲"]
    stays = revised((), every, (), team=CareTeam(members=("甲", "乙"), most_each=2), role_name="", now=NOW)
    after = assigned(every, *stays, members=("甲", "乙", "丙"), most_each=2)
    assert list(after.values()) == ["丙"]  # only who had nobody; the others keep theirs
    moved = assigned(every, *stays, members=("甲", "丁"), most_each=9)
    assert sorted(moved.values()) == ["丁", "丁", "甲"]  # 乙 has left the team, one had nobody


def test_an_alert_goes_before_a_low_score_where_the_team_is_small() -> None:
    red = PoolReason(kind="alert", name="red", subject="a1", at=NOW)
    assert assigned({"a": (low("f1"),), "z": (red,)}, members=("甲",), most_each=1) == {"a": "", "z": "甲"}


def test_whom_a_person_took_out_only_a_new_reason_puts_in_again() -> None:
    team = CareTeam()
    [stay] = revised((), {"c": (low("f1"),)}, (), team=team, role_name="r", now=NOW)
    out = ended(stay, "removed", NOW)
    assert not revised([out], {"c": (low("f1"),)}, (), team=team, role_name="r", now=NOW)
    later = NOW + timedelta(days=1)
    [again] = revised([out], {"c": (low("f1"), low("f2"))}, (), team=team, role_name="r", now=later)
    assert [one.subject for one in again.reasons] == ["f2"] and again.entry_id != stay.entry_id


def test_whom_a_person_put_in_stays_until_a_person_takes_them_out() -> None:
    by_hand = PoolReason(kind="manual", name="老客户，担心", at=NOW)
    stay = PoolEntry(entry_id="p1", customer_id="c", entered_at=NOW, reasons=(by_hand,), carer="r")
    assert not revised([stay], {}, (), team=CareTeam(), role_name="r", now=NOW)
