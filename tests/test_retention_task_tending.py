"""Tasks find somebody with room, wake, and are escalated: each once, whatever scans beside."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retention.alert_notices import AlertNotices, TaskNews
from retention.policy import Policy, load_policy
from retention.policy_capacity import Cap, CapacityRules
from retention.policy_escalation import EscalationRules, EscalationStep
from retention.task_routing import Owners
from retention.task_teller import TaskTeller
from retention.task_tending import TaskTending, TendReport, revisions_of
from retention.task_updates import update_task
from store.clock import FixedClock
from store.errors import NotPermitted
from store.records import Task, TaskStatus, Tier
from store.sqlite_operations import SqliteOperationStore
from store.task_changes import TaskChange
from store.task_lines import TaskBoard, TaskLine
from tests.retention_world import NOW, ZONE

ROOT = Path(__file__).resolve().parents[1]
SALES, MANAGER, DIRECTOR = "销售", "一线主管", "客服总监"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteOperationStore]:
    made = SqliteOperationStore(tmp_path / "operations.sqlite", FixedClock(NOW))
    yield made
    made.close()


def policy(**capacity: object) -> Policy:
    rules = CapacityRules.model_validate({"next_in_line": {"sales": ("frontline_manager",)}, **capacity})
    return load_policy().model_copy(update={"capacity": rules})


def line(task_id: str, **fields: object) -> TaskLine:
    values: dict[str, object] = {
        "task_id": task_id,
        "alert_id": None,
        "customer_id": task_id,
        "tier": Tier.ORANGE,
        "status": TaskStatus.OPEN,
        "owner": SALES,
        "score": 50.0,
        "due_at": NOW + timedelta(days=3),
        "created_at": NOW,
        "placed_at": None,
        "snoozed_until": None,
        "escalated_to": (),
    }
    return TaskLine.model_validate({**values, **fields})


def owners(
    lines: list[TaskLine], rules: Policy, given: dict[str, int] | None = None
) -> dict[str, str | None]:
    board = TaskBoard(tuple(lines), given or {})
    return {one.task_id: one.owner for one in revisions_of(board, rules, NOW, ZONE, "zh") if one.placed}


def task(task_id: str, **fields: object) -> Task:
    values: dict[str, object] = {
        "task_id": task_id,
        "customer_id": f"c-{task_id}",
        "tier": Tier.RED,
        "status": TaskStatus.OPEN,
        "owner": DIRECTOR,
        "due_at": NOW + timedelta(hours=2),
        "summary": "要解约",
        "created_at": NOW,
        "created_by": "scan",
    }
    return Task.model_validate({**values, **fields})


def tend(store: SqliteOperationStore, rules: Policy, hours: float = 0) -> TendReport:
    clock = FixedClock(NOW + timedelta(hours=hours))
    again = SqliteOperationStore(Path(str(store._file._path)), clock)
    try:
        return TaskTending(again, lambda: rules, clock, ZONE).run()
    finally:
        again.close()


def test_a_full_owner_passes_on_along_the_line_and_then_the_highest_score_goes_first() -> None:
    rules = policy(person=Cap(open=1), roles={"sales": Cap(open=1), "frontline_manager": Cap(open=1)})
    lines = [line(f"t{score}", owner="李经理", score=float(score)) for score in (10, 90, 50, 30, 70)]
    assert owners(lines, rules) == {"t90": "李经理", "t70": SALES, "t50": MANAGER}


def test_who_is_busy_already_is_given_nothing_and_a_role_is_one_owner_in_both_languages() -> None:
    rules = policy(roles={"sales": Cap(open=1), "frontline_manager": Cap(open=9)})
    assert owners([line("new"), line("old", owner="sales", placed_at=NOW)], rules) == {"new": MANAGER}


def test_a_week_that_is_full_counts_what_is_done_already() -> None:
    rules = policy(roles={"sales": Cap(week=3), "frontline_manager": Cap(open=9)})
    assert owners([line("new")], rules, {"销售": 2, "sales": 1}) == {"new": MANAGER}
    assert owners([line("new")], rules, {"销售": 2}) == {"new": SALES}


def test_red_never_waits_and_goes_before_a_higher_score() -> None:
    rules = policy(
        roles={"service_director": Cap(open=1), "sales": Cap(open=1), "frontline_manager": Cap(open=1)}
    )
    busy = [line("busy", owner=DIRECTOR, placed_at=NOW)]
    red = line("red", owner=DIRECTOR, tier=Tier.RED, score=20.0)
    assert owners([*busy, red], rules) == {"red": DIRECTOR}
    assert owners([*busy, line("callback", owner=DIRECTOR, tier=Tier.CALLBACK)], rules) == {
        "callback": MANAGER
    }


def test_without_caps_everything_is_placed_with_its_owner() -> None:
    assert owners([line("a", owner="李经理"), line("b")], policy()) == {"a": "李经理", "b": SALES}


def test_loads_tell_every_owner_with_a_task_or_a_cap() -> None:
    rules = policy(roles={"sales": Cap(open=1)}, people={"王": Cap(open=2)})
    board = TaskBoard((line("a", placed_at=NOW), line("b")), {"李": 4})
    loads = Owners(rules, "zh").loads(board)
    assert {name: (one.open, one.week, one.has_room) for name, one in loads.items()} == {
        SALES: (1, 0, False),
        "李": (0, 4, True),
        "王": (0, 0, True),
    }


def test_what_waits_is_kept_and_given_on_once_there_is_room(store: SqliteOperationStore) -> None:
    rules = policy(roles={"sales": Cap(open=1)}, next_in_line={})
    for n in (1, 2):
        store.propose_task(task(f"t{n}", tier=Tier.ORANGE, owner=SALES, due_at=NOW + timedelta(days=n)))
    assert tend(store, rules) == TendReport(placed=1, passed_on=0, waiting=1, woken=0, escalated=0)
    assert tend(store, rules) == TendReport(placed=0, passed_on=0, waiting=1, woken=0, escalated=0)
    store.set_task_status("t1", TaskStatus.DONE, actor="m")
    assert tend(store, rules).placed == 1
    placed = store.task("t2")
    assert placed is not None and placed.placed_at == NOW
    assert [event.field for event in store.task_events("t2")] == ["created", "placed_at"]
    assert store.verify_audit() > 0


def test_a_person_whom_somebody_chose_keeps_the_task_without_room(store: SqliteOperationStore) -> None:
    rules = policy(person=Cap(open=1))
    for n in (1, 2):
        store.propose_task(task(f"t{n}", tier=Tier.ORANGE, owner=SALES))
        store.change_task(f"t{n}", TaskChange(owner="李经理"), actor="m")
    assert tend(store, rules).placed == 0
    assert {one.owner for one in store.tasks()} == {"李经理"}


def test_an_overdue_task_is_told_to_each_role_once_in_order_and_taken_over_at_the_end(
    store: SqliteOperationStore,
) -> None:
    rules = load_policy()
    store.propose_task(task("t1"))
    heard: list[tuple[str, str, str]] = []

    def observe(news: TaskNews) -> None:
        heard.append((news.notice.kind, news.notice.role, news.task.owner))

    notices = AlertNotices(store)
    notices.on_task("pager", observe)
    assert [tend(store, rules, hours).escalated for hours in (1.9, 2, 2.1, 2.2, 3, 3.1)] == [0, 0, 1, 0, 1, 0]
    notices.dispatch()
    notices.dispatch()
    assert heard == [("overdue", "service_director", "总经理"), ("overdue", "general_manager", "总经理")]
    after = store.task("t1")
    assert after is not None and after.escalated_to == ("service_director", "general_manager")
    told = [event.after for event in store.task_events("t1") if event.field == "escalated_to"]
    assert told == ["service_director", "service_director, general_manager"]


@pytest.mark.parametrize(
    ("deadline", "told"),
    [
        ("2026-11-20T10:00", "2026-11-23T10:00"),  # Friday: the next working day is Monday
        ("2026-09-30T17:30", "2026-10-08T17:30"),  # over National Day
        ("2026-10-09T09:00", "2026-10-10T09:00"),  # a Saturday that is worked
    ],
)
def test_a_step_in_working_days_knows_the_calendar(deadline: str, told: str) -> None:
    at = datetime.fromisoformat(deadline).replace(tzinfo=ZONE)
    step = EscalationStep(role="general_manager", after_working_days=1)
    due = step.due(at.astimezone(UTC), load_policy().working_calendar(), ZONE)
    assert due == datetime.fromisoformat(told).replace(tzinfo=ZONE)


def test_a_role_with_two_steps_is_refused() -> None:
    steps = [{"role": "boss"}, {"role": "boss", "after_hours": 5}]
    with pytest.raises(ValueError, match="told once"):
        EscalationRules.model_validate({"tiers": {"red": steps}})


def test_a_snooze_ends_by_itself_and_until_then_nothing_is_escalated(store: SqliteOperationStore) -> None:
    rules = load_policy()
    store.propose_task(task("t1"))
    store.change_task("t1", TaskChange(snoozed_until=NOW + timedelta(hours=6)), actor="m")
    assert tend(store, rules, 5).escalated == 0
    report = tend(store, rules, 6)
    assert (report.woken, report.escalated) == (1, 2)  # its deadline went by meanwhile
    after = store.task("t1")
    assert after is not None and after.snoozed_until is None


_TENDING = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo
    from retention.policy import load_policy
    from retention.task_tending import TaskTending
    from store.clock import FixedClock
    from store.sqlite_operations import SqliteOperationStore
    clock = FixedClock(datetime.fromisoformat(sys.argv[2]))
    store = SqliteOperationStore(Path(sys.argv[1]), clock)
    report = TaskTending(store, load_policy, clock, ZoneInfo("Asia/Shanghai")).run()
    print(report.placed, report.escalated)
"""


def test_two_processes_that_tend_at_once_do_everything_once(
    store: SqliteOperationStore, tmp_path: Path
) -> None:
    for n in range(60):
        store.propose_task(task(f"t{n:02}"))
    later = (NOW + timedelta(hours=2.5)).isoformat()
    command = [sys.executable, "-c", textwrap.dedent(_TENDING), str(tmp_path / "operations.sqlite"), later]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [[int(n) for n in one.communicate(timeout=60)[0].split()] for one in running]
    assert [sum(column) for column in zip(*counts, strict=True)] == [60, 60]
    events = [[one.field for one in store.task_events(task.task_id)] for task in store.tasks()]
    assert all(sorted({*one}) == sorted(one) for one in events)  # nothing twice


def test_what_is_overdue_is_told_with_deadline_and_role_and_no_words_of_the_customer(
    store: SqliteOperationStore,
) -> None:
    store.propose_task(task("t1", summary="客户原话：我要解约"))
    heard: list[TaskNews] = []
    notices = AlertNotices(store)

    def observe(news: TaskNews) -> None:
        heard.append(news)

    notices.on_task("pager", observe)
    tend(store, load_policy(), 3.5)
    notices.dispatch()
    teller = TaskTeller(
        lambda scope: store, lambda customer: "甲", FixedClock(NOW + timedelta(hours=4)), ZONE
    )
    title, text = teller.words(next(one for one in heard if one.notice.role == "service_director"), "zh")
    assert title == "任务逾期，上报客服总监：客户 甲（红色预警）"
    assert "已逾期 2.0 小时" in text and "待审批" not in text and "解约" not in text
    assert (
        teller.words(next(one for one in heard if one.notice.role == "general_manager"), "en")[0]
        == "Overdue, told to the general manager: customer 甲 (red alert)"
    )


def test_only_who_may_move_the_deadline_may_snooze_beyond_it(store: SqliteOperationStore) -> None:
    store.propose_task(task("t1"))
    rules, late = load_policy(), TaskChange(snoozed_until=NOW + timedelta(hours=3))
    with pytest.raises(NotPermitted, match="beyond its deadline"):
        update_task(store, "t1", late, actor="a", role="service", policy=rules)
    soon = TaskChange(snoozed_until=NOW + timedelta(hours=1))
    assert update_task(store, "t1", soon, actor="a", role="service", policy=rules).snoozed_until
    assert update_task(store, "t1", late, actor="m", role="manager", policy=rules).snoozed_until
