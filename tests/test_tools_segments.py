"""Segments: planted groups are found and named, few customers give none."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.compose_segments import compose_segments
from agent.frame import Frame
from analytics.segments import find_segments
from store.records import Feedback, LabelledFeedback
from tests.tools_world import START, _labelled, build, shared
from tools.catalogue import run_tool


def test_planted_groups_are_found_whatever_the_scale() -> None:
    rng = np.random.default_rng(3)
    loud = rng.poisson(30, 40).tolist() + rng.poisson(2, 160).tolist()
    score = [*(rng.normal(2, 1, 40)), *(rng.normal(9, 1, 160))]
    found = find_segments({"items": loud, "nps": score, "same": [1.0] * 200}, logged=frozenset({"items"}))
    assert found is not None and [len(one.members) for one in found.segments] == [160, 40]
    assert found.segments[1].telling()[0].name in ("items", "nps") and found.silhouette > 0.6
    assert {trait.name for trait in found.segments[0].traits} == {"items", "nps"}


def test_missing_values_and_few_customers() -> None:
    assert find_segments({"items": [1.0] * 29}) is None
    assert find_segments({}) is None
    assert find_segments({"items": [1.0] * 100}) is None
    found = find_segments({"items": [1.0, 9.0] * 50, "nps": [None, 3.0] * 50})
    assert found is not None and len(found.segments) == 2


def _item(customer: int, number: int, *, bad: bool) -> LabelledFeedback:
    feedback = Feedback(
        feedback_id=f"s{customer}-{number}",
        source="test",
        customer_id=f"c{customer:03d}",
        text=f"客户{customer}第{number}次",
        language="zh",
        occurred_at=START + timedelta(days=number, minutes=customer),
        nps=2 if bad else 9,
    )
    return _labelled(feedback, "service/attitude", "negative" if bad else "positive")


@pytest.mark.parametrize(("language", "label"), [("zh", "不满多"), ("en", "dissatisfied")])
def test_segments_are_named_by_what_sets_them_apart(tmp_path: Path, language: str, label: str) -> None:
    items = [_item(c, n, bad=c < 20) for c in range(80) for n in range(10 if c < 20 else 2)]
    world = build(tmp_path, items)
    result = run_tool("customer_segments", {"language": language}, world).model_dump(
        mode="json", by_alias=True
    )
    rows = result["data"]["segments"]
    assert [row["n"] for row in rows] == [60, 20]
    told = {trait["trait"]: trait["mean"] for trait in rows[1]["traits"]}
    assert told["negative_share"] == 1 and told["items"] == 10
    assert rows[1]["members"][0] == "c000" and rows[1]["topics"][0]["topic"] == "service/attitude"
    text = compose_segments(Frame(question="", language=language), result)  # type: ignore[arg-type]
    assert "60" in text and "25.0%" in text
    assert label in text or "speak" in text or "反馈" in text
    world.facts.close()
    world.operations.close()


def test_nothing_there_is_said() -> None:
    result = run_tool("customer_segments", {"period": "2020"}, shared()).model_dump(
        mode="json", by_alias=True
    )
    assert result["data"]["segments"] == [] and result["caveats"]
    assert compose_segments(Frame(question="", language="zh"), result)
