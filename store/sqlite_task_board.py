"""The board of undone tasks on SQLite: decided about under the write lock, so that two processes agree."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.alert_models import AlertRow, NoticeRow
from store.models import TaskRow
from store.records import TaskStatus
from store.sqlite_tasks import SqliteTasks
from store.task_lines import DecideTasks, TaskBoard, TaskLine, TaskRevision

_UNDONE: Final = (TaskStatus.PENDING_APPROVAL.value, TaskStatus.OPEN.value)
_COLUMNS: Final = tuple(getattr(TaskRow, name) for name in TaskLine.model_fields if name != "score")


class SqliteTaskBoard(SqliteTasks):
    """What TaskOperations decides about all tasks at once."""

    def task_board(self, since: datetime) -> TaskBoard:
        """Every undone task, and how many were given to each owner since then."""
        with self._file.reading() as session:
            return _board(session, since)

    def revise_tasks(self, decide: DecideTasks, *, since: datetime, actor: str) -> Sequence[TaskRevision]:
        """Let `decide` see the board and carry out what it returns, under one write lock."""
        with self._file.writing() as session:
            revisions = decide(_board(session, since))
            for revision in revisions:
                self._revise(session, session.get_one(TaskRow, revision.task_id), revision, actor)
        return revisions

    def _revise(self, session: Session, row: TaskRow, revision: TaskRevision, actor: str) -> None:
        version, now = row.version, self._clock.now()
        if revision.owner is not None and revision.owner != row.owner:
            self._set_field(session, row, "owner", revision.owner, actor)
        if revision.placed and row.placed_at is None:
            self._set_field(session, row, "placed_at", now, actor)
        if revision.wake and row.snoozed_until is not None:
            until = row.snoozed_until
            self._set_field(session, row, "snoozed_until", None, actor)
            session.add(_notice(row, "woken", f"{row.task_id}/woken/{until.isoformat()}", "", now))
        if revision.tell is not None and revision.tell not in row.escalated_to:
            self._set_field(session, row, "escalated_to", [*row.escalated_to, revision.tell], actor)
            key = f"{row.task_id}/overdue/{row.tier}/{revision.tell}"
            session.add(_notice(row, "overdue", key, revision.tell, now))
        if row.version != version:
            row.version = version + 1


def _board(session: Session, since: datetime) -> TaskBoard:
    lines = select(*_COLUMNS, AlertRow.score).outerjoin(AlertRow, AlertRow.alert_id == TaskRow.alert_id)
    lines = lines.where(TaskRow.status.in_(_UNDONE)).order_by(TaskRow.task_id)
    given = select(TaskRow.owner, func.count()).where(TaskRow.placed_at >= since).group_by(TaskRow.owner)
    return TaskBoard(
        tuple(TaskLine.model_validate(dict(row)) for row in session.execute(lines).mappings()),
        {row[0]: row[1] for row in session.execute(given)},
    )


def _notice(row: TaskRow, kind: str, notice_id: str, role: str, at: datetime) -> NoticeRow:
    return NoticeRow(
        notice_id=notice_id,
        alert_id=row.alert_id or "",
        kind=kind,
        tier=row.tier or "",
        at=at,
        task_id=row.task_id,
        role=role,
    )
