"""Scoring of root causes and risk lists."""

from typing import Any

import pytest

from evals.causes import run_causes, score_cause, score_risk

EVENT: dict[str, Any] = {
    "id": "late",
    "metric": "nps",
    "window": {"from": "2026-10-01", "to": "2026-11-01"},
    "baseline": {"from": "2026-09-01", "to": "2026-10-01"},
    "expected": {"region": "广东", "活动": "会员狂欢节"},
    "acceptable": [{"region": "广东", "活动": "会员狂欢节", "topic": "logistics/speed"}],
}


def _found(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"verdict": "cause_found", "causes": [{"conditions": c} for c in conditions]}


@pytest.mark.parametrize(
    ("data", "right", "rank"),
    [
        (_found({"活动": "会员狂欢节", "region": "广东"}), True, 1),
        (_found({"region": ["广东"], "活动": "会员狂欢节", "topic": "logistics/speed"}), True, 1),
        (_found({"region": "广东"}), False, None),
        (_found({"region": "上海"}, {"region": "广东", "活动": "会员狂欢节"}), False, 2),
        ({"verdict": "no_cause", "causes": []}, False, None),
    ],
)
def test_an_event_needs_its_cause_first(data: dict[str, Any], right: bool, rank: int | None) -> None:
    score = score_cause(EVENT, "event", data)
    assert (score.right, score.rank) == (right, rank)


def test_a_decoy_needs_silence() -> None:
    assert score_cause(EVENT, "decoy", {"verdict": "no_cause", "causes": []}).right
    assert not score_cause(EVENT, "decoy", _found({"region": "青海"})).right


def test_every_event_and_decoy_is_asked_with_its_periods() -> None:
    asked = []

    def run_tool(name: str, args: dict[str, Any]) -> dict[str, Any]:
        asked.append((name, args))
        return {"data": _found({"region": "广东", "活动": "会员狂欢节"})}

    scores = run_causes({"events": [EVENT], "decoys": [{**EVENT, "id": "decoy"}]}, run_tool)
    assert [score.right for score in scores] == [True, False]
    assert asked[0] == (
        "root_cause",
        {"metric": "nps", "period": EVENT["window"], "compare_to": EVENT["baseline"]},
    )


def test_risk_lists_are_held_against_who_leaves_soon() -> None:
    truth = {
        "period": {"from": "2026-05-24", "to": "2026-11-22"},
        "decline": {"customers": {"C1": "2026-11-25", "C2": "2026-12-30", "C3": "2026-08-01"}},
        "loud_loyal": ["C9"],
    }
    score = score_risk(truth, ["C1", "C9", "C3"])
    assert (score.leaving, score.found, score.listed, score.loud) == (1, 1, 3, 1)
