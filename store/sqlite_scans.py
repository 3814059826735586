"""The record of scans and of what became of alerts, on SQLite."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.alert_models import AlertRow
from store.alerts import Alert, Ending
from store.models import TaskRow
from store.records import TaskStatus
from store.scan_models import AlertEventRow, ScanPartRow, ScanRow
from store.scans import AlertEvent, AlertEventKind, Scan, ScanSpan
from store.sqlite_rows import record_of
from store.sqlite_writer import SqliteWriter

_ENDED: Final[Mapping[Ending, TaskStatus]] = {
    "resolved": TaskStatus.DONE,
    "declined": TaskStatus.CANCELLED,
    "false_alarm": TaskStatus.CANCELLED,
}


class SqliteScans(SqliteWriter):
    """ScanOperations."""

    def begin_scan(self, *, at: datetime, mark: int, policy_version: int, actor: str) -> int:
        """Record that a scan begins; return its number."""
        row = ScanRow(at=at, mark=mark, policy_version=policy_version, actor=actor)
        with self._file.writing() as session:
            session.add(row)
            session.flush()
            return row.number

    def end_scan(self, number: int) -> None:
        """Record that a scan has dealt with everybody it had to."""
        with self._file.writing() as session:
            session.get_one(ScanRow, number).ended_at = self._clock.now()

    def scan_span(self) -> ScanSpan | None:
        """When scans were recorded; None before the first."""
        query = select(func.min(ScanRow.at), func.max(ScanRow.at), func.count())
        with self._file.reading() as session:
            first, last, scans = session.execute(query).one()
            return ScanSpan(first, last, scans) if scans else None

    def scans(self, since: datetime, until: datetime) -> list[Scan]:
        """Scans with since <= at < until, in the order of their moments."""
        query = select(ScanRow).where(ScanRow.at >= since, ScanRow.at < until)
        with self._file.reading() as session:
            rows = session.scalars(query.order_by(ScanRow.at, ScanRow.number)).all()
            dealt = _customers(session, [row.number for row in rows])
            return [_scan(row, dealt.get(row.number, ())) for row in rows]

    def alert_events(self, since: datetime, until: datetime) -> list[AlertEvent]:
        """What became of alerts with since <= at < until, in the order of commits."""
        query = select(AlertEventRow).where(AlertEventRow.at >= since, AlertEventRow.at < until)
        with self._file.reading() as session:
            rows = session.scalars(query.order_by(AlertEventRow.number))
            return [record_of(AlertEvent, row) for row in rows]

    def repeat_event(self, event: AlertEvent) -> bool:
        """Let what ended, reopened or was judged elsewhere do so here too, with the task of the alert."""
        stood = event.alert
        with self._file.writing() as session:
            row = session.get(AlertRow, event.alert_id)
            if row is None or (stood.status == "open" and _another_open(session, row)):
                return False
            row.status, row.verdict = stood.status, stood.verdict
            row.closed_at, row.closed_because = stood.closed_at, stood.closed_because
            note_event(session, event.kind, event.at, row)
            undone = (TaskStatus.PENDING_APPROVAL.value, TaskStatus.OPEN.value)
            for task in session.scalars(select(TaskRow).where(TaskRow.alert_id == event.alert_id)):
                if stood.closed_because is not None and task.status in undone:
                    task.status = _ENDED[stood.closed_because].value
                elif stood.status == "open" and task.status == TaskStatus.CANCELLED.value:
                    task.status = TaskStatus.OPEN.value
        return True

    def alerts_as_of(self, moment: datetime) -> list[Alert]:
        """Every alert as it stood just before a moment."""
        last = (
            select(func.max(AlertEventRow.number))
            .where(AlertEventRow.at < moment)
            .group_by(AlertEventRow.alert_id)
        )
        query = select(AlertEventRow).where(AlertEventRow.number.in_(last)).order_by(AlertEventRow.number)
        with self._file.reading() as session:
            return [record_of(AlertEvent, row).alert for row in session.scalars(query)]


def _another_open(session: Session, row: AlertRow) -> bool:
    query = select(AlertRow.alert_id).where(
        AlertRow.customer_id == row.customer_id, AlertRow.status == "open", AlertRow.alert_id != row.alert_id
    )
    return session.scalars(query).first() is not None


def note_event(session: Session, kind: AlertEventKind, at: datetime, alert: AlertRow | Alert) -> None:
    """Record within the transaction what has become of an alert."""
    stands = alert if isinstance(alert, Alert) else record_of(Alert, alert)
    body = stands.model_dump(mode="json")
    row = AlertEventRow(alert_id=alert.alert_id, customer_id=alert.customer_id, kind=kind, at=at, alert=body)
    session.add(row)


def _customers(session: Session, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = select(ScanPartRow).where(ScanPartRow.scan.in_(numbers)).order_by(ScanPartRow.number)
    for row in session.scalars(query):
        found[row.scan] += row.customers
    return {number: tuple(customers) for number, customers in found.items()}


def _scan(row: ScanRow, customers: tuple[str, ...]) -> Scan:
    return Scan(
        number=row.number,
        at=row.at,
        mark=row.mark,
        policy_version=row.policy_version,
        actor=row.actor,
        ended_at=row.ended_at,
        customers=customers,
    )
