"""drivers over the small world and over rows with sub-scores, in the real store."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import ToolInputError
from store.facts import Selection
from tests.command_line import CommandLine
from tests.tools_world import feedback, shared
from tools.catalogue import run_tool


def run(**args: Any) -> dict[str, Any]:
    return run_tool("drivers", args, shared()).model_dump(mode="json", by_alias=True)


def test_sums_of_products_are_those_of_the_items() -> None:
    factors = [("nps",), ("share:topic=logistics/speed", "negative_share"), ("订单金额",)]
    found = shared().facts.moments(Selection(), factors)
    rows = []
    for one in feedback():
        score, amount = one.feedback.nps, one.feedback.metrics.get("订单金额")
        if score is None or amount is None or one.labels is None:
            continue
        late = float(any(topic.topic == "logistics/speed" for topic in one.labels.topics))
        negative = float(one.labels.sentiment == "negative")
        rows.append((1.0 if score >= 9 else -1.0 if score < 7 else 0.0, late * negative, amount))
    matrix = np.array(rows)
    assert found.n == len(rows) > 300
    assert found.sums == pytest.approx(matrix.sum(axis=0))
    assert np.array(found.products) == pytest.approx(matrix.T @ matrix)


def test_complaints_lower_the_score_and_the_worst_comes_first() -> None:
    result = run(metric="nps", by="topics")
    rows = result["data"]["drivers"]
    first = next(row for row in rows if row["side"] == "negative")
    assert first["effect"] < 0 and first["significant"] and first["impact"] < 0
    assert sum(row["importance"] for row in rows) == pytest.approx(1, abs=0.01)
    assert all("抱怨" in row["label"] or "称赞" in row["label"] for row in rows)
    assert any("相关" in caveat for caveat in result["caveats"])


def test_sub_scores_of_a_file_explain_its_rating(voiceloop: CommandLine, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    file = tmp_path / "lounge.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "review", "rating", "seat comfort", "food"])
        for number in range(400):
            seat, food = rng.integers(1, 6, size=2)
            rating = int(np.clip(round(0.8 * seat + 0.2 * food + rng.normal() * 0.4), 1, 5))
            writer.writerow([number, f"review number {number}", rating, seat, food])
    assert voiceloop("ingest", str(file), "--json").document["stored"] == 400
    result = voiceloop(
        "tool", "drivers", "--json", "--args", '{"metric": "rating", "language": "en"}'
    ).document
    rows = result["data"]["drivers"]
    assert [row["key"] for row in rows][:2] == ["seat comfort", "food"]
    assert rows[0]["effect"] == pytest.approx(0.75, abs=0.15) and result["data"]["r2"] > 0.6


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"metric": "volume"}, "explains a score"),
        ({"metric": "joy"}, "unknown metric"),
        ({"by": "magic"}, "by"),
    ],
)
def test_what_cannot_be_explained_is_said(args: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolInputError, match=said):
        run(**args)


def test_nothing_and_too_little_are_told() -> None:
    assert run(metric="csat")["data"]["drivers"] == []
    few = run(metric="nps", period={"from": "2026-11-01", "to": "2026-11-02"}, by="topics")
    assert few["data"]["drivers"] == [] and few["caveats"]
