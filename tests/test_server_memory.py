"""`threads`, `preferences` and `approvals` from the command line; decisions about drafts of other threads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.approvals import Decision
from agent.settings import Settings
from agent.thread_keys import thread_key, thread_name
from agent.wiring import App, open_app
from store.clock import FixedClock
from store.errors import NotPermitted, ToolInputError
from store.records import Outcome, Task, TaskStatus
from tests.command_line import CommandLine
from tools.context import Asker

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
LI, WANG, ZHAO = Asker("li", "analyst"), Asker("wang", "manager"), Asker("zhao", "manager")
QUESTION = "给客户c1创建挽留任务，原因：看了竞品报价"


@pytest.fixture
def filled(voiceloop: CommandLine) -> CommandLine:
    assert voiceloop.ingest(voiceloop.write("feed.csv")).status == 0
    return voiceloop


@pytest.fixture
def app(tmp_path: Path) -> App:
    opened = open_app(Settings(home=tmp_path / "home", _env_file=None), FixedClock(NOW))
    opened.operations.propose_task(draft("t1"))
    return opened


def draft(task_id: str, age: int = 1, by: str = "li") -> Task:
    return Task(
        task_id=task_id,
        customer_id="c1",
        status=TaskStatus.PENDING_APPROVAL,
        owner="客服",
        summary="回访",
        created_at=NOW - timedelta(days=age),
        created_by=by,
    )


def status(app: App, task_id: str = "t1") -> TaskStatus:
    return next(task.status for task in app.operations.tasks() if task.task_id == task_id)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((Asker("a/b"), "c"), (Asker("a"), "b/c")),
        ((Asker("a"), "t/@hq"), (Asker("a", scope=("hq",)), "t")),
        ((Asker("a"), "b%2Fc"), (Asker("a"), "b/c")),
        ((Asker("a", scope=("hq/x",)), "t"), (Asker("a", scope=("hq", "x")), "t")),
    ],
)
def test_no_name_can_be_taken_for_another(one: tuple[Asker, str], other: tuple[Asker, str]) -> None:
    assert thread_key(*one) != thread_key(*other)
    assert thread_name(thread_key(*one), one[0]) == one[1]
    assert thread_name(thread_key(*one), other[0]) in (None, one[1])


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "a\u202eb", "\ud800", "x" * 121])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ToolInputError):
        thread_key(LI, name)


def test_threads_are_listed_shown_renamed_and_deleted_by_their_owner_alone(filled: CommandLine) -> None:
    filled("ask", "NPS是多少？", "--thread", "周报/一", "--as-user", "li", "--json")
    filled("ask", "那广东呢？", "--thread", "周报/一", "--as-user", "li", "--json")
    (entry,) = filled("threads", "list", "--as-user", "li", "--json").document["threads"]
    assert (entry["thread_id"], entry["asked"], entry["turns"]) == ("周报/一", "那广东呢？", 2)
    assert filled("threads", "list", "--as-user", "wang", "--json").document == {"threads": []}
    assert filled("threads", "show", "周报/一", "--as-user", "wang", "--json").status == 2
    assert filled("threads", "delete", "周报/一", "--as-user", "wang", "--json").status == 2
    assert filled("threads", "rename", "周报/一", "月报", "--as-user", "li", "--json").status == 0
    shown = filled("threads", "show", "月报", "--as-user", "li", "--json").document["turns"]
    assert [turn["question"] for turn in shown] == ["NPS是多少？", "那广东呢？"]
    assert all(turn["answer"] for turn in shown)
    again = filled("ask", "那上海呢？", "--thread", "月报", "--as-user", "li", "--json").document
    assert again["tool_calls"][0]["args"]["filters"] == {"region": "上海"}
    assert filled("threads", "delete", "月报", "--as-user", "li", "--json").status == 0
    assert filled("threads", "list", "--as-user", "li", "--json").document == {"threads": []}


def test_preferences_from_the_command_line(filled: CommandLine) -> None:
    assert (
        filled("preferences", "set", "--filter", "region=广东", "--word", "南边=广东", "--json").status == 0
    )
    assert filled("preferences", "set", "--filter", "planet=火星", "--json").status == 2
    answer = filled("ask", "NPS是多少？", "--json").document
    assert answer["tool_calls"][0]["args"]["filters"] == {"region": "广东"}
    assert "默认筛选：广东" in answer["answer"]
    kept = filled("preferences", "list", "--json").document["preferences"]
    assert [(one["kind"], one["name"]) for one in kept] == [("filter", "region"), ("word", "南边")]
    assert filled("preferences", "forget", "--json").document == {"forgotten": 2}


def test_a_manager_decides_about_what_an_analyst_drafted(filled: CommandLine) -> None:
    args = '{"customer_ids": ["c1"], "tier": "orange", "reason": "看了竞品报价"}'
    assert filled("tool", "create_retention_task", "--args", args, "--as-user", "li").status == 0
    (waiting,) = filled("approvals", "list", "--as-user", "w", "--role", "manager", "--json").document[
        "approvals"
    ]
    assert filled("approvals", "approve", waiting["id"], "--role", "analyst", "--json").status == 1
    done = filled("approvals", "approve", waiting["id"], "--as-user", "w", "--role", "manager", "--json")
    assert done.document["approved"] == [waiting["id"]]
    late = filled("approvals", "reject", waiting["id"], "--as-user", "z", "--role", "manager", "--json")
    assert late.document["rejected"] == []
    assert late.document["already"] == [{"id": waiting["id"], "status": "open", "by": "w"}]


def test_who_decides_first_decides_and_the_second_is_told(app: App) -> None:
    with app:
        assert app.approver.decide(Decision(approve=["t1"]), WANG).approved == ["t1"]
        second = app.approver.decide(Decision(approve=["t1"]), ZHAO)
        assert (second.approved, [one.by for one in second.already]) == ([], ["wang"])
        assert "wang" in second.text("zh")
        rejected = app.approver.decide(Decision(reject=["t1"]), ZHAO)
        assert (rejected.rejected, status(app)) == ([], TaskStatus.OPEN)
        moves = [entry for entry in app.operations.audit_entries() if entry.action == "task.status"]
        assert len(moves) == 1


def test_only_who_may_approve_decides_and_sees_what_others_drafted(app: App) -> None:
    with app:
        with pytest.raises(NotPermitted):
            app.approver.decide(Decision(approve=["t1"]), LI)
        assert [one.id for one in app.approver.waiting(LI)] == ["t1"]
        assert app.approver.waiting(Asker("sun", "analyst")) == []
        with pytest.raises(ToolInputError, match="no draft"):
            app.approver.decide(Decision(approve=["t1", "t9"]), WANG)
        assert status(app) is TaskStatus.PENDING_APPROVAL


def test_an_expired_draft_says_so_and_is_never_carried_out(app: App) -> None:
    with app:
        app.operations.propose_task(draft("old", age=15))
        assert {one.id: one.expired for one in app.approver.waiting(WANG)} == {"t1": False, "old": True}
        report = app.approver.decide(Decision(approve=["old"]), WANG)
        assert (report.approved, report.held[0].reason) == ([], "expired")
        assert "过期" in report.text("zh")
        assert status(app, "old") is TaskStatus.CANCELLED
        assert app.approver.decide(Decision(approve=["old"]), ZHAO).approved == []


def test_a_customer_who_left_since_holds_a_task_up(app: App) -> None:
    with app:
        app.facts.add_outcomes([Outcome(customer_id="c1", occurred_at=NOW, outcome="churned")])
        assert app.approver.decide(Decision(approve=["t1"]), WANG).held[0].reason == "left"
        assert status(app) is TaskStatus.PENDING_APPROVAL
        assert app.approver.decide(Decision(approve=["t1"], anyway=True), WANG).approved == ["t1"]


def test_a_draft_that_changed_since_it_was_shown_is_not_carried_out(app: App) -> None:
    with app:
        (seen,) = app.approver.waiting(WANG)
        other = seen.model_copy(update={"digest": "of other words"})
        report = app.approver.carry_out([other], Decision(approve="all"), WANG)
        assert (report.held[0].reason, status(app)) == ("changed", TaskStatus.PENDING_APPROVAL)
