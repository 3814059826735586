"""Deliveries on one machine: a table of the operation store's SQLite file."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from store.deliveries import Delivery, DeliveryState
from store.errors import StoreError
from store.models import DeliveryRow
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile


class SqliteDeliveries:
    """A DeliveryStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def add(self, deliveries: Sequence[Delivery]) -> int:
        """Keep those that are not kept yet."""
        if not deliveries:
            return 0
        with self._file.writing() as session:
            added = session.execute(
                insert(DeliveryRow)
                .values([one.model_dump() for one in deliveries])
                .on_conflict_do_nothing()
                .returning(DeliveryRow.delivery_id)
            )
            return len(added.all())

    def claim(self, now: datetime, *, limit: int = 50, lease_s: float = 120.0) -> list[Delivery]:
        """Those whose time has come, lent to the caller."""
        due = (DeliveryRow.state == "waiting", DeliveryRow.next_at <= now)
        with self._file.reading() as session:
            if session.scalar(select(DeliveryRow.delivery_id).where(*due).limit(1)) is None:
                return []
        with self._file.writing() as session:
            query = select(DeliveryRow).where(*due).order_by(DeliveryRow.next_at).limit(limit)
            rows = session.scalars(query).all()
            for row in rows:
                row.next_at = now + timedelta(seconds=lease_s)
                row.attempts += 1
            return [_delivery(row) for row in rows]

    def sent(self, delivery_id: str, at: datetime) -> None:
        """It has arrived."""
        with self._file.writing() as session:
            row = _row(session, delivery_id)
            row.state, row.sent_at, row.detail = "sent", at, ""

    def failed(self, delivery_id: str, detail: str, next_at: datetime | None) -> None:
        """It has not arrived."""
        with self._file.writing() as session:
            row = _row(session, delivery_id)
            row.detail = detail
            if next_at is None:
                row.state = "given_up"
            else:
                row.next_at = next_at

    def deliveries(self, *, state: DeliveryState | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        query = select(DeliveryRow).order_by(DeliveryRow.created_at.desc(), DeliveryRow.delivery_id)
        if state is not None:
            query = query.where(DeliveryRow.state == state)
        with self._file.reading() as session:
            return [_delivery(row) for row in session.scalars(query.limit(limit))]

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _row(session: Session, delivery_id: str) -> DeliveryRow:
    row = session.get(DeliveryRow, delivery_id)
    if row is None:
        raise StoreError(f"the delivery {delivery_id!r} was never kept")
    return row


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery.model_validate({name: getattr(row, name) for name in Delivery.model_fields})
