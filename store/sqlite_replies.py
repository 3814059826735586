"""Replies on one machine: a table of the operation store's SQLite file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import CursorResult, delete, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from store.models import ReplyRow
from store.replies import Reply
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# SQLite takes at most 32,766 bound values a statement.
_AT_ONCE: Final = 5_000


class SqliteReplies:
    """A ReplyStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def find(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Reply]:
        """The replies that are kept, by (owner, key)."""
        found = {}
        with self._file.reading() as session:
            for start in range(0, len(names), _AT_ONCE):
                asked = tuple_(ReplyRow.owner, ReplyRow.key).in_(names[start : start + _AT_ONCE])
                for row in session.scalars(select(ReplyRow).where(asked)):
                    values = {name: getattr(row, name) for name in Reply.model_fields}
                    found[row.owner, row.key] = Reply.model_validate(values)
        return found

    def keep(self, replies: Sequence[Reply]) -> None:
        """Keep replies; one that is kept already stays as it is."""
        if not replies:
            return
        with self._file.writing() as session:
            session.execute(insert(ReplyRow).on_conflict_do_nothing(), [one.model_dump() for one in replies])

    def forget(self, before: datetime) -> int:
        """Delete replies kept before; how many."""
        with self._file.writing() as session:
            gone = session.execute(delete(ReplyRow).where(ReplyRow.kept_at < before))
            assert isinstance(gone, CursorResult)
            return gone.rowcount

    def close(self) -> None:
        """Release connections."""
        self._file.close()
