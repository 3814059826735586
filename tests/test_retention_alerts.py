"""One issue of one customer is one alert and one task, whatever is said later and whoever scans."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from retention.alert_scan import AlertScan, ScanReport
from retention.policy import load_policy
from store.alerts import Alert
from store.clock import FixedClock
from store.records import Customer, Sentiment, TaskStatus, Tier
from store.sqlite_operations import SqliteOperationStore
from tests.retention_world import NOW, ZONE, World

BAD = Sentiment.NEGATIVE
NAMES = {"zh": {"service/attitude": "服务态度"}, "en": {"service/attitude": "attitude of the staff"}}
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def scan(world: World, days: float = 0) -> ScanReport:
    world.context()  # writes what was said
    clock = FixedClock(NOW + timedelta(days=days))
    operations = SqliteOperationStore(world.home / "operations.sqlite", clock)
    try:
        return AlertScan(world.facts, operations, clock, ZONE, NAMES, load_policy).run()
    finally:
        operations.close()


def alerts(world: World) -> list[Alert]:
    return world.operations.alerts()


def test_an_alert_says_what_happened_why_it_matters_and_by_when(world: World) -> None:
    world.says("red", 0.1, "客服一直推脱，我要解约", BAD, signals=("cancel",), topics=("service/attitude",))
    assert scan(world).opened == 1
    [alert] = alerts(world)
    assert (alert.tier, alert.status, alert.owner_role) == (Tier.RED, "open", "service_director")
    assert alert.due_at == NOW + timedelta(hours=2)
    assert alert.evidence == ("f1",)
    assert alert.causes[0] == "cancel"
    assert sum(part.points for part in alert.parts) == pytest.approx(alert.score)
    assert all(abs(part.points) <= abs(part.weight) + 0.1 for part in alert.parts)
    assert "解约或取消" in alert.summary["zh"] and "服务态度" in alert.summary["zh"]
    assert "客服一直推脱" in alert.summary["zh"]
    assert "cancelling" in alert.summary["en"] and "attitude of the staff" in alert.summary["en"]
    [task] = world.operations.tasks()
    assert (task.alert_id, task.status, task.owner) == (
        alert.alert_id,
        TaskStatus.PENDING_APPROVAL,
        "客服总监",
    )
    assert task.due_at == alert.due_at and "总监" in task.advice and task.summary == alert.summary["zh"]


def test_a_thousand_items_that_say_the_same_are_one_alert_and_one_task(world: World) -> None:
    for n in range(1000):
        world.says("loud", 5 - n / 250, "我要解约", BAD, signals=("cancel",))
    scan(world)
    scan(world)
    assert len(alerts(world)) == len(world.operations.tasks()) == 1


def test_nothing_new_is_not_looked_at_again_within_a_day(world: World) -> None:
    world.says("red", 0.1, "我要解约", BAD, signals=("cancel",))
    world.says("fine", 1, "很好", Sentiment.POSITIVE, nps=10)
    assert scan(world).assessed == 1  # of who is fine there is nothing to judge
    again = scan(world, days=0.5)
    assert (again.assessed, again.opened, again.joined) == (0, 0, 0)
    assert scan(world, days=1.1).assessed == 1


def test_new_evidence_joins_and_a_graver_one_raises_alert_task_and_deadline(world: World) -> None:
    world.says("c1", 2, "别家更便宜", BAD, signals=("competitor",))
    world.context()
    world.facts.add_customers([Customer(customer_id="c2", owner="李经理")])
    scan(world)
    [orange] = alerts(world)
    assert orange.tier is Tier.ORANGE
    world.says("c1", 1, "太贵了", BAD, signals=("price",))
    report = scan(world, days=0.1)
    assert (report.opened, report.raised, report.joined) == (0, 0, 1)
    world.says("c1", 0.1, "我要解约", BAD, signals=("cancel",))
    report = scan(world, days=0.2)
    assert (report.opened, report.raised) == (0, 1)
    [red] = alerts(world)
    assert red.alert_id == orange.alert_id and red.tier is Tier.RED
    assert red.due_at == NOW + timedelta(days=0.2, hours=2)
    assert set(red.evidence) >= {"f1", "f2", "f3"}
    [task] = world.operations.tasks()
    assert (task.tier, task.due_at, task.owner) == (Tier.RED, red.due_at, "客服总监")
    changed = [event.field for event in world.operations.task_events(task.task_id)]
    assert changed == ["created", "tier", "owner", "due_at"]


def test_an_owner_whom_a_person_chose_stays_when_the_tier_rises(world: World) -> None:
    world.says("c1", 2, "别家更便宜", BAD, signals=("competitor",))
    world.context()
    world.facts.add_customers([Customer(customer_id="c1", owner="李经理")])
    scan(world)
    world.says("c1", 0.1, "我要解约", BAD, signals=("cancel",))
    scan(world, days=0.1)
    [task] = world.operations.tasks()
    assert (task.tier, task.owner) == (Tier.RED, "李经理")


def test_yellow_opens_by_itself_with_a_message_and_asks_for_approval_once_it_is_graver(world: World) -> None:
    world.says("c1", 1, "这个功能太难用了", BAD, topics=("product/usability",))
    report = scan(world)
    assert (report.by_tier["yellow"], report.messages) == (1, 1)
    [task] = world.operations.tasks()
    assert (task.status, task.owner) == (TaskStatus.OPEN, "自动关怀")
    [message] = world.operations.messages()
    assert message.status.value == "prepared" and "使用体验" in message.text
    assert "how the product works" in message.translation
    world.says("c1", 0.1, "我要解约", BAD, signals=("cancel",))
    scan(world, days=0.1)
    [task] = world.operations.tasks()
    assert (task.status, task.tier) == (TaskStatus.PENDING_APPROVAL, Tier.RED)
    assert len(world.operations.messages()) == 1


def test_after_the_end_only_new_evidence_counts_and_only_graver_within_the_cooldown(world: World) -> None:
    world.says("c1", 1, "别家更便宜", BAD, signals=("competitor",))
    scan(world)
    [task] = world.operations.tasks()
    world.operations.set_task_status(task.task_id, TaskStatus.OPEN, actor="boss")
    world.operations.set_task_status(task.task_id, TaskStatus.DONE, actor="li")
    assert [(a.status, a.closed_because) for a in alerts(world)] == [("closed", "resolved")]
    assert scan(world, days=13).opened == 0  # the same evidence raises nothing again
    world.says("c1", 0.5, "又看到别家的价格", BAD, signals=("price",))
    assert scan(world, days=1).opened == 0  # within the cooldown of 14 days
    assert scan(world, days=15).opened == 1  # delayed, not lost
    assert len({alert.alert_id for alert in alerts(world)}) == 2


def test_the_same_cause_again_after_the_end_is_an_alert_of_its_own(world: World) -> None:
    world.says("c1", 1, "我要解约", BAD, signals=("cancel",))
    scan(world)
    [task] = world.operations.tasks()
    world.operations.set_task_status(task.task_id, TaskStatus.REJECTED, actor="boss")
    world.says("c1", -8, "还是要解约", BAD, signals=("cancel",))
    # The first item is less than 30 days old and belongs to the same trigger, which must not lend its id.
    assert scan(world, days=9).opened == 1
    assert [a.status for a in alerts(world)] == ["open", "closed"]


def test_something_graver_breaks_the_cooldown(world: World) -> None:
    world.says("c1", 1, "别家更便宜", BAD, signals=("competitor",))
    scan(world)
    [task] = world.operations.tasks()
    world.operations.set_task_status(task.task_id, TaskStatus.REJECTED, actor="boss")
    world.says("c1", 0.1, "我要解约", BAD, signals=("cancel",))
    assert scan(world, days=0.1).by_tier["red"] == 1
    assert [a.closed_because for a in alerts(world) if a.status == "closed"] == ["declined"]


def test_a_task_that_a_person_drew_up_becomes_the_alerts(world: World) -> None:
    from tools.registry import spec
    from tools.tasks import create_retention_task

    world.says("c1", 1, "别家更便宜", BAD, signals=("competitor",))
    made = spec(create_retention_task, acts=True).run({"customer_ids": ["c1"]}, world.context())
    scan(world)
    [task], [alert] = world.operations.tasks(), alerts(world)
    assert task.task_id == made.data["tasks"][0]["task_id"] and task.alert_id == alert.alert_id
    again = spec(create_retention_task, acts=True).run({"customer_ids": ["c1"]}, world.context())
    assert again.data["created"] == 0 and len(world.operations.tasks()) == 1


def test_who_has_left_raises_nothing(world: World) -> None:
    from store.records import Outcome

    world.says("gone", 3, "我要解约", BAD, signals=("cancel",))
    world.context()
    world.facts.add_outcomes([Outcome(customer_id="gone", occurred_at=NOW, outcome="churned")])
    assert scan(world).opened == 0


def test_two_processes_that_scan_at_once_make_one_alert_and_one_task_each(world: World) -> None:
    for n in range(40):
        world.says(f"c{n}", 0.1, "我要解约", BAD, signals=("cancel",))
    for n in range(1000):
        world.says("loud", 5 - n / 250, "我要解约", BAD, signals=("cancel",))
    world.context()
    world.facts.close()
    code = """
        import sys, shutil
        from pathlib import Path
        from retention.alert_scan import AlertScan
        from retention.policy import load_policy
        from store.clock import FixedClock
        from store.duckdb_facts import DuckDBFactStore
        from store.sqlite_operations import SqliteOperationStore
        from tests.retention_world import NOW, ZONE
        home, own = Path(sys.argv[1]), Path(sys.argv[2])
        shutil.copyfile(home / "facts.duckdb", own)
        operations = SqliteOperationStore(home / "operations.sqlite", FixedClock(NOW))
        facts = DuckDBFactStore(own, ZONE)
        print("ready", flush=True)
        sys.stdin.readline()
        print(AlertScan(facts, operations, FixedClock(NOW), ZONE, {}, load_policy).run().opened, flush=True)
        operations.close()
        facts.close()
    """
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(world.home), str(world.home / f"{n}.duckdb")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    for run in runs:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
    told = [run.communicate("go\n")[0] for run in runs]
    assert sum(int(one) for one in told) == 41
    assert len(alerts(world)) == len(world.operations.tasks()) == 41
    assert len(world.operations.tasks(customer_id="loud")) == 1  # a thousand items, two processes
    world.operations.verify_audit()
