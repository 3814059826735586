"""The tables of the retention loop beside the tasks: alerts, verdicts, notices, policies."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Model

_IN_FORCE = text("state <> 'retired'")


class TaskEventRow(Model):
    """One line of a task's history."""

    __tablename__ = "task_event"
    __table_args__ = (Index("task_event_by_task", "task_id"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    field: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]


class AlertRow(Model):
    """One issue of one customer."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("alert_by_customer", "customer_id"),
        Index("alert_by_status", "status"),
        Index(
            "alert_open_once",
            "customer_id",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    alert_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    tier: Mapped[str]
    status: Mapped[str]
    score: Mapped[float]
    parts: Mapped[list[Any]]
    causes: Mapped[list[Any]]
    topics: Mapped[list[Any]]
    evidence: Mapped[list[Any]]
    summary: Mapped[dict[str, str]]
    owner_role: Mapped[str]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    evidence_until: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_because: Mapped[str | None]
    verdict: Mapped[str | None]
    policy_version: Mapped[int]


class VerdictRow(Model):
    """What a person said of an alert."""

    __tablename__ = "verdict"
    __table_args__ = (Index("verdict_by_alert", "alert_id"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str]
    verdict: Mapped[str]
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    tier: Mapped[str]
    causes: Mapped[list[Any]]
    parts: Mapped[list[Any]]


class NoticeRow(Model):
    """Something about an alert that observers are told."""

    __tablename__ = "notice"

    notice_id: Mapped[str] = mapped_column(primary_key=True)
    alert_id: Mapped[str]
    kind: Mapped[str]
    tier: Mapped[str]
    at: Mapped[datetime]
    task_id: Mapped[str]
    role: Mapped[str]


class ObserverRow(Model):
    """Who is told of alerts, from when on."""

    __tablename__ = "observer"

    observer: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class ToldRow(Model):
    """A notice lent to an observer (`told_at` is empty), or told."""

    __tablename__ = "told"

    observer: Mapped[str] = mapped_column(primary_key=True)
    notice_id: Mapped[str] = mapped_column(primary_key=True)
    lent_until: Mapped[datetime]
    told_at: Mapped[datetime | None]


class AssessedRow(Model):
    """When a customer was last looked at, and a digest of what was known then."""

    __tablename__ = "assessed"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    at: Mapped[datetime]


class PolicyVersionRow(Model):
    """One policy, whole."""

    __tablename__ = "policy_version"
    __table_args__ = (
        # One live, one shadow.
        Index(
            "policy_version_in_force",
            "state",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    state: Mapped[str]
    made_by: Mapped[str]
    why: Mapped[str]
    at: Mapped[datetime]
    report: Mapped[dict[str, Any] | None]
    reverts: Mapped[int | None]
    live_from: Mapped[datetime | None]
    live_until: Mapped[datetime | None]
