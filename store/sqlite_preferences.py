"""Preferences on one machine: a table of the operation store's SQLite file."""

from pathlib import Path

from sqlalchemy import delete, select

from store.models import PreferenceRow
from store.preferences import Preference, PreferenceKind
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile


class SqlitePreferences:
    """A PreferenceStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def keep(self, preference: Preference) -> None:
        """Insert, or replace what the user has kept under that name."""
        values = {**preference.model_dump(), "values": list(preference.values)}
        with self._file.writing() as session:
            session.merge(PreferenceRow(**values))

    def of(self, user: str) -> list[Preference]:
        """All of one user, filters first, by name."""
        query = select(PreferenceRow).where(PreferenceRow.user == user)
        with self._file.reading() as session:
            rows = session.scalars(query.order_by(PreferenceRow.kind, PreferenceRow.name))
            return [
                Preference.model_validate({name: getattr(row, name) for name in Preference.model_fields})
                for row in rows
            ]

    def forget(self, user: str, *, kind: PreferenceKind | None = None, name: str | None = None) -> int:
        """Delete one user's, all of a kind or one by its name; return how many."""
        statement = delete(PreferenceRow).where(PreferenceRow.user == user)
        if kind is not None:
            statement = statement.where(PreferenceRow.kind == kind)
        if name is not None:
            statement = statement.where(PreferenceRow.name == name)
        with self._file.writing() as session:
            return len(session.scalars(statement.returning(PreferenceRow.name)).all())

    def close(self) -> None:
        """Release connections."""
        self._file.close()
