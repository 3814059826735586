"""The label cache on one machine: two tables of the operation store's SQLite file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from store.clock import Clock, SystemClock
from store.label_cache import CachedLabels, QueuedText
from store.models import CachedLabelRow, QueuedTextRow
from store.records import Labels
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# SQLite takes at most 32,766 bound values a statement.
_KEYS: Final = 5_000
_ROWS: Final = 2_000
_T = TypeVar("_T")


class SqliteLabelCache:
    """A LabelCache in the file of the operation store. Errors as SqliteFile."""

    def __init__(
        self, path: Path, clock: Clock | None = None, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def find(self, labeller: str, text_keys: Sequence[str]) -> dict[str, CachedLabels]:
        """Return what is known of these texts, by text key."""
        columns = (CachedLabelRow.text_key, CachedLabelRow.labels, CachedLabelRow.truncated)
        found: dict[str, CachedLabels] = {}
        with self._file.reading() as session:
            for keys in _parts(text_keys, _KEYS):
                query = select(*columns).where(
                    CachedLabelRow.labeller == labeller, CachedLabelRow.text_key.in_(keys)
                )
                for key, labels, truncated in session.execute(query):
                    found[key] = CachedLabels(Labels.model_validate_json(labels), truncated)
        return found

    def keep(self, labeller: str, found: Mapping[str, CachedLabels]) -> None:
        """Keep labels by text key and take these texts off the labeller's queue."""
        if not found:
            return
        now = self._clock.now()
        rows = [
            {
                "labeller": labeller,
                "text_key": key,
                "labels": one.labels.model_dump_json(exclude_defaults=True),
                "truncated": one.truncated,
                "made_at": now,
            }
            for key, one in found.items()
        ]
        # The first answer stands: whoever asked the same text meanwhile gets the same labels from now on.
        statement = insert(CachedLabelRow).on_conflict_do_nothing()
        with self._file.writing() as session:
            for part in _parts(rows, _ROWS):
                session.execute(statement, part)
            for keys in _parts(list(found), _KEYS):
                session.execute(
                    delete(QueuedTextRow).where(
                        QueuedTextRow.labeller == labeller, QueuedTextRow.text_key.in_(keys)
                    )
                )

    def queue(self, texts: Sequence[QueuedText]) -> None:
        """Queue texts that could not be labelled; one that is queued already counts one more attempt."""
        if not texts:
            return
        statement = insert(QueuedTextRow)
        again = statement.on_conflict_do_update(
            index_elements=["labeller", "text_key"],
            set_={
                "attempts": QueuedTextRow.attempts + statement.excluded.attempts,
                "reason": statement.excluded.reason,
                "detail": statement.excluded.detail,
                "last_at": statement.excluded.last_at,
            },
        )
        with self._file.writing() as session:
            for part in _parts([text.model_dump() for text in texts], _ROWS):
                session.execute(again, part)

    def queued(self, labeller: str | None = None, *, limit: int | None = None) -> list[QueuedText]:
        """List what waits, the fewest attempts first, then the oldest."""
        query = select(QueuedTextRow).order_by(
            QueuedTextRow.attempts, QueuedTextRow.first_at, QueuedTextRow.text_key
        )
        if labeller is not None:
            query = query.where(QueuedTextRow.labeller == labeller)
        with self._file.reading() as session:
            return [
                QueuedText.model_validate({name: getattr(row, name) for name in QueuedText.model_fields})
                for row in session.scalars(query.limit(limit))
            ]

    def queue_counts(self) -> dict[tuple[str, str], int]:
        """How many texts wait, by (labeller, reason)."""
        query = select(QueuedTextRow.labeller, QueuedTextRow.reason, func.count()).group_by(
            QueuedTextRow.labeller, QueuedTextRow.reason
        )
        with self._file.reading() as session:
            return {(labeller, reason): count for labeller, reason, count in session.execute(query)}

    def dismiss(self, labeller: str, text_keys: Sequence[str]) -> int:
        """Take texts off the queue without labels; return how many were on it."""
        gone = 0
        with self._file.writing() as session:
            for keys in _parts(text_keys, _KEYS):
                gone += len(
                    session.scalars(
                        delete(QueuedTextRow)
                        .where(QueuedTextRow.labeller == labeller, QueuedTextRow.text_key.in_(keys))
                        .returning(QueuedTextRow.text_key)
                    ).all()
                )
        return gone

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _parts(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
