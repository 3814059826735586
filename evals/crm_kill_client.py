"""A process that changes tasks and tells a CRM of them, and may be killed at any statement of the store."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine

from evals.crm_receivers import Kind, client
from retention.crm_outbox import CrmOutbox
from store.clock import MovableClock
from store.records import Task, TaskStatus
from store.sqlite_crm import SqliteCrm
from store.sqlite_operations import SqliteOperationStore
from store.task_changes import TaskChange

NOW: Final = datetime(2026, 11, 22, 4, tzinfo=UTC)


class _Fuse:
    """Counts statements and commits; ends the process at one of them, before it is carried out."""

    def __init__(self, at: int | None) -> None:
        self.seen, self._at = 0, at

    def __call__(self, *_: Any) -> None:
        self.seen += 1
        if self.seen == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def work(home: Path, kind: Kind, url: str, run: int, kill_at: int | None, told: Any) -> None:
    """A task of its own with three changes, a change of an earlier one, then whatever is due; how it went."""
    fuse = _Fuse(kill_at)
    # Later than the loan of the process before, whose end nobody has noticed.
    clock = MovableClock(NOW + timedelta(minutes=10 * run))
    operations = SqliteOperationStore(home / "operations.sqlite", clock)
    store = SqliteCrm(home / "operations.sqlite", clock)
    crm = client(kind, url, clock)
    event.listen(Engine, "before_cursor_execute", fuse)
    event.listen(Engine, "commit", fuse)
    task = Task(
        task_id=f"task-{run}",
        status=TaskStatus.OPEN,
        owner="王芳",
        summary="要走",
        created_at=clock.now(),
        created_by="scan",
    )
    operations.propose_task(task)
    operations.change_task(task.task_id, TaskChange(owner="李雷", comment=f"转交{run}"), actor="陈静")
    operations.change_task(task.task_id, TaskChange(status=TaskStatus.DONE), actor="陈静")
    earlier = operations.task(f"task-{run - 1}")
    if earlier is not None:
        operations.change_task(earlier.task_id, TaskChange(comment=f"补记{run}"), actor="陈静")
    outbox = CrmOutbox("hub", crm, store, clock)
    while outbox.send_due().arrived:
        pass
    told.put(fuse.seen)
