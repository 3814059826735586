"""How far CRMs have come, on one machine: tables of the operation store's SQLite file."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from store.clock import Clock
from store.crm import CrmCounts, CrmLink, CrmReading, FedChange, LeaseOver
from store.crm_models import CrmEventRow, CrmLinkRow, CrmTargetRow, TaskChangeRow
from store.models import TaskRow
from store.records import TaskStatus
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile
from store.sqlite_rows import record_of

_UNDONE: Final = (TaskStatus.PENDING_APPROVAL.value, TaskStatus.OPEN.value)
_LEASE: Final = timedelta(seconds=120)
_PENDING: Final = CrmLinkRow.sent < CrmLinkRow.last


class SqliteCrm:
    """A CrmStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)
        self._clock = clock

    def claim(self, target: str, now: datetime, *, limit: int = 50) -> list[CrmLink]:
        """Tasks with changes to send whose time has come, lent to the caller."""
        due = (CrmLinkRow.target == target, _PENDING, CrmLinkRow.state == "live", CrmLinkRow.next_at <= now)
        with self._file.reading() as session:
            known = session.get(CrmTargetRow, target)
            fresh = known is None or known.spread < _newest(session)
            if not fresh and session.scalar(select(CrmLinkRow.task_id).where(*due).limit(1)) is None:
                return []
        with self._file.writing() as session:
            _spread(session, target, now)
            query = select(CrmLinkRow).where(*due).order_by(CrmLinkRow.next_at, CrmLinkRow.last).limit(limit)
            rows = session.scalars(query).all()
            for row in rows:
                row.next_at = now + _LEASE
                row.attempts += 1
                row.lease = secrets.token_hex(8)
            return [record_of(CrmLink, row) for row in rows]

    def changes(self, task_id: str, *, after: int, limit: int = 100) -> list[FedChange]:
        """Changes of one task above a number, in order."""
        query = select(TaskChangeRow).where(TaskChangeRow.task_id == task_id, TaskChangeRow.number > after)
        with self._file.reading() as session:
            return [_fed(row) for row in session.scalars(query.order_by(TaskChangeRow.number).limit(limit))]

    def arrived(self, link: CrmLink, number: int, remote_id: str) -> CrmLink:
        """The change of that number has arrived."""
        now = self._clock.now()
        return self._moved(
            link,
            sent=number,
            remote_id=remote_id,
            sent_at=now,
            next_at=now + _LEASE,  # lent anew for the next one
            attempts=1,
            detail="",
        )

    def passed_over(self, link: CrmLink, number: int) -> CrmLink:
        """The change of that number is not to be sent."""
        return self._moved(link, sent=number)

    def failed(self, link: CrmLink, detail: str, next_at: datetime | None) -> None:
        """It has not arrived."""
        if next_at is None:
            self._moved(link, state="stuck", detail=detail, lease="")
        else:
            self._moved(link, next_at=next_at, detail=detail, lease="")

    def give_back(self, link: CrmLink) -> None:
        """Nothing more is to be done for now."""
        self._moved(link, next_at=self._clock.now(), attempts=0, lease="")

    def retry(self, target: str, task_id: str | None = None) -> int:
        """Let what is stuck, or waits for its next try, be sent at once."""
        query = select(CrmLinkRow).where(CrmLinkRow.target == target, _PENDING)
        if task_id is not None:
            query = query.where(CrmLinkRow.task_id == task_id)
        with self._file.writing() as session:
            # What is lent is being sent already.
            rows = session.scalars(query.where(CrmLinkRow.lease == "")).all()
            for row in rows:
                row.state, row.attempts, row.next_at = "live", 0, self._clock.now()
                row.remote_id = ""  # made anew where it was deleted there
            return len(rows)

    def resend(self, target: str, task_id: str) -> None:
        """Let the newest change of a task be sent again."""
        with self._file.writing() as session:
            row = session.get(CrmLinkRow, (target, task_id))
            if row is not None and row.sent == row.last:
                row.sent, row.next_at = row.last - 1, self._clock.now()

    def link(self, target: str, task_id: str) -> CrmLink | None:
        """How far that CRM has come with that task."""
        with self._file.reading() as session:
            row = session.get(CrmLinkRow, (target, task_id))
            return None if row is None else record_of(CrmLink, row)

    def links(self, target: str, *, pending: bool = False, limit: int = 100) -> list[CrmLink]:
        """List tasks of a CRM, the longest waiting first."""
        query = select(CrmLinkRow).where(CrmLinkRow.target == target)
        if pending:
            query = query.where(_PENDING)
        query = query.order_by(_PENDING.desc(), CrmLinkRow.last, CrmLinkRow.task_id).limit(limit)
        with self._file.reading() as session:
            return [record_of(CrmLink, row) for row in session.scalars(query)]

    def counts(self, target: str) -> CrmCounts:
        """How many tasks are how far."""
        mine = CrmLinkRow.target == target
        with self._file.reading() as session:

            def how_many(*which: ColumnElement[bool]) -> int:
                query = select(func.count()).select_from(CrmLinkRow).where(mine, *which)
                return session.scalar(query) or 0

            waits = select(func.min(TaskChangeRow.at)).join(
                CrmLinkRow,
                (CrmLinkRow.task_id == TaskChangeRow.task_id) & (TaskChangeRow.number > CrmLinkRow.sent),
            )
            return CrmCounts(
                up_to_date=how_many(~_PENDING),
                waiting=how_many(_PENDING, CrmLinkRow.state == "live"),
                stuck=how_many(_PENDING, CrmLinkRow.state == "stuck"),
                oldest=session.scalar(waits.where(mine)),
            )

    def reading(self, target: str) -> CrmReading:
        """How far the CRM's own changes have been read."""
        with self._file.reading() as session:
            row = session.get(CrmTargetRow, target)
            if row is None:
                return CrmReading(target=target)
            return CrmReading(target=target, cursor=row.cursor, read_at=row.read_at, detail=row.detail)

    def read(self, target: str, cursor: str, at: datetime, detail: str = "") -> None:
        """They have been read up to there."""
        with self._file.writing() as session:
            _spread(session, target, at)
            row = session.get_one(CrmTargetRow, target)
            row.cursor, row.read_at, row.detail = cursor, at, detail

    def take_in(self, target: str, event_id: str, at: datetime) -> datetime | None:
        """Keep that an event of a CRM came."""
        with self._file.writing() as session:
            row = session.get(CrmEventRow, (target, event_id))
            if row is None:
                session.add(CrmEventRow(target=target, event_id=event_id, at=at, done_at=None))
                return at
            return row.at if row.done_at is None else None

    def taken_in(self, target: str, event_id: str, at: datetime) -> None:
        """That event has been dealt with."""
        with self._file.writing() as session:
            session.get_one(CrmEventRow, (target, event_id)).done_at = at

    def close(self) -> None:
        """Release connections."""
        self._file.close()

    def _moved(self, link: CrmLink, **values: Any) -> CrmLink:
        with self._file.writing() as session:
            row = session.get(CrmLinkRow, (link.target, link.task_id))
            if row is None or row.lease != link.lease:
                raise LeaseOver(f"the task {link.task_id!r} is not lent to this process any more")
            for name, value in values.items():
                setattr(row, name, value)
            return record_of(CrmLink, row)


def _spread(session: Session, target: str, now: datetime) -> None:
    """Note in the target's links which tasks have changed since; begin with those undone where it is new."""
    known = session.get(CrmTargetRow, target)
    newest = _newest(session)
    last = select(TaskChangeRow.task_id, func.max(TaskChangeRow.number).label("last"))
    if known is None:
        session.add(CrmTargetRow(target=target, spread=newest, cursor="", read_at=None, detail=""))
        undone = select(TaskRow.task_id).where(TaskRow.status.in_(_UNDONE))
        last, first = last.where(TaskChangeRow.task_id.in_(undone)), True
    else:
        last, first = last.where(TaskChangeRow.number > known.spread), False
        known.spread = newest
    rows = [
        {
            "target": target,
            "task_id": task_id,
            "remote_id": "",
            "last": number,
            "sent": number - 1 if first else 0,
            "state": "live",
            "attempts": 0,
            "next_at": now,
            "sent_at": None,
            "detail": "",
            "lease": "",
        }
        for task_id, number in session.execute(last.group_by(TaskChangeRow.task_id))
    ]
    if rows:
        statement = insert(CrmLinkRow)
        update = {"last": statement.excluded.last}
        session.execute(statement.on_conflict_do_update(["target", "task_id"], set_=update), rows)


def _newest(session: Session) -> int:
    return session.scalar(select(func.max(TaskChangeRow.number))) or 0


def _fed(row: TaskChangeRow) -> FedChange:
    return FedChange.model_validate({name: getattr(row, name) for name in FedChange.model_fields})
