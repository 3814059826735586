"""Human labels on one machine: a table of the operation store's SQLite file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, delete, select

from store.human_labels import HumanLabel, LabelField, SavedLabels
from store.models import HumanLabelRow
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# SQLite takes at most 32,766 bound values a statement.
_KEYS: Final = 5_000


class SqliteHumanLabels:
    """HumanLabels in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def save(self, labels: Sequence[HumanLabel]) -> SavedLabels:
        """Insert or replace; a label that says what is stored already keeps its time."""
        new = changed = same = 0
        with self._file.writing() as session:
            for label in labels:
                stored = session.get(HumanLabelRow, (label.text_key, label.field, label.annotator))
                if stored is None:
                    session.add(HumanLabelRow(**label.model_dump()))
                    new += 1
                elif (stored.value, stored.origin) == (label.value, label.origin):
                    same += 1
                else:
                    session.merge(HumanLabelRow(**label.model_dump()))
                    changed += 1
        return SavedLabels(new, changed, same)

    def find(
        self, *, field: LabelField | None = None, text_keys: Sequence[str] | None = None
    ) -> list[HumanLabel]:
        """List labels by text key, field and annotator."""
        tests: list[ColumnElement[bool]] = [] if field is None else [HumanLabelRow.field == field]
        if text_keys is None:
            return self._select(tests)
        return [
            label
            for keys in _parts(sorted(set(text_keys)))
            for label in self._select([*tests, HumanLabelRow.text_key.in_(keys)])
        ]

    def _select(self, tests: Sequence[ColumnElement[bool]]) -> list[HumanLabel]:
        order = (HumanLabelRow.text_key, HumanLabelRow.field, HumanLabelRow.annotator)
        with self._file.reading() as session:
            rows = session.scalars(select(HumanLabelRow).where(*tests).order_by(*order))
            return [
                HumanLabel.model_validate({name: getattr(row, name) for name in HumanLabel.model_fields})
                for row in rows
            ]

    def forget(self, text_keys: Sequence[str]) -> int:
        """Delete all labels of these texts (and with them the texts); return how many."""
        gone = 0
        with self._file.writing() as session:
            for keys in _parts(text_keys):
                statement = delete(HumanLabelRow).where(HumanLabelRow.text_key.in_(keys))
                gone += len(session.scalars(statement.returning(HumanLabelRow.field)).all())
        return gone

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _KEYS):
        yield keys[start : start + _KEYS]
