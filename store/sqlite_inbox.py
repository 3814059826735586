"""The inbox on one machine: tables of the operation store's SQLite file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from store.errors import StoreError
from store.inbox import Incoming, IncomingState, Source, ThreadLink
from store.models import IncomingRow, ThreadLinkRow
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# Nobody sends an event again after so long.
_KEPT: Final = timedelta(days=14)
_CLEARED: Final = timedelta(hours=1)


class SqliteInbox:
    """An Inbox in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)
        # SQLite makes a writer that must wait sleep, longer each time; this one hands over at once.
        self._turn = Lock()
        self._cleared_at: datetime | None = None

    def take(self, incoming: Incoming) -> bool:
        """Keep an event; False where it was kept before."""
        # A repetition is the common case and need not wait for a turn to write.
        with self._file.reading() as session:
            if session.get(IncomingRow, (incoming.source, incoming.event_id)) is not None:
                return False
        with self._writing() as session:
            self._clear(session, incoming.received_at)
            values = {**incoming.model_dump(), "payload": dict(incoming.payload), "reply": {}}
            added = session.execute(
                insert(IncomingRow).values(**values).on_conflict_do_nothing().returning(IncomingRow.event_id)
            )
            return added.first() is not None

    def _clear(self, session: Session, now: datetime) -> None:
        """Forget what is long done, now and then."""
        if self._cleared_at is not None and now - self._cleared_at < _CLEARED:
            return
        self._cleared_at = now
        session.execute(
            delete(IncomingRow).where(IncomingRow.received_at < now - _KEPT, IncomingRow.state != "waiting")
        )

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._turn, self._file.writing() as session:
            yield session

    def begin(self, source: Source, event_id: str) -> int:
        """Count one more attempt."""
        with self._writing() as session:
            row = _row(session, source, event_id)
            row.attempts += 1
            return row.attempts

    def note(
        self,
        source: Source,
        event_id: str,
        *,
        turns_before: int | None = None,
        reply: Mapping[str, str] | None = None,
    ) -> None:
        """Remember how far an event has come."""
        with self._writing() as session:
            row = _row(session, source, event_id)
            if turns_before is not None:
                row.turns_before = turns_before
            if reply is not None:
                row.reply = dict(reply)

    def settle(self, source: Source, event_id: str, state: IncomingState) -> None:
        """Its payload is forgotten, its id is not."""
        with self._writing() as session:
            row = _row(session, source, event_id)
            row.state = state
            row.payload = {}

    def waiting(self, source: Source) -> Sequence[Incoming]:
        """What is not dealt with yet, oldest first."""
        with self._file.reading() as session:
            rows = session.scalars(
                select(IncomingRow)
                .where(IncomingRow.source == source, IncomingRow.state == "waiting")
                .order_by(IncomingRow.received_at, IncomingRow.event_id)
            )
            return [_incoming(row) for row in rows]

    def link(self, link: ThreadLink) -> None:
        """Remember a person's conversation in a thread."""
        values = {**link.model_dump(), "scope": list(link.scope)}
        with self._writing() as session:
            session.execute(insert(ThreadLinkRow).values(**values).on_conflict_do_nothing())

    def links(self, source: Source, room: str, thread: str) -> Sequence[ThreadLink]:
        """Who talks with the agent in a thread, the first one first."""
        with self._file.reading() as session:
            rows = session.scalars(
                select(ThreadLinkRow)
                .where(
                    ThreadLinkRow.source == source,
                    ThreadLinkRow.room == room,
                    ThreadLinkRow.thread == thread,
                )
                .order_by(ThreadLinkRow.linked_at, ThreadLinkRow.user)
            )
            return [
                ThreadLink.model_validate({name: getattr(row, name) for name in ThreadLink.model_fields})
                for row in rows
            ]

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _row(session: Session, source: Source, event_id: str) -> IncomingRow:
    row = session.get(IncomingRow, (source, event_id))
    if row is None:
        raise StoreError(f"the event {event_id!r} of {source} was never kept")
    return row


def _incoming(row: IncomingRow) -> Incoming:
    return Incoming.model_validate({name: getattr(row, name) for name in Incoming.model_fields})
