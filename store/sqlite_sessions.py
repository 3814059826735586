"""Sessions of the web page on one machine: a table of the operation store's SQLite file."""

import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from store.clock import Clock, SystemClock
from store.keys import Role, digest_of, same_digest
from store.models import SessionRow
from store.records import AuditEntry
from store.sessions import NewSession, WebSession
from store.sqlite_audit import append
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# vs_<id>_<secret>, like the token of a key.
_SECRET: Final = re.compile(r"vs_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")


class SqliteSessions:
    """A SessionStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(
        self, path: Path, clock: Clock | None = None, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def open(
        self, *, key_id: str | None, user: str, role: Role, scope: tuple[str, ...], expires_at: datetime
    ) -> NewSession:
        """Open one, and forget those past their time."""
        now = self._clock.now()
        session_id = secrets.token_hex(8)
        secret = f"vs_{session_id}_{secrets.token_urlsafe(32)}"
        opened = WebSession(
            session_id=session_id,
            csrf=secrets.token_urlsafe(24),
            key_id=key_id,
            user=user,
            role=role,
            scope=scope,
            created_at=now,
            expires_at=expires_at,
        )
        with self._file.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            values = {**opened.model_dump(), "scope": list(scope)}
            session.add(SessionRow(digest=digest_of(secret), **values))
            self._tell(session, "session.open", opened)
        return NewSession(opened, secret)

    def find(self, secret: str) -> WebSession | None:
        """The session of that cookie; None where there is none or its time is past."""
        match = _SECRET.fullmatch(secret)
        if match is None:
            return None
        with self._file.reading() as session:
            row = session.get(SessionRow, match.group(1))
            if row is None or not same_digest(row.digest, digest_of(secret)):
                return None
            return _session(row) if self._clock.now() < row.expires_at else None

    def end(self, session_id: str) -> None:
        """End one, again without effect."""
        with self._file.writing() as session:
            row = session.get(SessionRow, session_id)
            if row is not None:
                self._tell(session, "session.end", _session(row))
                session.delete(row)

    def _tell(self, session: Session, action: str, one: WebSession) -> None:
        detail = {"role": one.role, "scope": ", ".join(one.scope)}
        if one.key_id is not None:
            detail["key"] = one.key_id
        now = self._clock.now()
        entry = AuditEntry(
            occurred_at=now, actor=one.user, action=action, subject=one.session_id, detail=detail
        )
        append(session, [entry])

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _session(row: SessionRow) -> WebSession:
    return WebSession.model_validate({name: getattr(row, name) for name in WebSession.model_fields})
