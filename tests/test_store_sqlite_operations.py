import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.clock import FixedClock
from store.errors import StoreError, StoreLocked, ToolInputError
from store.models import REVISION, Model
from store.plan_parts import Measure
from store.records import ActionPlan, AuditEntry, Batch, Task, TaskStatus, Tier
from store.sqlite_operations import SqliteOperationStore
from store.sqlite_writer import ALLOWED_MOVES

NOW = datetime(2026, 3, 1, 4, 5, 6, 789, tzinfo=UTC)
ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteOperationStore]:
    made = SqliteOperationStore(tmp_path / "operations.db", FixedClock(NOW))
    yield made
    made.close()


def task(task_id: str = "t1", **fields: object) -> Task:
    values: dict[str, object] = {
        "task_id": task_id,
        "status": TaskStatus.PENDING_APPROVAL,
        "owner": "director",
        "summary": "打电话",
        "created_at": NOW,
        "created_by": "agent",
    }
    return Task.model_validate({**values, **fields})


def plan(plan_id: str = "p1", **fields: object) -> ActionPlan:
    values: dict[str, object] = {
        "plan_id": plan_id,
        "status": TaskStatus.PENDING_APPROVAL,
        "problem": "慢",
        "cause": "仓库",
        "evidence_grade": "adjusted",
        "measures": (Measure(action="a", owner_department="物流", metric="nps"),),
        "risks": ("cost",),
        "created_at": NOW,
        "created_by": "agent",
    }
    return ActionPlan.model_validate({**values, **fields})


def entry(subject: str = "x") -> AuditEntry:
    return AuditEntry(occurred_at=NOW, actor="李", action="look", subject=subject, detail={"键": "值"})


def test_records_come_back_as_they_went_in(store: SqliteOperationStore) -> None:
    rich = task(
        alert_id="a",
        customer_id="c",
        tier=Tier.RED,
        due_at=NOW + timedelta(hours=2),
        advice="x",
        evidence=("f1", "f2"),
    )
    assert store.propose_task(rich) == rich
    assert store.tasks() == [rich]
    assert store.propose_plan(plan()) == plan()
    assert store.plans() == [plan()]
    batch = Batch(batch_id="b", source="s", path="/x", stage="received", read=3, started_at=NOW)
    store.save_batch(batch)
    assert store.batches() == [batch]


def test_a_proposal_made_again_changes_nothing(store: SqliteOperationStore) -> None:
    store.propose_task(task())
    store.set_task_status("t1", TaskStatus.OPEN, actor="boss")
    again = store.propose_task(task(summary="something else"))
    assert (again.status, again.summary, again.approved_by) == (TaskStatus.OPEN, "打电话", "boss")
    store.propose_plan(plan())
    assert store.propose_plan(plan(problem="other")).problem == "慢"
    assert len(store.tasks()) == len(store.plans()) == 1


@pytest.mark.parametrize("before", list(TaskStatus))
@pytest.mark.parametrize("after", list(TaskStatus))
def test_only_allowed_moves_happen(
    store: SqliteOperationStore, before: TaskStatus, after: TaskStatus
) -> None:
    store.propose_task(task(status=before))
    store.propose_plan(plan(status=before))
    if after is before or after in ALLOWED_MOVES[before]:
        assert store.set_task_status("t1", after, actor="boss").status is after
        assert store.set_plan_status("p1", after, actor="boss").status is after
        assert store.verify_audit() == (0 if after is before else 2)
    else:
        for move in (store.set_task_status, store.set_plan_status):
            with pytest.raises(ToolInputError, match=f"is {before.value} and cannot become {after.value}"):
                move("t1" if move == store.set_task_status else "p1", after, actor="boss")
        assert store.tasks()[0].status is before
        assert store.verify_audit() == 0


def test_an_unknown_id_is_said_to_be_so(store: SqliteOperationStore) -> None:
    with pytest.raises(ToolInputError, match="no task 'nope'"):
        store.set_task_status("nope", TaskStatus.OPEN, actor="boss")
    with pytest.raises(ToolInputError, match="no plan 'nope'"):
        store.set_plan_status("nope", TaskStatus.OPEN, actor="boss")


def test_a_move_is_audited_with_its_author(store: SqliteOperationStore) -> None:
    store.propose_task(task())
    store.set_task_status("t1", TaskStatus.REJECTED, actor="王")
    assert store.audit_entries() == [
        AuditEntry(
            occurred_at=NOW,
            actor="王",
            action="task.status",
            subject="t1",
            detail={"from": "pending_approval", "to": "rejected"},
        )
    ]


def test_lists_are_ordered_and_filtered(store: SqliteOperationStore) -> None:
    store.propose_task(task("none"))
    store.propose_task(task("late", due_at=NOW + timedelta(days=2), customer_id="c"))
    store.propose_task(task("soon", due_at=NOW + timedelta(days=1), status=TaskStatus.OPEN))
    assert [found.task_id for found in store.tasks()] == ["soon", "late", "none"]
    assert [found.task_id for found in store.tasks(status=TaskStatus.OPEN)] == ["soon"]
    assert [found.task_id for found in store.tasks(customer_id="c")] == ["late"]
    store.propose_plan(plan("old", created_at=NOW - timedelta(days=1)))
    store.propose_plan(plan("new", status=TaskStatus.OPEN))
    assert [found.plan_id for found in store.plans()] == ["new", "old"]
    assert [found.plan_id for found in store.plans(status=TaskStatus.OPEN)] == ["new"]
    for number, stage in enumerate(("received", "stored", "indexed")):
        started = NOW + timedelta(minutes=number)
        store.save_batch(
            Batch.model_validate(
                {"batch_id": stage, "source": "s", "path": "p", "stage": stage, "started_at": started}
            )
        )
    assert [batch.batch_id for batch in store.batches()] == ["indexed", "stored", "received"]
    assert [batch.batch_id for batch in store.batches(unfinished=True)] == ["stored", "received"]


TAMPERING = {
    "a changed word": ("UPDATE audit SET actor = 'nobody' WHERE number = 2", "at entry 2"),
    "a changed detail": ("UPDATE audit SET detail = '{}' WHERE number = 3", "at entry 3"),
    "a missing link": ("DELETE FROM audit WHERE number = 2", "at entry 2"),
    "a missing end": ("DELETE FROM audit WHERE number = 3", "after entry 2"),
    "a missing head": ("DELETE FROM audit_head", "after entry 3"),
    "a moved time": (
        "UPDATE audit SET occurred_at = '2020-01-01 00:00:00.000000' WHERE number = 1",
        "at entry 1",
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_breaks_the_chain_where_it_was_done(
    store: SqliteOperationStore, tmp_path: Path, how: str
) -> None:
    for subject in ("a", "b", "c"):
        store.audit(entry(subject))
    assert store.verify_audit() == 3
    statement, where = TAMPERING[how]
    connection = sqlite3.connect(tmp_path / "operations.db")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=where):
        store.verify_audit()


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    code = """
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        from store.records import AuditEntry, Task
        from store.sqlite_operations import SqliteOperationStore

        store = SqliteOperationStore(Path(sys.argv[1]))
        for i in range(25):
            now = datetime.now(UTC)
            store.audit(AuditEntry(occurred_at=now, actor=sys.argv[2], action="a", subject=str(i)))
            store.propose_task(Task(
                task_id=str(i), status="open", owner="o", summary=sys.argv[2], created_at=now, created_by="x"
            ))
        store.close()
    """
    # All open the fresh file at once, so they race for the migration too.
    workers = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), str(path), str(n)], cwd=ROOT)
        for n in range(3)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    store = SqliteOperationStore(path)
    assert store.verify_audit() == 75
    assert len(store.tasks()) == 25

    def append(number: int) -> None:
        store.audit(entry(str(number)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(20)))
    assert store.verify_audit() == 95
    store.close()


def test_a_killed_writer_loses_nothing_it_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    code = """
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        from store.records import AuditEntry
        from store.sqlite_operations import SqliteOperationStore

        store = SqliteOperationStore(Path(sys.argv[1]))
        for i in range(100000):
            store.audit(AuditEntry(occurred_at=datetime.now(UTC), actor="a", action="a", subject=str(i)))
            print(i, flush=True)
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    confirmed = [writer.stdout.readline() for _ in range(20)]
    os.kill(writer.pid, signal.SIGKILL)
    confirmed += list(writer.stdout)
    writer.wait()
    writer.stdout.close()
    store = SqliteOperationStore(path)
    assert len(confirmed) <= store.verify_audit() <= len(confirmed) + 1
    store.close()


def test_the_migrations_build_what_the_models_say(store: SqliteOperationStore, tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{tmp_path / 'operations.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Model.metadata) == []
        assert context.get_current_revision() == REVISION
    engine.dispose()


def test_the_newest_migration_is_the_one_named() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_a_current_store_opens_without_alembic(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    SqliteOperationStore(path).close()
    code = (
        "import sys; from pathlib import Path; from store.sqlite_operations import SqliteOperationStore; "
        "SqliteOperationStore(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreError, match=re.escape(str(path))):
        SqliteOperationStore(path)


def test_a_lock_held_too_long_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    store = SqliteOperationStore(path, busy_timeout_s=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked):
        store.audit(entry())
    holder.execute("ROLLBACK")
    holder.close()
    store.audit(entry())
    assert store.verify_audit() == 1
    store.close()


def test_a_full_disk_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    code = """
        import resource, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from store.errors import StoreFull
        from store.records import AuditEntry
        from store.sqlite_operations import SqliteOperationStore

        def entry(n):
            return AuditEntry(occurred_at=datetime.now(UTC), actor="a", action="a", subject="x" * n)

        store = SqliteOperationStore(Path(sys.argv[1]))
        store.audit(entry(1))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            store.audit(entry(1_000_000))
        except StoreFull:
            print("full")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        store.audit(entry(2))
        print(store.verify_audit())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "full\n2\n", done.stderr
    store = SqliteOperationStore(path)
    assert store.verify_audit() == 2
    store.close()
