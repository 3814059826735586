"""The scorer: it must pass what is right and fail each kind of wrong."""

from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from evals.cases import Case, Turn, load_cases
from evals.feed_files import ZONE
from evals.paths import resolve
from evals.question_unbound import unbound_figures
from evals.recompute import Item
from evals.score import run_case, score_turn
from evals.scoreboard import document, markdown, regressions

ITEMS = [
    Item(
        source="",
        at=datetime(2026, 10, day, tzinfo=ZONE),
        values={"nps": score},
        dimensions={"region": "广东"},
    )
    for day, score in ((1, 9.0), (2, 9.0), (3, 3.0))
]
TURN = Turn.model_validate(
    {
        "ask": "10月NPS",
        "expect": {
            "tools": [{"name": "nps_stats", "period": {"from": "2026-10-01", "to": "2026-11-01"}}],
            "figures": [{"path": "data.nps", "compute": {"measure": "nps"}}],
            "avoids": ["抱歉"],
        },
    }
)
ANSWER: dict[str, Any] = {
    "answer": "2026年10月的NPS为33.3，样本3份。",
    "tool_calls": [
        {
            "id": "a",
            "name": "nps_stats",
            "args": {"period": "10月"},
            "result": {
                "period": {"from": "2026-10-01T00:00:00+08:00", "to": "2026-11-01T00:00:00+08:00"},
                "filters": {},
                "n": 3,
                "data": {"nps": 33.3333, "groups": [{"key": "广东", "nps": 33.3333}]},
            },
        }
    ],
    "figures": [
        {"text": "33.3", "value": 33.3333, "tool_call_id": "a", "path": "data.nps"},
        {"text": "3", "value": 3, "tool_call_id": "a", "path": "n"},
    ],
    "citations": [],
    "pending_approvals": [],
}


def _changed(**parts: Any) -> dict[str, Any]:
    return {**deepcopy(ANSWER), **parts}


def test_a_right_answer_is_right() -> None:
    score = score_turn(TURN, ANSWER, ITEMS)
    assert score.misses == []
    assert score.right


def test_a_wrong_period_tool_or_filter_is_a_miss() -> None:
    wrong = deepcopy(ANSWER)
    wrong["tool_calls"][0]["result"]["period"]["from"] = "2026-09-01T00:00:00+08:00"
    assert not score_turn(TURN, wrong, ITEMS).tools
    wrong = deepcopy(ANSWER)
    wrong["tool_calls"][0]["result"]["filters"] = {"region": ["广东"]}
    assert not score_turn(TURN, wrong, ITEMS).tools
    assert not score_turn(TURN, _changed(tool_calls=[]), ITEMS).tools


def test_a_wrong_figure_is_a_miss_even_where_the_answer_states_it() -> None:
    wrong = deepcopy(ANSWER)
    wrong["tool_calls"][0]["result"]["data"]["nps"] = 34.0
    score = score_turn(TURN, wrong, ITEMS)
    assert (score.figures, score.figures_right) == (1, 0)


def test_a_figure_that_is_not_stated_is_a_miss() -> None:
    score = score_turn(TURN, _changed(answer="没什么", figures=[]), ITEMS)
    assert score.figures_right == 0


@pytest.mark.parametrize(
    ("text", "unbound"),
    [
        ("NPS为33.3", []),
        ("NPS为33.3，高于行业的41.5", ["41.5"]),
        ("1. 第一条\n2. 第二条", []),
        ("客户说「等了88天」", []),
        ("7.25分", ["7.25"]),
        ("2026-10-01到10月31日，2026-05：33.3", []),
        ("评分由91.7/100变为45/100", ["91.7", "100", "45", "100"]),
    ],
)
def test_unbound_numbers_are_found(text: str, unbound: list[str]) -> None:
    assert unbound_figures(_changed(answer=text), ["10月NPS"]) == unbound


def test_a_figure_that_points_nowhere_is_unbound() -> None:
    figures = [{"text": "33.3", "value": 33.3333, "tool_call_id": "a", "path": "data.csat"}]
    assert unbound_figures(_changed(answer="NPS为33.3", figures=figures), []) == ["33.3"]


def test_words_and_approval() -> None:
    assert not score_turn(TURN, _changed(answer="抱歉，33.3"), ITEMS).words
    assert not score_turn(TURN, _changed(pending_approvals=[{"x": 1}]), ITEMS).words


def test_paths() -> None:
    result = ANSWER["tool_calls"][0]["result"]
    assert resolve(result, "data.groups[广东].nps") == resolve(result, "data.groups[0].nps") == 33.3333
    with pytest.raises(KeyError):
        resolve(result, "data.groups[上海].nps")


def test_a_run_is_totalled_and_compared_with_its_baseline() -> None:
    case = Case.model_validate(
        {"id": "x", "language": "zh", "habit": "plain", "now": "2026-11-22T10:00:00+08:00", "turns": [TURN]}
    )
    good = run_case(case, lambda question, thread: ANSWER, ITEMS)
    bad = run_case(case, lambda question, thread: _changed(tool_calls=[]), ITEMS)
    before = document("offline", good)
    now = document("offline", bad)
    assert regressions(before, before) == []
    assert any("cases_right 0/1, was 1/1" in line for line in regressions(before, now))
    assert "no call of nps_stats" in markdown(now)


def test_the_cases_are_many_varied_and_well_formed() -> None:
    cases = load_cases()
    questions = dict.fromkeys(("zh", "en"), 0)
    asked = set()
    for case in cases:
        questions[case.language] += len(case.turns)
        for turn in case.turns:
            assert turn.ask not in asked
            asked.add(turn.ask)
            for figure in turn.expect.figures:
                assert figure.call < len(turn.expect.tools)
    assert min(questions.values()) >= 33
    assert any(case.dataset == "lounge" for case in cases)


def test_an_unknown_key_in_a_case_is_an_error() -> None:
    with pytest.raises(ValueError, match="extra"):
        Turn.model_validate({"ask": "x", "expect": {"tool": []}})
