"""Policy versions on one machine: a table of the operation store's SQLite file."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.alert_models import PolicyVersionRow
from store.errors import ToolInputError
from store.policy_versions import Draw, PolicyState, PolicyVersion, audit_of
from store.sqlite_audit import append
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile


class SqlitePolicyVersions:
    """A PolicyVersionStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def add(self, draw: Draw, *, first: PolicyVersion) -> PolicyVersion | None:
        """Keep what is drawn, and the first before it."""
        with self._file.writing() as session:
            known = _all(session)
            if not known:
                _keep(session, first)
                known = [first]
            drawn = draw(known[0].number + 1, known)
            if drawn is not None:
                _keep(session, drawn)
            return drawn

    def turn(self, number: int, state: PolicyState, *, at: datetime, actor: str, why: str) -> PolicyVersion:
        """Give a version another state."""
        with self._file.writing() as session:
            row = session.get(PolicyVersionRow, number)
            if row is None:
                raise ToolInputError(f"there is no policy version {number}")
            if row.state != state:
                _retire(session, state, at)
                if row.state == "live":
                    row.live_until = at
                row.state = state
                if state == "live":
                    row.live_from, row.live_until = at, None
                append(session, [audit_of(_version(row), f"policy.{state}", at=at, actor=actor, why=why)])
            return _version(row)

    def versions(self) -> list[PolicyVersion]:
        """All of them."""
        with self._file.reading() as session:
            return _all(session)

    def version(self, number: int) -> PolicyVersion | None:
        """One of them."""
        with self._file.reading() as session:
            row = session.get(PolicyVersionRow, number)
            return None if row is None else _version(row)

    def in_state(self, state: Literal["live", "shadow"]) -> PolicyVersion | None:
        """The one in that state."""
        with self._file.reading() as session:
            row = session.scalar(select(PolicyVersionRow).where(PolicyVersionRow.state == state))
            return None if row is None else _version(row)

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _all(session: Session) -> list[PolicyVersion]:
    rows = session.scalars(select(PolicyVersionRow).order_by(PolicyVersionRow.number.desc()))
    return [_version(row) for row in rows]


def _keep(session: Session, version: PolicyVersion) -> None:
    _retire(session, version.state, version.at)
    session.add(_row(version))
    session.flush()
    line = audit_of(version, "policy.put", at=version.at, actor=version.made_by, why=version.why)
    append(session, [line])


def _retire(session: Session, state: PolicyState, at: datetime) -> None:
    """Whoever is live or shadow makes room for the next."""
    if state == "retired":
        return
    row = session.scalar(select(PolicyVersionRow).where(PolicyVersionRow.state == state))
    if row is not None:
        row.state = "retired"
        if state == "live":
            row.live_until = at
        session.flush()


def _row(version: PolicyVersion) -> PolicyVersionRow:
    return PolicyVersionRow(**version.model_dump())


def _version(row: PolicyVersionRow) -> PolicyVersion:
    return PolicyVersion.model_validate({name: getattr(row, name) for name in PolicyVersion.model_fields})
