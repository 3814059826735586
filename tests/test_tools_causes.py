"""Root cause as a tool, on a world with one planted event."""

from typing import Any

import pytest

from store.facts import Selection, Window
from tests.tools_world import build, feedback, shared
from tools.catalogue import run_tool
from tools.cause_query import CauseQuery
from tools.context import ToolContext
from tools.measures import find_measure


@pytest.fixture(scope="module")
def context() -> ToolContext:
    return shared()


def causes(context: ToolContext, **args: Any) -> dict[str, Any]:
    return run_tool("root_cause", args, context).model_dump(mode="json", by_alias=True)


def test_the_planted_cause_comes_first_with_its_theme_scope_and_owner(context: ToolContext) -> None:
    result = causes(context, metric="nps", period="10月", compare_to="9月")
    data = result["data"]
    assert data["verdict"] == "cause_found"
    first = data["causes"][0]
    assert first["conditions"] == {"region": "广东", "活动": "会员节"}
    assert first["theme"] == "配送速度"
    assert first["scope"] == "own"
    assert first["department"] == "物流部"
    assert first["effect"] < 0 < first["share"] <= 1
    assert first["evidence_grade"] in ("association", "adjusted", "quasi-experimental")
    assert first["evidence"] and set(first["evidence"]) <= set(result["evidence"])
    assert any("不等于因果" in caveat for caveat in result["caveats"])


def test_a_quiet_month_names_no_cause(context: ToolContext) -> None:
    data = causes(context, metric="nps", period="2026-09-15 to 2026-09-28", language="en")["data"]
    assert (data["verdict"], data["causes"]) == ("no_cause", [])
    assert data["reason_code"] == "no_change"
    assert "did not change significantly" in data["reason"]


def test_a_level_is_explained_without_a_change(context: ToolContext) -> None:
    data = causes(context, metric="nps", period="10月", mode="level")["data"]
    assert data["mode"] == "level"
    assert data["change"] is None and data["level"] is not None
    assert data["causes"][0]["conditions"] == {"region": "广东", "活动": "会员节"}


def test_without_anything_before_the_level_is_taken_and_said(context: ToolContext) -> None:
    result = causes(context, metric="nps", period="8月")
    assert result["data"]["mode"] == "level"
    assert any("没有可比的上一周期" in caveat for caveat in result["caveats"])


def test_candidates_leave_out_ids_constants_scores_and_what_is_filtered(context: ToolContext) -> None:
    measure = find_measure("nps", context, "zh")
    query = CauseQuery(measure, Selection(filters={"region": ("广东",)}), None, Window(), context)
    assert set(query.dimensions()) == {
        "product",
        "version",
        "channel",
        "org_unit",
        "活动",
        "hour",
        "day_type",
        "weekday",
    }
    assert query.symptoms() == ["topic"]


def test_a_topics_own_share_is_not_its_own_symptom(context: ToolContext) -> None:
    measure = find_measure("share:topic=logistics/speed", context, "zh")
    assert CauseQuery(measure, Selection(), None, Window(), context).symptoms() == []


def test_scope_is_undecided_without_an_industry_table(tmp_path: Any) -> None:
    items = [
        one for one in feedback() if one.feedback.occurred_at and one.feedback.occurred_at.month in (9, 10)
    ]
    other = build(tmp_path, items, rates=False)
    try:
        result = causes(other, metric="nps", period="10月", compare_to="9月")
    finally:
        other.facts.close()
        other.operations.close()
    assert {cause["scope"] for cause in result["data"]["causes"]} == {"undecided"}
    assert any("没有行业数据" in caveat for caveat in result["caveats"])
