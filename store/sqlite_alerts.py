"""Alerts on SQLite: revised under the write lock, so that two processes that scan at once make one alert."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from store.alert_models import (
    AlertRow,
    AssessedRow,
    NoticeRow,
    ObserverRow,
    TaskEventRow,
    ToldRow,
    VerdictRow,
)
from store.alert_operations import AlertChange, Assessed, CustomerFile, Decide
from store.alerts import Alert, AlertStatus, Notice, NoticeKind, Verdict, VerdictKind
from store.errors import ToolInputError
from store.message_models import MessageRow
from store.messages import Message
from store.models import TaskRow
from store.records import AuditEntry, Task, TaskStatus, Tier
from store.scan_models import ScanPartRow
from store.scans import AlertEventKind
from store.sqlite_audit import append
from store.sqlite_rows import record_of, values_of
from store.sqlite_scans import note_event
from store.sqlite_tasks import SqliteTasks
from store.task_changes import TaskField

_CLOSED_BY_MISTAKE = ("closed", "false_alarm")
# Fields of a task that a revision may change, in the order of its history.
_REVISED: Final[tuple[TaskField, ...]] = ("status", "tier", "owner", "due_at")
_UNDONE = (TaskStatus.PENDING_APPROVAL.value, TaskStatus.OPEN.value)


class SqliteAlerts(SqliteTasks):
    """AlertOperations."""

    def revise_alerts(
        self, customer_ids: Sequence[str], decide: Decide, *, actor: str
    ) -> Sequence[AlertChange]:
        """Let `decide` see the files and keep what it returns, under one write lock."""
        with self._file.writing() as session, session.no_autoflush:
            files = _files(session, customer_ids)
            known = {alert.alert_id for file in files.values() for alert in file.alerts}
            changes = decide(files)
            told: list[AuditEntry] = []
            for change in changes:
                self._keep_alert(session, change, change.alert.alert_id in known, told, actor)
                if change.task is not None:
                    self._keep_task(session, change.task, files[change.alert.customer_id], told, actor)
            self._keep_messages(session, [change.message for change in changes if change.message], told)
            append(session, told)
        return changes

    def _keep_alert(
        self, session: Session, change: AlertChange, known: bool, told: list[AuditEntry], actor: str
    ) -> None:
        alert = change.alert
        row = AlertRow(**values_of(alert))
        if known:
            session.merge(row)
        else:
            session.add(row)
        said = {"customer_id": alert.customer_id, "tier": alert.tier.value, "causes": ", ".join(alert.causes)}
        # A rule that tells somebody joins an alert like any other evidence.
        notice = change.notice
        kind: AlertEventKind = "joined" if notice is None or notice == "ruled" else notice
        action = f"alert.{'open' if not known else 'raise' if kind == 'raised' else 'join'}"
        note_event(session, kind, alert.updated_at, alert)
        told.append(self._entry(action, alert.alert_id, actor, said))
        if change.notice is not None:
            session.add(NoticeRow(**values_of(_notice(alert, change.notice))))

    def _keep_task(
        self, session: Session, task: Task, file: CustomerFile, told: list[AuditEntry], actor: str
    ) -> None:
        if all(one.task_id != task.task_id for one in file.tasks):
            said = {"customer_id": task.customer_id or "", "alert_id": task.alert_id or ""}
            told.append(self._entry("task.propose", task.task_id, actor, said))
            self._insert_task(session, task, None)
            return
        row = session.get_one(TaskRow, task.task_id)
        version, values = row.version, values_of(task)
        for field in _REVISED:
            if getattr(row, field) != values[field]:
                self._set_field(session, row, field, values[field], actor)
        for name in ("alert_id", "summary", "advice", "evidence", "placed_at", "escalated_to"):
            setattr(row, name, values[name])
        row.version = version + 1

    def _keep_messages(self, session: Session, messages: Sequence[Message], told: list[AuditEntry]) -> None:
        ids = [message.message_id for message in messages]
        there = set(session.scalars(select(MessageRow.message_id).where(MessageRow.message_id.in_(ids))))
        for message in messages:
            if message.message_id not in there:
                session.add(MessageRow(**values_of(message)))
                said = {"customer_id": message.customer_id, "playbook": message.playbook}
                told.append(self._entry("message.prepare", message.message_id, message.created_by, said))

    def customer_files(self, customer_ids: Sequence[str]) -> Mapping[str, CustomerFile]:
        """What the store holds of these customers now."""
        with self._file.reading() as session:
            return _files(session, customer_ids)

    def alert(self, alert_id: str) -> Alert | None:
        """The alert of that id."""
        with self._file.reading() as session:
            row = session.get(AlertRow, alert_id)
            return None if row is None else record_of(Alert, row)

    def alerts(
        self, *, status: AlertStatus | None = None, tier: Tier | None = None, customer_id: str | None = None
    ) -> list[Alert]:
        """List alerts: open ones first, then by deadline."""
        query = select(AlertRow).order_by(AlertRow.status.desc(), AlertRow.due_at, AlertRow.alert_id)
        if status is not None:
            query = query.where(AlertRow.status == status)
        if tier is not None:
            query = query.where(AlertRow.tier == tier.value)
        if customer_id is not None:
            query = query.where(AlertRow.customer_id == customer_id)
        with self._file.reading() as session:
            return [record_of(Alert, row) for row in session.scalars(query)]

    def record_verdict(self, alert_id: str, verdict: VerdictKind, reason: str, *, actor: str) -> Verdict:
        """Keep what a person says of an alert; the same again changes nothing."""
        with self._file.writing() as session:
            alert = session.get(AlertRow, alert_id)
            if alert is None:
                raise ToolInputError(f"no alert {alert_id!r}; list_alerts gives the ids")
            query = select(VerdictRow).where(VerdictRow.alert_id == alert_id)
            last = session.scalars(query.order_by(VerdictRow.number.desc())).first()
            if last is not None and (last.verdict, last.reason, last.by) == (verdict, reason, actor):
                return record_of(Verdict, last)
            row = VerdictRow(
                alert_id=alert_id,
                verdict=verdict,
                reason=reason,
                by=actor,
                at=self._clock.now(),
                tier=alert.tier,
                causes=alert.causes,
                parts=alert.parts,
            )
            session.add(row)
            session.flush()
            self._tell(session, "alert.verdict", alert_id, actor, {"verdict": verdict, "reason": reason})
            alert.verdict = verdict
            note_event(session, "judged", row.at, alert)
            if verdict == "false_alarm" and alert.status == "open":
                self._close_alert(session, alert_id, "false_alarm", actor)
                self._cancel_task(session, alert_id, actor)
            elif verdict == "accurate" and (alert.status, alert.closed_because) == _CLOSED_BY_MISTAKE:
                self._reopen(session, alert, actor)
            return record_of(Verdict, row)

    def _cancel_task(self, session: Session, alert_id: str, actor: str) -> None:
        query = select(TaskRow).where(TaskRow.alert_id == alert_id, TaskRow.status.in_(_UNDONE))
        for row in session.scalars(query):
            version = row.version
            self._set_field(session, row, "status", TaskStatus.CANCELLED.value, actor)
            row.version = version + 1

    def _reopen(self, session: Session, alert: AlertRow, actor: str) -> None:
        """Take a false alarm back, unless the customer has another alert open by now."""
        query = select(AlertRow.alert_id).where(
            AlertRow.customer_id == alert.customer_id, AlertRow.status == "open"
        )
        if session.scalars(query).first() is not None:
            return
        alert.status, alert.closed_because, alert.closed_at = "open", None, None
        note_event(session, "reopened", self._clock.now(), alert)
        self._tell(session, "alert.reopen", alert.alert_id, actor, {})
        for row in session.scalars(select(TaskRow).where(TaskRow.alert_id == alert.alert_id)):
            if row.status == TaskStatus.CANCELLED.value:
                version = row.version
                self._set_field(session, row, "status", _stood(session, row.task_id), actor)
                row.version = version + 1

    def verdicts(self, *, alert_id: str | None = None) -> list[Verdict]:
        """List verdicts, oldest first."""
        query = select(VerdictRow).order_by(VerdictRow.number)
        if alert_id is not None:
            query = query.where(VerdictRow.alert_id == alert_id)
        with self._file.reading() as session:
            return [record_of(Verdict, row) for row in session.scalars(query)]

    def assessed(self) -> dict[str, Assessed]:
        """Which customers were looked at, by id."""
        query = select(AssessedRow.customer_id, AssessedRow.digest, AssessedRow.at)
        with self._file.reading() as session:
            return {one: Assessed(digest, at) for one, digest, at in session.execute(query)}

    def mark_assessed(self, digests: Mapping[str, str], at: datetime, *, scan: int | None = None) -> None:
        """Remember that these customers were looked at, by the scan of that number."""
        if not digests:
            return
        rows = [{"customer_id": one, "digest": digest, "at": at} for one, digest in digests.items()]
        statement = insert(AssessedRow)
        fresh = {"digest": statement.excluded.digest, "at": statement.excluded.at}
        with self._file.writing() as session:
            session.execute(statement.on_conflict_do_update(["customer_id"], set_=fresh), rows)
            if scan is not None:
                session.add(ScanPartRow(scan=scan, customers=list(digests)))

    def claim_notices(
        self, observer: str, kinds: Collection[str], *, limit: int = 100, lease_s: float = 300.0
    ) -> list[Notice]:
        """What this observer has not been told yet of these kinds, oldest first, lent to the caller."""
        now = self._clock.now()
        with self._file.writing() as session:
            known = session.get(ObserverRow, observer)
            if known is None:
                session.add(ObserverRow(observer=observer, since=now))
                return []
            lent = (
                select(ToldRow.notice_id)
                .where(ToldRow.observer == observer)
                .where(ToldRow.told_at.is_not(None) | (ToldRow.lent_until > now))
            )
            query = select(NoticeRow).where(NoticeRow.at >= known.since, NoticeRow.notice_id.not_in(lent))
            query = query.where(NoticeRow.kind.in_(kinds))
            rows = list(session.scalars(query.order_by(NoticeRow.at, NoticeRow.notice_id).limit(limit)))
            until = now + timedelta(seconds=lease_s)
            for row in rows:
                session.merge(ToldRow(observer=observer, notice_id=row.notice_id, lent_until=until))
            return [record_of(Notice, row) for row in rows]

    def confirm_notices(self, observer: str, notice_ids: Sequence[str]) -> None:
        """Remember that this observer has been told."""
        now = self._clock.now()
        with self._file.writing() as session:
            for one in notice_ids:
                session.merge(ToldRow(observer=observer, notice_id=one, lent_until=now, told_at=now))


def _files(session: Session, customer_ids: Sequence[str]) -> dict[str, CustomerFile]:
    alerts: dict[str, list[Alert]] = defaultdict(list)
    query = select(AlertRow).where(AlertRow.customer_id.in_(customer_ids))
    for row in session.scalars(query.order_by(AlertRow.created_at.desc(), AlertRow.alert_id)):
        alerts[row.customer_id].append(record_of(Alert, row))
    tasks: dict[str, list[Task]] = defaultdict(list)
    for task in session.scalars(select(TaskRow).where(TaskRow.customer_id.in_(customer_ids))):
        tasks[task.customer_id or ""].append(record_of(Task, task))
    return {one: CustomerFile(tuple(alerts[one]), tuple(tasks[one])) for one in customer_ids}


def _stood(session: Session, task_id: str) -> str:
    """The status a task had before its last move."""
    moves = select(TaskEventRow.before).where(TaskEventRow.task_id == task_id, TaskEventRow.field == "status")
    return session.scalars(moves.order_by(TaskEventRow.number.desc())).first() or _UNDONE[0]


def _notice(alert: Alert, kind: NoticeKind) -> Notice:
    """One a tier: an alert that is raised is told of again, one that evidence joins is not, but for rules."""
    notice_id = f"{alert.alert_id}/{alert.tier.value}"
    at = alert.raised_at
    if kind == "ruled":
        notice_id, at = f"{notice_id}/ruled/{len(alert.causes)}", alert.updated_at
    return Notice(notice_id=notice_id, alert_id=alert.alert_id, kind=kind, tier=alert.tier, at=at)
