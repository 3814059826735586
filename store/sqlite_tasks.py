"""Tasks on SQLite: their moves, their history, and the alert that ends with them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.alert_models import AlertRow, TaskEventRow
from store.alerts import Ending
from store.errors import Outdated, ToolInputError
from store.models import TaskRow
from store.records import AuditEntry, Task, TaskStatus
from store.sqlite_audit import append
from store.sqlite_rows import record_of, values_of
from store.sqlite_scans import note_event
from store.sqlite_writer import ALLOWED_MOVES, SqliteWriter, require_move
from store.task_changes import TaskChange, TaskEvent, TaskField

# Values in one statement: SQLite takes 32,766 at most.
_AT_ONCE: Final = 5000
_ENDINGS: Final[Mapping[TaskStatus, Ending]] = {
    TaskStatus.DONE: "resolved",
    TaskStatus.REJECTED: "declined",
    TaskStatus.CANCELLED: "declined",
}


class SqliteTasks(SqliteWriter):
    """TaskOperations, without the messages."""

    def propose_task(self, task: Task, entry: AuditEntry | None = None) -> Task:
        """Insert a task; if its id, or its alert, has one already, change nothing and return that."""
        with self._file.writing() as session:
            stored = session.get(TaskRow, task.task_id) or _of_alert(session, task.alert_id)
            if stored is not None:
                return record_of(Task, stored)
            self._insert_task(session, task, entry)
        return task

    def set_task_status(self, task_id: str, status: TaskStatus, *, actor: str) -> Task:
        """Move a task on and audit it; a move to where it stands changes nothing."""
        return self.change_task(task_id, TaskChange(status=status), actor=actor)

    def change_task(self, task_id: str, change: TaskChange, *, actor: str) -> Task:
        """Apply a change in one go; see `TaskOperations`."""
        with self._file.writing() as session:
            row = session.get(TaskRow, task_id)
            if row is None:
                raise ToolInputError(f"no task {task_id!r}; list_tasks gives the ids")
            if change.expected_version not in (None, row.version):
                raise Outdated(
                    f"task {task_id!r} has been changed since (version {row.version}, not "
                    f"{change.expected_version})",
                    hint="read it again and repeat the change if it still makes sense",
                )
            version = row.version
            self._apply(session, row, change, actor)
            if row.version != version:
                row.version = version + 1  # one change, however many fields
            return record_of(Task, row)

    def task(self, task_id: str) -> Task | None:
        """The task of that id."""
        with self._file.reading() as session:
            row = session.get(TaskRow, task_id)
            return None if row is None else record_of(Task, row)

    def tasks(self, *, status: TaskStatus | None = None, customer_id: str | None = None) -> list[Task]:
        """List tasks, nearest deadline first, those without one last."""
        query = select(TaskRow).order_by(TaskRow.due_at.is_(None), TaskRow.due_at, TaskRow.task_id)
        if status is not None:
            query = query.where(TaskRow.status == status.value)
        if customer_id is not None:
            query = query.where(TaskRow.customer_id == customer_id)
        with self._file.reading() as session:
            return [record_of(Task, row) for row in session.scalars(query)]

    def task_events(self, task_id: str) -> list[TaskEvent]:
        """The history of a task, oldest first."""
        query = select(TaskEventRow).where(TaskEventRow.task_id == task_id).order_by(TaskEventRow.number)
        with self._file.reading() as session:
            return [record_of(TaskEvent, row) for row in session.scalars(query)]

    def task_histories(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[TaskEvent]]:
        """The history of each of these tasks that there is, oldest first."""
        found: dict[str, list[TaskEvent]] = {}
        with self._file.reading() as session:
            for first in range(0, len(task_ids), _AT_ONCE):
                part = task_ids[first : first + _AT_ONCE]
                query = select(TaskEventRow).where(TaskEventRow.task_id.in_(part))
                for row in session.scalars(query.order_by(TaskEventRow.number)):
                    found.setdefault(row.task_id, []).append(record_of(TaskEvent, row))
        return found

    def _insert_task(self, session: Session, task: Task, entry: AuditEntry | None) -> None:
        session.add(TaskRow(**values_of(task)))
        self._note(session, task.task_id, "created", task.created_by, "", task.status.value)
        if entry is not None:
            append(session, [entry])

    def _apply(self, session: Session, row: TaskRow, change: TaskChange, actor: str) -> None:
        if change.status is not None and change.status.value != row.status:
            before = TaskStatus(row.status)
            require_move("task", row.task_id, before, change.status, ALLOWED_MOVES)
            if before is TaskStatus.PENDING_APPROVAL and change.status is TaskStatus.OPEN:
                row.approved_by = actor
            self._set_field(session, row, "status", change.status.value, actor)
            if change.status in _ENDINGS and row.alert_id is not None:
                self._close_alert(session, row.alert_id, _ENDINGS[change.status], actor)
        if change.owner is not None and change.owner != row.owner:
            self._set_field(session, row, "owner", change.owner, actor)
            row.placed_at = self._clock.now()  # whom a person chose need not have room
        if change.due_at is not None and change.due_at != row.due_at:
            self._set_field(session, row, "due_at", change.due_at, actor)
        snoozed = None if change.wake else change.snoozed_until
        if (change.wake or snoozed is not None) and snoozed != row.snoozed_until:
            self._set_field(session, row, "snoozed_until", snoozed, actor)
        if change.comment:
            self._note(session, row.task_id, "comment", actor, "", change.comment)
            row.version += 1

    def _set_field(self, session: Session, row: TaskRow, field: TaskField, value: Any, actor: str) -> None:
        """Change one field; history and audit say from what to what."""
        before, after = _shown(getattr(row, field)), _shown(value)
        setattr(row, field, value)
        row.version += 1
        self._note(session, row.task_id, field, actor, before, after)
        self._tell(session, f"task.{field}", row.task_id, actor, {"from": before, "to": after})

    def _note(
        self, session: Session, task_id: str, field: TaskField, actor: str, before: str, after: str
    ) -> None:
        at = self._clock.now()
        session.add(
            TaskEventRow(task_id=task_id, at=at, actor=actor, field=field, before=before, after=after)
        )

    def _close_alert(self, session: Session, alert_id: str, ending: Ending, actor: str) -> None:
        alert = session.get(AlertRow, alert_id)
        if alert is not None and alert.status == "open":
            alert.status, alert.closed_because, alert.closed_at = "closed", ending, self._clock.now()
            note_event(session, "closed", alert.closed_at, alert)
            self._tell(session, "alert.close", alert_id, actor, {"because": ending})


def _of_alert(session: Session, alert_id: str | None) -> TaskRow | None:
    if alert_id is None:
        return None
    return session.scalars(select(TaskRow).where(TaskRow.alert_id == alert_id)).first()


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value.isoformat() if isinstance(value, datetime) else str(value)
