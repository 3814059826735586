"""What the parts of the SQLite operation store share: the file, the clock, moves and their audit."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from store.clock import Clock, SystemClock
from store.errors import ToolInputError
from store.records import AuditEntry, TaskStatus
from store.sqlite_audit import append
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile
from store.task_feed import feed_changes

# What a task or plan may become. Nothing leaves an end state.
ALLOWED_MOVES: Final[Mapping[TaskStatus, frozenset[TaskStatus]]] = {
    TaskStatus.PENDING_APPROVAL: frozenset({TaskStatus.OPEN, TaskStatus.REJECTED, TaskStatus.CANCELLED}),
    TaskStatus.OPEN: frozenset({TaskStatus.DONE, TaskStatus.CANCELLED}),
    TaskStatus.DONE: frozenset(),
    TaskStatus.REJECTED: frozenset(),
    TaskStatus.CANCELLED: frozenset(),
}
_S = TypeVar("_S", bound=StrEnum)


class SqliteWriter:
    """Opens the file; each write is one durable transaction that takes the write lock at its start."""

    def __init__(
        self, path: Path, clock: Clock | None = None, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self._file = SqliteFile(
            path,
            busy_timeout_s=busy_timeout_s,
            before_commit=lambda made: feed_changes(made, self._clock.now()),
        )

    def _tell(
        self, session: Session, action: str, subject: str, actor: str, detail: Mapping[str, str]
    ) -> None:
        """Audit within the transaction."""
        append(session, [self._entry(action, subject, actor, detail)])
        # The next entry must see this one, also where nothing is flushed by itself.
        session.flush()

    def _entry(self, action: str, subject: str, actor: str, detail: Mapping[str, str]) -> AuditEntry:
        at = self._clock.now()
        return AuditEntry(occurred_at=at, actor=actor, action=action, subject=subject, detail=dict(detail))

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def require_move(what: str, key: str, before: _S, after: _S, moves: Mapping[_S, frozenset[_S]]) -> None:
    """Raise ToolInputError that says what is possible, unless `before` may become `after`."""
    if after not in moves[before]:
        possible = ", ".join(sorted(moves[before])) or "nothing else"
        raise ToolInputError(
            f"{what} {key!r} is {before.value} and cannot become {after.value}; it can become {possible}"
        )
