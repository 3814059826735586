"""What is judged beyond figures: each check passes what is right and names what is not."""

from types import SimpleNamespace
from typing import Any

import pytest

from evals.cases import Expect, ExpectedCall, State
from evals.question_checks import (
    Written,
    check_asks,
    check_citations,
    check_premise,
    check_refusal,
    check_state,
)
from evals.recompute import Item


def _answer(text: str, figures: list[dict[str, Any]] | None = None, **parts: Any) -> dict[str, Any]:
    return {"answer": text, "figures": figures or [], "tool_calls": [], "citations": [], **parts}


@pytest.mark.parametrize(
    ("truth", "good", "bad"),
    [
        ("fell", "与前提相反，10月NPS下降了26.7个点。", "10月NPS表现很好。"),
        ("rose", "Contrary to that, it rose to 40.", "It is 40."),
        ("flat", "变化并不显著。", "NPS为26.1。"),
    ],
)
def test_a_premise_is_corrected_by_saying_what_is_so(truth: str, good: str, bad: str) -> None:
    expect = Expect.model_validate({"premise": {"truth": truth}})
    assert check_premise(expect, _answer(good)) == []
    assert check_premise(expect, _answer(bad)) != []


def test_what_a_customer_is_quoted_with_corrects_nothing() -> None:
    expect = Expect.model_validate({"premise": {"truth": "fell"}})
    assert check_premise(expect, _answer("客户说「质量下降」")) != []


def test_a_refusal_says_so_offers_something_and_claims_no_figure() -> None:
    good = _answer("这不在我能回答的范围内；可以问NPS和客户反馈。")
    assert check_refusal("out_of_scope", good) == []
    assert check_refusal("out_of_scope", _answer("明天晴。")) != []
    assert check_refusal("out_of_scope", _answer("I cannot answer that.")) != []
    figure = {"text": "7.9", "value": 7.9, "path": "data.nps", "tool_call_id": "a"}
    assert check_refusal("unknown_name", _answer("没有这个产品，整体为7.9", [figure])) != []
    nothing = {"text": "0", "value": 0, "path": "n", "tool_call_id": "a"}
    assert check_refusal("no_data", _answer("没有数据（0条）", [nothing])) == []


def test_asking_back_needs_a_question() -> None:
    expect = Expect(asks=True)
    assert check_asks(expect, _answer("请问指的是哪个产品？")) == []
    assert check_asks(expect, _answer("NPS为7.9。")) != []


def test_cited_ids_come_from_a_result_and_from_the_rows_asked_for() -> None:
    items = [
        Item(source="A1", at=None, dimensions={"region": "广东"}),
        Item(source="A2", at=None, dimensions={"region": "上海"}),
    ]
    calls = [{"id": "c", "name": "search_feedback", "args": {}, "result": {"evidence": ["A1", "A2"]}}]
    call = ExpectedCall(name="search_feedback", filters={"region": "广东"})
    expect = Expect(citations=1)
    good = _answer("「…」[A1]", tool_calls=calls, citations=["A1"])
    assert check_citations(expect, good, call, items) == []
    other = _answer("「…」[A2]", tool_calls=calls, citations=["A2"])
    assert "not among the rows" in check_citations(expect, other, call, items)[0]
    made_up = _answer("「…」[A1]", citations=["A1"])
    assert "no result gave" in check_citations(expect, made_up, call, items)[0]
    assert check_citations(expect, _answer("没有"), call, items) != []


def _written(count: int, status: str = "pending_approval", *, grew: bool) -> Written:
    tasks = [
        SimpleNamespace(task_id=f"t{n}", customer_id=f"C{n}", status=SimpleNamespace(value=status))
        for n in range(count)
    ]
    return Written(tasks, [], grew=grew)


def test_nothing_may_be_written_unasked() -> None:
    assert check_state(Expect(), _written(0, grew=False)) == []
    assert check_state(Expect(), _written(1, grew=True)) == ["wrote tasks or plans unasked"]
    asked = Expect(tools=[ExpectedCall(name="create_retention_task")])
    assert check_state(asked, _written(1, grew=True)) == []


def test_the_end_state_is_compared_by_count_customers_and_status() -> None:
    state = State(tasks=2, tasks_for=["C0", "C1"], status="open")
    assert check_state(Expect(state=state), _written(2, "open", grew=True)) == []
    misses = check_state(Expect(state=state), _written(1, grew=True))
    assert any("1 tasks in the store" in miss for miss in misses)
    assert any("status pending_approval" in miss for miss in misses)
    assert any("tasks for ['C0']" in miss for miss in misses)
