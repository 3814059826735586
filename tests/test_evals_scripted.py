"""The scripted model: seeded by trial, slips first, and does right after an error or a note of the lock."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.state import LOCK_NOTE
from evals.cases import Case, load_cases
from evals.question_figures import wrong_figures
from evals.recompute import Item
from evals.scripted import SLIPS, ScriptedModel, call_args

CASE = Case.model_validate(
    {
        "id": "x",
        "language": "zh",
        "habit": "plain",
        "now": "2026-11-22T10:00:00+08:00",
        "ask": "10月NPS",
        "expect": {
            "tools": [{"name": "nps_stats", "period": {"from": "2026-10-01", "to": "2026-11-01"}}],
            "figures": [{"path": "data.nps", "compute": {"measure": "nps"}}],
        },
    }
)


def _said(case: Case, trial: int, messages: list[AnyMessage]) -> AIMessage:
    message = ScriptedModel(case, trial).invoke(messages)
    assert isinstance(message, AIMessage)
    return message


def _played(trial: int) -> tuple[list[Any], str, str]:
    """Calls until the right one, the first answer, and the answer after a note of the lock."""
    messages: list[AnyMessage] = [HumanMessage("10月NPS")]
    calls = []
    for _ in range(3):
        message = _said(CASE, trial, messages)
        if not message.tool_calls:
            break
        call = message.tool_calls[0]
        calls.append(call)
        slipped = str(call["id"]).endswith("_slip")
        artifact = None if slipped else {"data": {"nps": 7.864}, "evidence": []}
        messages += [message, ToolMessage("no", tool_call_id=call["id"], artifact=artifact)]
    first = _said(CASE, trial, messages)
    note = HumanMessage("check", name=LOCK_NOTE)
    return calls, first.text, _said(CASE, trial, [*messages, first, note]).text


def test_it_slips_in_some_trials_and_is_right_in_the_end() -> None:
    plays = [_played(trial) for trial in range(1, 40)]
    assert any(len(calls) == 2 for calls, _, _ in plays)
    assert any("7.864" not in first for _, first, _ in plays)
    assert all("7.864" in last for _, _, last in plays)
    assert all(calls[-1]["name"] == "nps_stats" for calls, _, _ in plays)
    assert len({first for _, first, _ in plays}) > 3
    assert plays[0] == _played(1)


def test_every_case_can_be_played() -> None:
    for case in load_cases():
        for number, turn in enumerate(case.turns, start=1):
            questions: list[AnyMessage] = [HumanMessage(t.ask) for t in case.turns[:number]]
            message = _said(case, 1, questions)
            assert message.text or message.tool_calls
            for call in turn.expect.script or turn.expect.tools:
                assert call_args(call, case.language)["language"] == case.language
    assert SLIPS["none"] < sum(SLIPS.values()) / 2


def test_a_figure_shown_is_counted_again() -> None:
    items = [
        Item(source="", at=None, values={"nps": score}, dimensions={"region": "广东"}) for score in (9, 9, 3)
    ]
    call = {
        "id": "a",
        "name": "nps_stats",
        "args": {},
        "result": {
            "period": {"from": None, "to": None},
            "filters": {"region": "广东"},
            "data": {"nps": 40.0},
        },
    }
    shown = {"text": "40", "value": 40.0, "tool_call_id": "a", "path": "data.nps"}
    assert "33.33" in wrong_figures({"tool_calls": [call], "figures": [shown]}, items)[0]
    right = shown | {"text": "33.3", "value": 33.3333}
    assert wrong_figures({"tool_calls": [call], "figures": [right]}, items) == []
    # A filter that the files do not hold cannot be counted again, and is left alone.
    call["result"] = {"period": {}, "filters": {"theme": "t1"}, "data": {"nps": 40.0}}
    assert wrong_figures({"tool_calls": [call], "figures": [shown]}, items) == []
