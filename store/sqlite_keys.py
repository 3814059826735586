"""API keys on one machine: a table of the operation store's SQLite file."""

from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.clock import Clock, SystemClock
from store.errors import ToolInputError
from store.keys import ApiKey, NewKey, Role, digest_of, key_id_of, new_token, same_digest
from store.models import ApiKeyRow
from store.records import AuditEntry
from store.sqlite_audit import append
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile
from store.units import Scope, scope_of

# Compared with where the id is unknown, so that it takes as long as where it is known.
_NOBODY: Final = digest_of("nobody")


class SqliteKeys:
    """A KeyStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(
        self, path: Path, clock: Clock | None = None, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def create(
        self,
        *,
        name: str,
        role: Role,
        scope: Scope,
        created_by: str,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key; ToolInputError where a usable one has that name."""
        now = self._clock.now()
        key_id, token = new_token()
        key = ApiKey(
            key_id=key_id,
            name=name,
            role=role,
            scope=scope_of(scope),
            created_at=now,
            created_by=created_by,
            expires_at=expires_at,
        )
        with self._file.writing() as session:
            same = session.scalars(select(ApiKeyRow).where(ApiKeyRow.name == name))
            taken = next((one for one in map(_key, same) if one.usable(now)), None)
            if taken is not None:
                raise ToolInputError(
                    f"there is a key called {name!r} already: {taken.key_id}",
                    hint="the name is who asks: choose another, or revoke that key first",
                )
            values = {**key.model_dump(), "scope": list(key.scope)}
            session.add(ApiKeyRow(digest=digest_of(token), **values))
            self._tell(session, "key.create", key, created_by)
        return NewKey(key, token)

    def find(self, token: str) -> ApiKey | None:
        """The key of that token, usable or not; None where there is none. Compares in constant time."""
        digest = digest_of(token)
        with self._file.reading() as session:
            row = session.get(ApiKeyRow, key_id_of(token) or "")
            known = same_digest(digest, _NOBODY if row is None else row.digest)
            return _key(row) if row is not None and known else None

    def get(self, key_id: str) -> ApiKey | None:
        """The key of that id."""
        with self._file.reading() as session:
            row = session.get(ApiKeyRow, key_id)
            return None if row is None else _key(row)

    def all(self) -> list[ApiKey]:
        """All ever made, newest first."""
        query = select(ApiKeyRow).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.key_id)
        with self._file.reading() as session:
            return [_key(row) for row in session.scalars(query)]

    def any(self) -> bool:
        """Whether one was ever made."""
        with self._file.reading() as session:
            return session.scalars(select(ApiKeyRow.key_id).limit(1)).first() is not None

    def used(self, key_id: str) -> None:
        """Note that a key was used now."""
        with self._file.writing() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is not None:
                row.last_used_at = self._clock.now()

    def revoke(self, key_id: str, *, revoked_by: str) -> ApiKey:
        """End a key for good, again without effect; ToolInputError for an id that there is none of."""
        with self._file.writing() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is None:
                raise ToolInputError(f"no key {key_id!r}", hint="`voiceloop keys list` gives the ids")
            if row.revoked_at is None:
                row.revoked_at = self._clock.now()
                self._tell(session, "key.revoke", _key(row), revoked_by)
            return _key(row)

    def _tell(self, session: Session, action: str, key: ApiKey, actor: str) -> None:
        detail = {"name": key.name, "role": key.role, "scope": ", ".join(key.scope)}
        entry = AuditEntry(
            occurred_at=self._clock.now(), actor=actor, action=action, subject=key.key_id, detail=detail
        )
        append(session, [entry])

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey.model_validate({name: getattr(row, name) for name in ApiKey.model_fields})
