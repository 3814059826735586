import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.errors import NotPermitted, ToolInputError
from store.records import Priority, Sentiment, TaskStatus
from tests.retention_world import World
from tools.causes import RootCauseArguments, root_cause
from tools.context import Asker
from tools.plans import create_action_plan
from tools.registry import spec

PLAN = spec(create_action_plan, acts=True, role="analyst")
MONTHS = {"period": "2026-10", "compare_to": "2026-09"}
REGIONS = ("广东", "浙江", "江苏", "四川")


def fill(world: World, *, late: bool) -> None:
    """Two months of scores and texts; in October Guangdong's deliveries are late where `late`."""
    draw = random.Random(5)
    for month_start in (52.0, 82.0):
        for i in range(480):
            region = REGIONS[i % 4]
            hit = late and month_start == 52.0 and region == "广东" and draw.random() < 0.7
            upset = hit or draw.random() < 0.15
            topic = "logistics/speed" if hit else draw.choice(["product/quality", "service/attitude"])
            world.says(
                f"c{i}",
                month_start - draw.random() * 29,
                f"{'等了十天还没到' if hit else '一般' if upset else '不错'} {i}",
                Sentiment.NEGATIVE if upset else Sentiment.POSITIVE,
                topics=(topic,),
                nps=draw.choice([1, 2, 3]) if upset else draw.choice([8, 9, 10]),
                region=region,
                priority=Priority.URGENT if hit and i % 8 == 0 else Priority.NORMAL,
            )


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shared: only the facts are, each test has operations of its own."""
    made = World(tmp_path_factory.mktemp("late"))
    fill(made, late=True)
    yield made
    made.close()


@pytest.fixture
def world(late: World, tmp_path: Path) -> Iterator[World]:
    own = late.with_operations(tmp_path)
    yield own
    own.operations.close()


@pytest.fixture
def calm(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def expected_score(row: dict[str, Any]) -> float:
    weight = {"low": 1, "medium": 2, "high": 3}[row["cost"]]
    return float(100 * row["reach"] * row["severity"] * row["trend"] * row["coverage"] / weight)


def test_a_plan_answers_the_cause_found_with_ranked_measures(world: World) -> None:
    result = PLAN.run(MONTHS, world.context())
    plan, data = result.data["plan"], result.data
    assert data["cause"]["conditions"] == {"region": "广东"}
    assert plan["status"] == "pending_approval"
    assert "物流部" in {measure["owner_department"] for measure in plan["measures"]}
    scores = [measure["priority_score"] for measure in plan["measures"]]
    assert scores == sorted(scores, reverse=True) and len(scores) == 5
    for measure, row in zip(plan["measures"], data["ranking"], strict=True):
        assert measure["action"] == row["action"]
        assert measure["priority_score"] == pytest.approx(expected_score(row), rel=0.01)
        assert measure["first_step"] and measure["target"] and measure["window_days"] > 0
    assert data["topics"][0]["topic"] == "logistics/speed"
    assert data["topics"][0]["trend"] == 3.0
    assert data["hypothesis"].count(f"{data['cause']['before']:.1f}") == 1
    assert result.evidence and set(data["cause"]["evidence"]) <= set(plan["evidence"])


def test_the_grade_is_the_one_found_and_never_more(world: World) -> None:
    found = root_cause(RootCauseArguments.model_validate(MONTHS), world.context()).data["causes"][0]
    own = PLAN.run({**MONTHS, "conditions": {"region": "广东"}}, world.context()).data
    assert own["plan"]["evidence_grade"] == found["evidence_grade"] and own["cause"] == found
    guessed = PLAN.run({**MONTHS, "conditions": {"region": "四川"}}, world.context()).data
    assert guessed["plan"]["evidence_grade"] == "association"
    assert guessed["plan"]["plan_id"] != own["plan"]["plan_id"]


def test_counts_behind_the_order_are_those_of_the_data(world: World) -> None:
    context = world.context()
    overall = PLAN.run(MONTHS, context).data["overall"]
    assert overall["scope"] == 480 and overall["n"] == 120
    urgent = [i for i in range(480) if i % 8 == 0 and i % 4 == 0]
    assert 0 < overall["urgent"] <= len(urgent)
    assert overall["reach"] == pytest.approx(overall["negative"] / 480, abs=1e-4)


def test_without_a_cause_the_plan_says_so_and_addresses_the_complaints(calm: World) -> None:
    fill(calm, late=False)
    result = PLAN.run({**MONTHS, "language": "en"}, calm.context())
    assert result.data["verdict"] == "no_cause" and result.data["cause"] is None
    plan = result.data["plan"]
    assert plan["evidence_grade"] == "association" and plan["measures"]
    assert any("No single cause stands out" in risk for risk in plan["risks"])
    assert any("No single cause stands out" in caveat for caveat in result.caveats)


def test_the_same_plan_is_stored_once_and_opened_by_a_manager(world: World) -> None:
    first = PLAN.run(MONTHS, world.context(asker=Asker("ana", "analyst"))).data
    again = PLAN.run({**MONTHS, "problem": "别的说法"}, world.context()).data
    assert (first["new"], again["new"]) == (True, False)
    assert first["plan"]["plan_id"] == again["plan"]["plan_id"]
    with pytest.raises(NotPermitted, match="approve"):
        PLAN.run(MONTHS, world.context(asker=Asker("ana", "analyst"), approved=True))
    opened = PLAN.run(MONTHS, world.context(asker=Asker("max", "manager"), approved=True)).data["plan"]
    assert (opened["status"], opened["approved_by"]) == ("open", "max")
    assert [plan.status for plan in world.operations.plans()] == [TaskStatus.OPEN]
    assert world.operations.verify_audit() == 2


def test_new_figures_make_a_new_plan(calm: World) -> None:
    fill(calm, late=False)
    before = PLAN.run(MONTHS, calm.context()).data["plan"]
    for i in range(40):
        calm.says(f"n{i}", 40, f"包装全破了 {i}", Sentiment.NEGATIVE, topics=("logistics/packaging",), nps=1)
    after = PLAN.run(MONTHS, calm.context()).data["plan"]
    assert after["plan_id"] != before["plan_id"]
    assert any("包装" in measure["metric"] for measure in after["measures"])


def test_nothing_to_plan_on_and_unknown_names_are_said_and_nothing_is_stored(world: World) -> None:
    for wrong in (
        {"period": "2020-01"},
        {"metric": "happyness"},
        {"conditions": {"regionn": "广东"}},
        {"limit": 0},
    ):
        with pytest.raises(ToolInputError):
            PLAN.run(wrong, world.context())
    assert world.operations.plans() == []


def test_what_got_better_is_nothing_to_plan_against(world: World) -> None:
    """October, when Guangdong was late, before a September without: read backwards it is a recovery."""
    result = PLAN.run({"period": "2026-09", "compare_to": "2026-10", "language": "en"}, world.context())
    assert result.data["cause"] is None or result.data["cause"]["conditions"] != {"region": "广东"}
    assert any("got better" in caveat for caveat in result.caveats)


def test_a_plan_says_how_it_will_be_judged(world: World) -> None:
    zh, en = (
        PLAN.run({**MONTHS, "language": language}, world.context()).data["plan"] for language in ("zh", "en")
    )
    design = zh["design"]
    assert design["control"]["kind"] == "peers" and design["filters"] == {"region": ["广东"]}
    assert sorted(design["control"]["groups"]) == ["四川", "江苏", "浙江"] and design["control"]["n"] == 360
    judged = design["judged_by"]
    assert judged["metric"] == "nps" and judged["change"] > 0
    assert f"{judged['baseline']:.1f}" in zh["hypothesis"]
    assert f"{judged['baseline'] + judged['change']:.1f}" in zh["hypothesis"]
    assert zh["plan_id"] == en["plan_id"] and zh["measures"][0]["action"] != en["measures"][0]["action"]
    assert zh["window"]["starts_on"] == "2026-11-23" and zh["window"]["days"] == zh["window_days"]
    assert "360" in zh["control"] and "360" in en["control"] and en["control"].startswith("Control group")


def test_a_plan_without_a_place_proposes_a_hold_out(calm: World) -> None:
    fill(calm, late=False)
    plan = PLAN.run(MONTHS, calm.context()).data["plan"]
    control = plan["design"]["control"]
    assert (control["kind"], control["dimension"], len(control["groups"])) == ("hold_out", "region", 2)
    assert control["filters"] == {} and any("没有对照组" in risk for risk in plan["risks"])
