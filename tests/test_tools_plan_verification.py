from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.clock import FixedClock
from store.errors import NotPermitted, StoreError, ToolInputError
from store.records import TaskStatus
from store.sqlite_operations import SqliteOperationStore
from tests.plan_world import ASKED, PLAN, Does, approved_plan, asked_about, at_the_time, three_months
from tests.retention_world import NOW, World
from tools.context import Asker
from tools.plan_verification import verification_figures, verify_plans

OUTCOME: dict[Does, str] = {"works": "achieved", "nothing": "missed", "worse": "worse"}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Does, World]]:
    made = {name: three_months(tmp_path_factory.mktemp(name), name) for name in OUTCOME}
    yield made
    for world in made.values():
        world.close()


@pytest.fixture
def nothing(worlds: dict[Does, World], tmp_path: Path) -> Iterator[World]:
    own = worlds["nothing"].with_operations(tmp_path)
    yield own
    own.operations.close()


@pytest.mark.parametrize("does", list(OUTCOME))
def test_what_the_plan_did_is_judged_right(worlds: dict[Does, World], tmp_path: Path, does: Does) -> None:
    world = worlds[does].with_operations(tmp_path)
    plan = approved_plan(world, tmp_path)
    (found,) = verify_plans(world.context())
    review, main = found.plan.review, found.effects[0]
    assert (found.state, found.plan.plan_id, found.plan.status) == ("verified", plan["plan_id"], "done")
    assert review is not None and review.outcome == main.verdict == OUTCOME[does] and main.main
    assert main.design == "difference_in_differences" and main.evidence_grade == "quasi-experimental"
    assert main.ci_low is not None and main.effect is not None and main.ci_high is not None
    assert main.ci_low < main.effect < main.ci_high
    topic = next(effect for effect in found.effects if effect.topic == "logistics/speed")
    assert topic.verdict == OUTCOME[does] and set(topic.measures) <= {m["id"] for m in plan["measures"]}
    if does == "works":
        # 46% of Guangdong's items were late and no more are.
        assert topic.effect == pytest.approx(-0.46, abs=0.1)
        assert (review.reopened, found.follow_up) == (None, None)
    else:
        assert review.reopened is not None and found.follow_up is not None
        assert review.reopened["causes"][0]["conditions"] == {"region": "广东"}
        assert review.reopened["causes"][0]["topic"] == "logistics/speed"
        assert (found.follow_up.status, found.follow_up.follows) == ("pending_approval", plan["plan_id"])
        assert not {m.id for m in found.follow_up.measures} & {m["id"] for m in plan["measures"]}
        assert ("反而变差" if does == "worse" else "没有达成") in found.follow_up.risks[0]
    world.operations.close()


def test_verifying_again_changes_nothing(nothing: World, tmp_path: Path) -> None:
    plan = approved_plan(nothing, tmp_path)
    context = nothing.context()
    (first,) = verify_plans(context)
    entries = nothing.operations.verify_audit()
    assert verify_plans(context) == []
    (again,) = verify_plans(context, plan["plan_id"])
    assert again.state == "already"
    assert (again.plan, list(again.effects), again.follow_up) == (
        first.plan,
        list(first.effects),
        first.follow_up,
    )
    assert nothing.operations.verify_audit() == entries
    assert len(nothing.operations.plans()) == 2


class CutOff(SqliteOperationStore):
    """A store whose power fails at the last write of a transaction."""

    def _tell(self, *args: Any) -> None:
        if args[1] == "plan.verify":
            raise StoreError("power cut")
        super()._tell(*args)


def test_a_verification_cut_off_leaves_nothing_and_is_made_up_for(nothing: World, tmp_path: Path) -> None:
    plan = approved_plan(nothing, tmp_path)
    cut = CutOff(tmp_path / "operations.sqlite", FixedClock(NOW))
    with pytest.raises(StoreError, match="power cut"):
        verify_plans(nothing.context(operations=cut))
    cut.close()
    operations = nothing.operations
    assert [p.status for p in operations.plans()] == [TaskStatus.OPEN] and operations.effects() == []
    (found,) = verify_plans(nothing.context())
    assert found.state == "verified" and found.plan.plan_id == plan["plan_id"]
    assert len(operations.plans()) == 2 and operations.effects() != []
    operations.verify_audit()


def test_each_plan_stands_for_itself(nothing: World, tmp_path: Path) -> None:
    first = approved_plan(nothing, tmp_path)
    second = approved_plan(nothing, tmp_path, metric="negative_share")
    context = at_the_time(nothing, tmp_path)
    third = PLAN.run(
        {**asked_about(), "metric": "negative_share", "limit": 1, "filters": {"region": "浙江"}}, context
    )
    context.operations.close()
    found = {one.plan.plan_id: one.state for one in verify_plans(nothing.context())}
    assert found == {first["plan_id"]: "verified", second["plan_id"]: "verified"}
    (waiting,) = verify_plans(nothing.context(), third.data["plan"]["plan_id"])
    assert waiting.state == "not_approved"


def test_a_plan_that_still_runs_is_said_to(nothing: World, tmp_path: Path) -> None:
    plan = approved_plan(nothing, tmp_path)
    clock = FixedClock(ASKED + timedelta(days=30))
    context = nothing.context(
        clock=clock, operations=SqliteOperationStore(tmp_path / "operations.sqlite", clock)
    )
    (found,) = verify_plans(context)
    shown = verification_figures(found, "en")
    assert (found.state, shown["outcome"], shown["effects"]) == ("not_due", None, [])
    assert shown["due_on"] == (found.due_on).isoformat() > plan["window"]["ends_on"]
    assert context.operations.plans()[0].status is TaskStatus.OPEN
    context.operations.close()


def test_without_feedback_since_the_plan_stays_open(tmp_path: Path) -> None:
    world = three_months(tmp_path, "works", until=62)
    plan = approved_plan(world, tmp_path)
    (found,) = verify_plans(world.context())
    assert (found.state, found.plan.plan_id) == ("no_data", plan["plan_id"])
    assert world.operations.plans()[0].status is TaskStatus.OPEN and world.operations.effects() == []
    world.close()


def test_a_later_plan_expects_what_was_verified(worlds: dict[Does, World], tmp_path: Path) -> None:
    world = worlds["works"].with_operations(tmp_path)
    plan = approved_plan(world, tmp_path)
    assert all(measure["expected"] is None for measure in plan["measures"])
    assert all("未知" in measure["expected_effect"] for measure in plan["measures"])
    (found,) = verify_plans(world.context())
    effect = next(one for one in found.effects if one.topic == "logistics/speed")
    later = PLAN.run({**asked_about(), "filters": {"region": "广东"}, "limit": 8}, world.context()).data[
        "plan"
    ]
    expected = {measure["id"]: measure["expected"] for measure in later["measures"]}
    same = expected[effect.measures[0]]
    assert (same["n"], same["basis"]) == (1, "measure")
    assert same["value"] == pytest.approx(effect.effect, abs=1e-3)
    assert same["low"] < same["value"] < same["high"]
    told = next(m["expected_effect"] for m in later["measures"] if m["id"] == effect.measures[0])
    assert f"{same['value'] * 100:+.1f} 个百分点" in told and "验证过 1 次" in told
    world.operations.close()


def test_who_may_verify_and_whose_plans(nothing: World, tmp_path: Path) -> None:
    plan = approved_plan(nothing, tmp_path)
    with pytest.raises(NotPermitted, match="verify"):
        verify_plans(nothing.context(asker=Asker("eve", "viewer")))
    east = nothing.context(asker=Asker("zhe", "analyst", ("hq/浙江",)))
    assert verify_plans(east) == [] and east.operations.effects() == []
    with pytest.raises(NotPermitted, match=plan["plan_id"]):
        verify_plans(east, plan["plan_id"])
    with pytest.raises(ToolInputError, match="没有计划"):
        verify_plans(nothing.context(), "plan-none", language="zh")
    with pytest.raises(NotPermitted):
        PLAN.run(asked_about(), nothing.context(asker=Asker("ana", "analyst"), approved=True))
    (found,) = verify_plans(nothing.context(asker=Asker("ana", "analyst")))
    assert found.plan.review is not None and found.plan.review.verified_by == "ana"
    assert east.operations.effects() == []
