"""Replies on one machine: a table of the operation store's SQLite file."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from store.models import ReplyRow
from store.replies import Reply
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile


class SqliteReplies:
    """A ReplyStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def find(self, owner: str, key: str) -> Reply | None:
        """The reply of a key."""
        with self._file.reading() as session:
            return _of(session, owner, key)

    def keep(self, reply: Reply) -> Reply:
        """Keep a reply, or return the one that is kept already."""
        with self._file.writing() as session:
            kept = _of(session, reply.owner, reply.key)
            if kept is None:
                session.add(ReplyRow(**reply.model_dump()))
            return kept or reply

    def forget(self, before: datetime) -> int:
        """Delete replies kept before; how many."""
        with self._file.writing() as session:
            gone = session.execute(delete(ReplyRow).where(ReplyRow.kept_at < before))
            assert isinstance(gone, CursorResult)
            return gone.rowcount

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _of(session: Session, owner: str, key: str) -> Reply | None:
    row = session.get(ReplyRow, (owner, key))
    if row is None:
        return None
    return Reply.model_validate({name: getattr(row, name) for name in Reply.model_fields})
