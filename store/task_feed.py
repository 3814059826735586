"""The feed of task changes: written in the transaction that changes the task, by whatever way it is changed.

A row of the task table that a session has flushed is marked; before the session commits, each marked task
whose version has moved is kept as a change. So no process can end between the two, and no writer can forget.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, event, func, select
from sqlalchemy.orm import Mapper, Session, object_session

from store.alert_models import TaskEventRow
from store.crm_models import TaskChangeRow
from store.models import TaskRow
from store.records import Task
from store.sqlite_rows import record_of

_TOUCHED: Final = "tasks touched"
_AT_ONCE: Final = 500
# Counts changes itself; it is in every one.
_NOT_A_FIELD: Final = "version"
_NOBODY: Final = "voiceloop"
# task_id, number, at, actor, field, after
_Line = Row[str, int, datetime, str, str, str]


@event.listens_for(TaskRow, "after_insert")
@event.listens_for(TaskRow, "after_update")
def _touched(mapper: Mapper[TaskRow], connection: Connection, row: TaskRow) -> None:
    session = object_session(row)
    if session is not None:
        session.info.setdefault(_TOUCHED, {})[row.task_id] = None


def feed_changes(session: Session, now: datetime) -> None:
    """Keep the changes of tasks that this session is about to commit."""
    session.flush()
    touched: list[str] = list(session.info.pop(_TOUCHED, {}))
    for at in range(0, len(touched), _AT_ONCE):
        _feed(session, touched[at : at + _AT_ONCE], now)
    session.flush()


def _feed(session: Session, task_ids: Sequence[str], now: datetime) -> None:
    newest = select(func.max(TaskChangeRow.number)).where(TaskChangeRow.task_id.in_(task_ids))
    known = {
        row.task_id: row
        for row in session.scalars(
            select(TaskChangeRow).where(TaskChangeRow.number.in_(newest.group_by(TaskChangeRow.task_id)))
        )
    }
    lines: dict[str, list[_Line]] = {}
    events = select(
        TaskEventRow.task_id,
        TaskEventRow.number,
        TaskEventRow.at,
        TaskEventRow.actor,
        TaskEventRow.field,
        TaskEventRow.after,
    ).where(TaskEventRow.task_id.in_(task_ids), TaskEventRow.number > _oldest(known.values(), task_ids))
    for line in session.execute(events.order_by(TaskEventRow.number)):
        lines.setdefault(line.task_id, []).append(line)
    for row in session.scalars(
        select(TaskRow).where(TaskRow.task_id.in_(task_ids)).order_by(TaskRow.task_id)
    ):
        before = known.get(row.task_id)
        since = [one for one in lines.get(row.task_id, []) if before is None or one.number > before.event]
        if before is None or row.version != before.version:
            session.add(_change(record_of(Task, row), before, since, now))


def _change(task: Task, before: TaskChangeRow | None, lines: Sequence[_Line], now: datetime) -> TaskChangeRow:
    stands = task.model_dump(mode="json")
    changed = [
        name
        for name, value in stands.items()
        if name != _NOT_A_FIELD and (before is None or before.task.get(name) != value)
    ]
    known = 0 if before is None else before.event
    return TaskChangeRow(
        task_id=task.task_id,
        version=task.version,
        event=lines[-1].number if lines else known,
        at=lines[-1].at if lines else now,
        # What has no line of history, such as new evidence, is nobody's doing.
        actor=lines[-1].actor if lines else _NOBODY,
        fields=changed,
        comments=[line.after for line in lines if line.field == "comment"],
        task=stands,
    )


def _oldest(known: Iterable[TaskChangeRow], task_ids: Sequence[str]) -> int:
    rows = list(known)
    return min((row.event for row in rows), default=0) if len(rows) == len(task_ids) else 0
