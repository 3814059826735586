"""trend, detect_anomalies and forecast over the small world, and over data too small for them."""

from pathlib import Path
from typing import Any

import pytest

from store.errors import ToolInputError
from tests.tools_world import build, shared
from tools.catalogue import run_tool
from tools.context import ToolContext


@pytest.fixture(scope="module")
def context() -> ToolContext:
    return shared()


def run(tool: str, context: ToolContext, **args: Any) -> dict[str, Any]:
    return run_tool(tool, args, context).model_dump(mode="json", by_alias=True)


def test_trend_of_the_promotions_region_dates_its_october(context: ToolContext) -> None:
    result = run("trend", context, metric="nps", filters={"region": "广东", "活动": "会员节"})
    data = result["data"]
    days = [one["day"] for one in data["changepoints"]]
    assert any("2026-09-27" <= day <= "2026-10-06" for day in days)
    assert {"day": "2026-10-01", "to": "2026-10-07", "kind": "holiday", "name": "国庆节"} in data["notes"]
    assert data["points"][0]["n"] > 0 and result["chart"]["series"][0]["markLine"]


def test_a_steady_metric_is_steady(context: ToolContext) -> None:
    data = run("trend", context, metric="volume", language="en")["data"]
    assert data["direction"] == "steady" and data["ci_low"] <= 0 <= data["ci_high"]
    assert data["days"] == 90


def test_the_negative_outbreak_is_found_in_its_group(context: ToolContext) -> None:
    result = run(
        "detect_anomalies",
        context,
        metric="negative_share",
        period="10月",
        filters={"region": "广东", "活动": "会员节"},
        group_by=None,
        min_n=2,
    )
    assert all(one["direction"] == "up" for one in result["data"]["anomalies"])
    quiet = run("detect_anomalies", context, metric="volume", period="9月")
    assert quiet["data"]["anomalies"] == [] and quiet["data"]["series"] > 3


def test_a_burst_names_its_days_topic_and_evidence(tmp_path: Path) -> None:
    from datetime import timedelta

    from store.records import Feedback
    from tests.tools_world import START, _labelled, feedback

    burst = [
        _labelled(
            Feedback(
                feedback_id=f"burst{n}",
                source="world",
                channel="ticket",
                occurred_at=START + timedelta(days=80, minutes=5 * n),
                text=f"物流太慢了等了五天，第{n}单",
                language="zh",
                region="浙江",
            ),
            "logistics/speed",
            "negative",
        )
        for n in range(60)
    ]
    world = build(tmp_path, [*feedback(), *burst])
    result = run("detect_anomalies", world, language="zh")
    # Besides the burst, the world's October is out of line.
    found = [one for one in result["data"]["anomalies"] if one["raised"] >= "2026-11-01"]
    # All the series that the same items fill are told as one, by the narrowest; chance is far behind.
    assert found[0]["scope"] == {"topic": "logistics/speed", "region": "浙江"}
    assert len(found) <= 4 and all(10 * one["score"] < found[0]["score"] for one in found[1:])
    assert found[0]["start"] == found[0]["raised"] == "2026-11-12"
    assert {} in found[0]["also"] and {"region": "浙江"} in found[0]["also"]
    assert found[0]["observed"] > 5 * found[0]["expected"]
    assert "浙江”的负面反馈量异常升高" in found[0]["explanation"]
    whole = run("detect_anomalies", world, metric="volume", group_by=None)["data"]["anomalies"][0]
    assert whole["scope"] == {} and whole["themes"][0]["key"] == "logistics/speed"
    assert result["evidence"]
    world.facts.close()
    world.operations.close()


def test_forecast_states_error_coverage_and_bounds(context: ToolContext) -> None:
    result = run("forecast", context, metric="negative_share", days=10)
    data = result["data"]
    assert len(data["forecast"]) == 10 and data["forecast"][0]["day"] == "2026-11-22"
    assert all(0 <= one["ci_low"] <= one["value"] <= one["ci_high"] <= 1 for one in data["forecast"])
    assert data["error"] <= data["naive_error"] and data["coverage"] > 0.8
    volume = run("forecast", context, metric="volume", days=7)["data"]
    assert volume["total"] == pytest.approx(280, rel=0.15)


@pytest.mark.parametrize("tool", ["trend", "detect_anomalies", "forecast"])
def test_edges_give_a_clear_answer(tool: str, context: ToolContext) -> None:
    empty = run(tool, context, metric="csat")
    assert empty["n"] == 0 and empty["caveats"]
    short = run(tool, context, metric="volume", period={"from": "2026-11-01", "to": "2026-11-05"})
    assert short["n"] > 0
    if tool != "detect_anomalies":
        assert any("至少需要" in caveat for caveat in short["caveats"])
    with pytest.raises(ToolInputError, match="compare_periods"):
        run(tool, context, metric="churn_rate")
    with pytest.raises(ToolInputError, match="unknown metric"):
        run(tool, context, metric="happiness")
    with pytest.raises(ToolInputError, match="reversed"):
        run(tool, context, period={"from": "2026-11-05", "to": "2026-11-01"})
