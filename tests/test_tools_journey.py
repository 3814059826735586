"""Stages, rivals and the industry over the small world, told in words in both languages."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.compose_comparisons import compose_competitors, compose_industry, compose_journey
from agent.frame import Frame
from store.errors import ToolInputError
from store.records import Feedback, LabelledFeedback
from tests.tools_world import START, _labelled, build, shared
from tools.catalogue import run_tool
from tools.context import ToolContext


def run(tool: str, context: ToolContext, **args: Any) -> dict[str, Any]:
    return run_tool(tool, args, context).model_dump(mode="json", by_alias=True)


def staged(stage: str, number: int, *, bad: bool) -> LabelledFeedback:
    feedback = Feedback(
        feedback_id=f"{stage}{number}",
        source="test",
        text=f"{stage}的体验第{number}次",
        language="zh",
        occurred_at=START + timedelta(hours=number),
        nps=2 if bad else 9,
        attributes={"阶段": stage},
    )
    return _labelled(feedback, "service/attitude", "negative" if bad else "positive")


def test_topics_make_stages_and_complaints_make_the_painful_one() -> None:
    data = run("journey_map", shared())["data"]
    assert data["source"] == "topics"
    by_key = {row["key"]: row for row in data["stages"]}
    assert by_key["use"]["negative_share"] < by_key["receive"]["negative_share"]
    assert data["painful"] in ("receive", "support")
    assert by_key["receive"]["topics"][0]["topic"] == "logistics/speed"
    assert by_key[data["painful"]]["evidence"]


def test_a_stage_column_of_the_data_comes_first(tmp_path: Path) -> None:
    items = [staged("试用", n, bad=n % 10 == 0) for n in range(60)]
    items += [staged("续费", n, bad=n % 10 < 6) for n in range(60)]
    world = build(tmp_path, items)
    result = run("journey_map", world)
    data = result["data"]
    assert data["source"] == "阶段" and data["painful"] == "续费"
    row = next(row for row in data["stages"] if row["key"] == "续费")
    assert row["negative_share"] == 0.6 and row["n"] == 60 and row["score"] == pytest.approx(-20)
    assert row["pain"] == pytest.approx(36 / 42, abs=1e-4)
    assert "最痛的环节：续费" in compose_journey(Frame(question="", language="zh"), result)
    with pytest.raises(ToolInputError, match="fewer than two values"):
        run("journey_map", world, stage="source")
    world.facts.close()
    world.operations.close()


def test_rivals_are_counted_with_mood_topics_and_score(tmp_path: Path) -> None:
    def spoken(number: int, rival: str | None) -> LabelledFeedback:
        item = staged("用", number, bad=rival is not None)
        if rival is None or item.labels is None:
            return item
        named = item.labels.model_copy(update={"competitors": (rival,), "risk_signals": ("competitor",)})
        changed = item.feedback.model_copy(update={"feedback_id": f"r{number}"})
        return item.model_copy(update={"labels": named, "feedback": changed})

    rivals = ["钉钉"] * 30 + ["飞书"] * 10
    world = build(tmp_path, [spoken(n, r) for n, r in enumerate([*rivals, *([None] * 60)])])
    result = run("compare_competitors", world)
    data = result["data"]
    assert [(row["name"], row["n"]) for row in data["competitors"]] == [("钉钉", 30), ("飞书", 10)]
    assert data["competitors"][0]["sentiments"]["negative"] == 1
    assert data["competitors"][0]["risks"] == {"competitor": 30}
    against = data["against_others"]
    assert (against["naming_a_rival"], against["others"], against["n"]) == (-100, 100, 40)
    assert against["significant"]
    assert "钉钉" in compose_competitors(Frame(question="", language="en"), result)
    world.facts.close()
    world.operations.close()


def test_the_industry_table_tells_own_from_common() -> None:
    result = run("industry_compare", shared())
    (row,) = result["data"]["problems"]
    assert row["key"] == "logistics/speed" and row["scope"] == "own" and row["industry_rate"] == 0.05
    assert row["ci_low"] < row["share"] < row["ci_high"] and row["evidence"]
    text = compose_industry(Frame(question="", language="en"), result)
    assert "1 problems" in text and "5.0%" in text


@pytest.mark.parametrize("tool", ["journey_map", "compare_competitors", "industry_compare"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_there_is_said(tool: str, language: str) -> None:
    compose = {
        "journey_map": compose_journey,
        "compare_competitors": compose_competitors,
        "industry_compare": compose_industry,
    }[tool]
    result = run(tool, shared(), period="2020", language=language)
    assert result["n"] == 0 and result["caveats"]
    assert compose(Frame(question="", language=language), result)  # type: ignore[arg-type]
    with pytest.raises(ToolInputError, match="reversed"):
        run(tool, shared(), period={"from": "2026-11-05", "to": "2026-11-01"})
    with pytest.raises(ToolInputError, match="planet"):
        run(tool, shared(), filters={"planet": "Mars"})
