"""The vault of pseudonyms on one machine: a table of the operation store's SQLite file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import select

from store.models import SealedValuesRow
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# SQLite takes at most 32,766 bound values a statement.
_KEYS: Final = 5_000


class SqliteVault:
    """Vault in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def save(self, sealed: Mapping[str, str]) -> None:
        """Insert or replace what is sealed for each scope."""
        if sealed:
            with self._file.writing() as session:
                for scope, value in sealed.items():
                    session.merge(SealedValuesRow(scope=scope, sealed=value))

    def read(self, scopes: Sequence[str]) -> dict[str, str]:
        """Return what is sealed for those of the scopes that are known."""
        found: dict[str, str] = {}
        with self._file.reading() as session:
            for start in range(0, len(scopes), _KEYS):
                part = scopes[start : start + _KEYS]
                rows = session.execute(
                    select(SealedValuesRow.scope, SealedValuesRow.sealed).where(
                        SealedValuesRow.scope.in_(part)
                    )
                )
                found.update((scope, sealed) for scope, sealed in rows)
        return found

    def close(self) -> None:
        """Release connections."""
        self._file.close()
