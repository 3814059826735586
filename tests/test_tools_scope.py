"""Every tool for a scoped asker: the figures of the rows within the scope alone, and no word of any other row."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.taxonomy import load_taxonomy
from store.alert_operations import AlertChange
from store.alerts import Alert, AlertPart
from store.errors import NotPermitted, ToolInputError, VoiceLoopError
from store.facts import FactStore
from store.identity import text_key
from store.records import (
    BehaviourEvent,
    Customer,
    LabelledFeedback,
    Labels,
    Outcome,
    Task,
    TaskStatus,
    Theme,
    Tier,
    TopicLabel,
)
from tests.tools_world import NOW, START, TEXTS, HashedEmbedder, build, feedback
from tools.catalogue import ALL_TOOLS, run_tool
from tools.context import Asker, ToolContext

UNIT = "华南大区"
# Every word of the other units' rows that no row within the scope has.
CANARY = "canary"
_PERIODS = {"period": {"from": "2026-10-01", "to": "2026-11-01"}, "compare_to": "2026-09"}
FOREIGN = {"org_unit": "canary-west"}
ARGS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "nps_stats": ({}, {"group_by": ["org_unit"]}, {"group_by": ["product"], "period": "2026-10"}),
    "metric_stats": (
        {"metric": "volume", "group_by": ["version"]},
        {"metric": "negative_share", "group_by": ["theme"]},
        {"metric": "订单金额", "group_by": ["活动"]},
        {"metric": "churn_rate"},
        {"metric": "share:competitor=canary-rival"},
        {"metric": "canary-metric"},
    ),
    "compare_periods": ({"metric": "nps", **_PERIODS}, {"metric": "volume", "by": "product", **_PERIODS}),
    "drivers": ({"metric": "nps"}, {"metric": "nps", "factors": ["product", "canary-field"]}),
    "trend": ({"metric": "nps"},),
    "detect_anomalies": ({"metric": "volume"},),
    "forecast": ({"metric": "volume"},),
    "root_cause": ({"metric": "nps", **_PERIODS},),
    "list_themes": ({}, {"filters": {"sentiment": "negative"}}),
    "theme_detail": ({"theme": "t-logistics-speed"}, {"theme": "canary-theme"}, {"theme": "物流"}),
    "search_feedback": (
        {"query": "canary 金丝雀 烤箱爆炸"},
        {"contains": ["canary"]},
        {"query": "物流太慢", "limit": 50},
    ),
    "low_score_drilldown": ({},),
    "customer_360": ({"customer_id": "c001"}, {"customer_id": "canary-c001"}),
    "customer_segments": ({},),
    "churn_risk": ({"limit": 50}, {"customer_ids": ["canary-c001"]}),
    "data_quality": ({},),
    "compare_competitors": ({},),
    "industry_compare": ({},),
    "journey_map": ({},),
    "verify_effect": ({"metric": "nps", "start": "2026-10-15"},),
    "estimate_roi": ({"churn_after": 0.08, "lifetime_value": 50000, "horizon_months": 12},),
    "list_tasks": ({}, {"customer_ids": ["canary-c003"]}),
    "list_alerts": ({}, {"status": "all"}, {"customer_ids": ["canary-c003"]}),
    "update_task": ({"task_id": "canary-task", "comment": "x"}, {"task_id": "shared-task", "comment": "x"}),
    "record_verdict": (
        {"alert_id": "own-alert", "verdict": "accurate"},
        {"alert_id": "canary-alert", "verdict": "accurate"},
        {"alert_id": "shared-alert", "verdict": "false_alarm"},
    ),
    "send_playbook_message": ({"alert_id": "own-alert"}, {"alert_id": "canary-alert"}),
    "create_retention_task": ({"customer_ids": ["c001"], "tier": "orange", "reason": "x"},),
    "create_action_plan": ({"metric": "nps", **_PERIODS},),
}
NAMED = (
    {"org_unit": "canary-west"},
    {"org_unit": "canary-west/canary-city"},
    {"product": "canary-product"},
    {"version": "canary-version"},
    {"customer_id": "canary-c001"},
    {"feedback_id": "canary-f1"},
    {"competitor": "canary-rival"},
    {"theme": "canary-theme"},
    {"canary-field": "canary-value"},
    {"topic": "canary/topic"},
)


def own() -> list[LabelledFeedback]:
    return [one for one in feedback() if (one.feedback.org_unit or "").startswith(UNIT)]


def foreign() -> list[LabelledFeedback]:
    """As many rows again, of another unit and of none, all of whose own words begin with the canary."""
    made = []
    for number, one in enumerate(own()):
        given = one.feedback
        text = f"{given.text} canary 金丝雀烤箱爆炸" if given.text else ""
        item = given.model_copy(
            update={
                "feedback_id": f"canary-f{number}",
                "source": "canary-file",
                "customer_id": "c001" if number % 9 == 0 else f"canary-c{number % 50:03d}",
                "text": text,
                "nps": None if given.nps is None else 0,
                "product": "canary-product",
                "version": "canary-version",
                "region": "canary-region",
                "org_unit": None if number % 7 == 0 else "canary-west/canary-city/canary-store",
                "attributes": {"活动": "canary-value", "canary-field": "canary-value"},
                "metrics": {"订单金额": 9999.0, "canary-metric": 1.0},
            }
        )
        made.append(LabelledFeedback(feedback=item, labels=_labels(one.labels), text_key=_key(text)))
    return made


def _key(text: str) -> str | None:
    return text_key(text) if text else None


def _labels(labels: Labels | None) -> Labels | None:
    if labels is None:
        return None
    topics = (TopicLabel(topic="canary/topic", polarity=labels.sentiment),)
    update = {"topics": topics, "competitors": ("canary-rival",), "risk_signals": ("refund",)}
    return labels.model_copy(update=update)


def _rest(facts: FactStore, *, whole: bool) -> None:
    """Customers, deeds and outcomes of the unit, and those of the others where `whole`."""
    names = [("c", f"{UNIT}/广州/天河店"), *([("canary-c", "canary-west/canary-city")] if whole else [])]
    for name, unit in names:
        ids = [f"{name}{number:03d}" for number in range(2, 60)]
        facts.add_customers([Customer(customer_id=i, org_unit=unit, tier="gold", name=name) for i in ids])
        facts.add_events(
            [
                BehaviourEvent(
                    event_id=f"{name}-e{number}",
                    customer_id=i,
                    occurred_at=NOW - timedelta(days=number % 20),
                    kind="search",
                    detail="取消" if name == "c" else "canary cancel",
                )
                for number, i in enumerate(ids)
            ]
        )
        facts.add_outcomes(
            [
                Outcome(
                    customer_id=i,
                    occurred_at=datetime(2026, 11, 1, tzinfo=UTC),
                    outcome="churned" if (number % 3 == 0) == (name == "c") else "renewed",
                )
                for number, i in enumerate(ids)
            ]
        )


def _themes(facts: FactStore, items: list[LabelledFeedback]) -> None:
    embedder, first = HashedEmbedder(), own()[0].feedback.feedback_id
    words = {**{f"t-{t.replace('/', '-')}": w for t, w in TEXTS.items()}, "canary-theme": ("canary",)}
    themes = [
        Theme(
            theme_id=i,
            label=said[0],
            keywords=(*said[:2], "canary"),
            exemplars=("canary-f1", first),
            area_id="area",
            area="canary area",
            born_at=START,
            centroid=tuple(float(x) for x in embedder.embed_documents(said).mean(axis=0)),
        )
        for i, said in words.items()
    ]
    placed = {}
    for one in items:
        if one.text_key and one.labels and one.labels.topics:
            topic = one.labels.topics[0].topic
            placed[one.text_key] = "canary-theme" if CANARY in topic else f"t-{topic.replace('/', '-')}"
    if any(CANARY in one.feedback.text for one in items):
        facts.save_themes(themes, placed)
    else:
        plain = {"keywords": None, "area": None, "born_at": None, "exemplars": (first,)}
        kept = [theme for theme in themes if theme.theme_id != "canary-theme"]
        facts.save_themes([t.model_copy(update={**plain, "keywords": t.keywords[:2]}) for t in kept], placed)


@cache
def contexts() -> tuple[ToolContext, ToolContext]:
    """A scoped asker over everything, and an unscoped one over the rows of that scope."""
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="voiceloop-scope-"))
    made = []
    for name, items in (("whole", [*foreign(), *own()]), ("part", own())):
        (home / name).mkdir()
        context = build(home / name, items, rates=False)
        _themes(context.facts, items)
        _rest(context.facts, whole=name == "whole")
        if name == "whole":
            context.operations.propose_task(_task("canary-task", "canary-c003"))
            context.operations.propose_task(_task("shared-task", "c001"))
            _raise(context, _alert("canary-alert", "canary-c003"), _alert("shared-alert", "c001"))
        _raise(context, _alert("own-alert", "c002", "客服响应慢"))
        made.append(context)
    scoped = replace(made[0], asker=Asker("ann", "admin", (UNIT,)))
    return scoped, replace(made[1], asker=Asker("ann", "admin"))


def _task(task_id: str, customer_id: str) -> Task:
    return Task(
        task_id=task_id,
        customer_id=customer_id,
        status=TaskStatus.OPEN,
        owner="canary-owner",
        summary="canary summary",
        created_at=NOW,
        created_by="hq",
    )


def _alert(alert_id: str, customer_id: str, said: str = "canary summary") -> Alert:
    return Alert(
        alert_id=alert_id,
        customer_id=customer_id,
        tier=Tier.ORANGE,
        score=50,
        parts=(AlertPart(signal="base", weight=50, points=50),),
        causes=("price",),
        evidence=(f"{customer_id}-said",),
        summary={"zh": said, "en": said},
        owner_role="sales",
        due_at=NOW,
        created_at=NOW,
        raised_at=NOW,
        updated_at=NOW,
        evidence_until=NOW,
        policy_version=1,
    )


def _raise(context: ToolContext, *alerts: Alert) -> None:
    ids = [alert.customer_id for alert in alerts]
    changes = [AlertChange(alert, "opened") for alert in alerts]
    context.operations.revise_alerts(ids, lambda _: changes, actor="scan")


CALLS = [(name, args) for name, variants in ARGS.items() for args in variants]


def outcome(name: str, args: Mapping[str, Any], context: ToolContext) -> tuple[str, Any]:
    """What a tool gave, or its refusal."""
    try:
        result = run_tool(name, args, context).model_dump(mode="json", by_alias=True)
    except VoiceLoopError as error:
        return error.kind, f"{error.message} {error.hint}"
    return "result", result


def test_every_tool_is_asked_here() -> None:
    assert {spec.name for spec in ALL_TOOLS} == set(ARGS)


@pytest.mark.parametrize(("name", "args"), CALLS)
def test_a_scoped_asker_gets_what_the_rows_within_the_scope_give(name: str, args: dict[str, Any]) -> None:
    scoped, alone = contexts()
    kind, found = outcome(name, args, scoped)
    expected_kind, expected = outcome(name, args, alone)
    if expected_kind != "result":
        assert kind != "result"
        return
    assert kind == "result", found
    assert found["caveats"].pop(0).startswith("只统计您有权查看的范围")
    expected = _own_tasks_apart(name, expected)
    assert _own_tasks_apart(name, found) == expected


def _own_tasks_apart(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """Without what is meant to differ: files, ids and scopes of drafts, the moment of a verdict."""
    data = dict(result["data"])
    if name == "data_quality":
        data.pop("ingestion")
    if name == "create_action_plan":
        data["plan"] = {k: v for k, v in data["plan"].items() if k not in ("plan_id", "scope")}
    if name == "record_verdict":
        data.pop("at")
    if name == "send_playbook_message":
        data["message"] = {k: v for k, v in data["message"].items() if k != "scope"}
    if name == "create_retention_task":
        data["tasks"] = [{k: v for k, v in task.items() if k != "scope"} for task in data["tasks"]]
    return {**result, "data": data}


@pytest.mark.parametrize(("name", "args"), CALLS)
def test_nothing_of_other_units_is_told(name: str, args: dict[str, Any]) -> None:
    _, found = outcome(name, args, contexts()[0])
    if isinstance(found, dict):
        found = {**found, "args": None, "filters": None}
        for echo in ("query", "metric", "title"):
            found["data"].pop(echo, None)
    said = json.dumps(found, ensure_ascii=False)
    for asked in _asked(args):
        said = said.replace(asked, "")
    assert CANARY not in said and "金丝雀" not in said


def _asked(args: Any) -> list[str]:
    """Whatever canaries the arguments named themselves, the longest first."""
    if isinstance(args, str):
        return [part for part in re.split("[=:]", args) if CANARY in part]
    inner = args.items() if isinstance(args, dict) else enumerate(args) if isinstance(args, list) else ()
    found = [word for key, value in inner for word in (*_asked(key), *_asked(value))]
    return sorted(found, key=len, reverse=True)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("filters", NAMED)
def test_what_lies_elsewhere_is_not_permitted_as_is_what_does_not_exist(
    filters: dict[str, str], language: str
) -> None:
    scoped, _ = contexts()
    ((name, value),) = filters.items()
    nowhere = value.replace(CANARY, "nobody")
    asked = name.replace(CANARY, "nobody")
    refusals = []
    for dimension, word in ((name, value), (asked, nowhere)):
        args = {"filters": {dimension: word}, "language": language}
        with pytest.raises(NotPermitted) as refused:
            run_tool("nps_stats", args, scoped)
        message = refused.value.message
        assert ("不允许" if language == "zh" else "not permitted") in message
        assert "没有取值" not in message and "has no value" not in message
        refusals.append(f"{message} {refused.value.hint}".replace(CANARY, "nobody"))
    assert refusals[0] == refusals[1]


def test_a_level_above_the_scope_is_not_permitted(tmp_path: Path) -> None:
    scoped, _ = contexts()
    narrow = replace(scoped, asker=Asker("ann", "viewer", (f"{UNIT}/广州",)))
    assert run_tool("nps_stats", {"filters": {"org_unit": "广州"}}, narrow).n > 0
    for above in (UNIT, f"{UNIT}/深圳", "南山店"):
        with pytest.raises(NotPermitted):
            run_tool("nps_stats", {"filters": {"org_unit": above}}, narrow)


def test_rows_without_a_unit_are_seen_by_those_who_see_everything() -> None:
    scoped, _ = contexts()
    assert run_tool("nps_stats", {"filters": {"org_unit": None}}, scoped).n == 0


def test_operations_are_those_of_the_scope() -> None:
    operations = contexts()[0].operations
    assert not {"canary-task", "shared-task"} & {task.task_id for task in operations.tasks()}
    for task_id in ("canary-task", "nowhere"):
        with pytest.raises(NotPermitted, match=f"task '{task_id}' cannot be seen"):
            operations.set_task_status(task_id, TaskStatus.DONE, actor="ann")
    with pytest.raises(NotPermitted):
        operations.audit_entries()
    assert operations.batches() == []


def test_plans_belong_to_the_scope_they_were_drawn_up_in(tmp_path: Path) -> None:
    context = build(tmp_path, [*foreign(), *own()], rates=False)
    args = {"metric": "nps", **_PERIODS}
    whole = run_tool("create_action_plan", args, context).data["plan"]["plan_id"]
    scoped = replace(context, asker=Asker("ann", "analyst", (UNIT,)))
    drawn = run_tool("create_action_plan", args, scoped).data["plan"]
    assert drawn["plan_id"] != whole and drawn["scope"] == [UNIT]
    assert [plan.plan_id for plan in scoped.operations.plans()] == [drawn["plan_id"]]
    assert {plan.plan_id for plan in context.operations.plans()} == {whole, drawn["plan_id"]}
    wide = replace(context, asker=Asker("bo", "analyst", (UNIT, "canary-west")))
    narrow = replace(context, asker=Asker("cy", "analyst", (f"{UNIT}/广州",)))
    assert [plan.plan_id for plan in wide.operations.plans()] == [drawn["plan_id"]]
    assert narrow.operations.plans() == []
    with pytest.raises(NotPermitted):
        run_tool("verify_effect", {"metric": "nps", "start": "2026-10-15", "plan_id": whole}, scoped)


def test_a_context_cannot_be_widened() -> None:
    scoped, _ = contexts()
    for scope in ((), ("canary-west",)):
        with pytest.raises(NotPermitted):
            replace(scoped, asker=Asker("ann", "admin", scope))


def test_a_role_that_may_not_act_is_told_so_in_its_language() -> None:
    scoped, _ = contexts()
    viewer = replace(scoped, asker=Asker("vi", "viewer", (UNIT,)))
    with pytest.raises(NotPermitted, match="不允许使用"):
        run_tool("create_retention_task", {"customer_ids": ["c001"], "language": "zh"}, viewer)


def test_taxonomy_and_targets_are_the_companys() -> None:
    assert contexts()[0].taxonomy.entries == load_taxonomy().entries
    with pytest.raises(ToolInputError):
        run_tool("no_such_tool", {}, contexts()[0])
