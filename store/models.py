"""The tables of the operation store, for SQLite and PostgreSQL alike."""

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, Index, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# The newest migration; a store that says so is opened without loading Alembic.
REVISION: Final = "0020"


class UtcTime(TypeDecorator[datetime]):
    """A time kept in UTC without its zone, which SQLite would drop anyway, and given back with it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To naive UTC; a time without a zone is taken for UTC."""
        if value is None:
            return None
        return (
            value.replace(tzinfo=None) if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        )

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Model(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012
        datetime: UtcTime,
        str: Text,
        list[Any]: JSON,
        dict[str, str]: JSON,
        dict[str, Any]: JSON,
    }


class BatchRow(Model):
    """One ingested file."""

    __tablename__ = "batch"

    batch_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    path: Mapped[str]
    kind: Mapped[str]
    stage: Mapped[str]
    read: Mapped[int]
    stored: Mapped[int]
    duplicates: Mapped[int]
    rejected: Mapped[int]
    started_at: Mapped[datetime]


class TaskRow(Model):
    """Work for a named owner."""

    __tablename__ = "task"
    __table_args__ = (
        Index("task_by_status", "status"),
        Index("task_by_customer", "customer_id"),
        Index("task_by_alert", "alert_id", unique=True),  # one alert, one task
    )

    task_id: Mapped[str] = mapped_column(primary_key=True)
    alert_id: Mapped[str | None]
    customer_id: Mapped[str | None]
    tier: Mapped[str | None]
    status: Mapped[str]
    owner: Mapped[str]
    due_at: Mapped[datetime | None]
    summary: Mapped[str]
    advice: Mapped[str]
    evidence: Mapped[list[Any]]
    scope: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    approved_by: Mapped[str | None]
    snoozed_until: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]
    escalated_to: Mapped[list[Any]]
    version: Mapped[int]


class PlanRow(Model):
    """What to do about one cause."""

    __tablename__ = "plan"
    __table_args__ = (Index("plan_by_status", "status"),)

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    problem: Mapped[str]
    cause: Mapped[str]
    evidence_grade: Mapped[str]
    measures: Mapped[list[Any]]
    risks: Mapped[list[Any]]
    evidence: Mapped[list[Any]]
    scope: Mapped[list[Any]]
    language: Mapped[str]
    hypothesis: Mapped[str]
    control: Mapped[str]
    window_days: Mapped[int]
    design: Mapped[dict[str, Any] | None]
    translation: Mapped[dict[str, Any] | None]
    review: Mapped[dict[str, Any] | None]
    follows: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]


class EffectRow(Model):
    """What a plan was found to have changed in one figure."""

    __tablename__ = "effect"
    __table_args__ = (Index("effect_by_plan", "plan_id"),)

    effect_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str]
    main: Mapped[bool]
    measures: Mapped[list[Any]]
    metric: Mapped[str]
    topic: Mapped[str | None]
    kind: Mapped[str]
    title: Mapped[str]
    design: Mapped[str]
    evidence_grade: Mapped[str]
    effect: Mapped[float | None]
    ci_low: Mapped[float | None]
    ci_high: Mapped[float | None]
    target: Mapped[float | None]
    level_before: Mapped[float | None]
    level_after: Mapped[float | None]
    n_before: Mapped[int]
    n_after: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    verdict: Mapped[str]
    reason: Mapped[str | None]
    verified_at: Mapped[datetime]
    verified_by: Mapped[str]


class AuditRow(Model):
    """One link of the audit chain. `previous` is unique: two links never follow the same one."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, str]]
    previous: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str]


class AuditHead(Model):
    """Number and digest of the last link, so that a chain cut short is noticed. One row."""

    __tablename__ = "audit_head"

    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    digest: Mapped[str]


class CachedLabelRow(Model):
    """Labels of one text by one labeller, as JSON."""

    __tablename__ = "label_cache"

    labeller: Mapped[str] = mapped_column(primary_key=True)
    text_key: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[str]
    truncated: Mapped[bool]
    made_at: Mapped[datetime]


class QueuedTextRow(Model):
    """A text that a labeller could not label."""

    __tablename__ = "label_queue"

    labeller: Mapped[str] = mapped_column(primary_key=True)
    text_key: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str]
    attempts: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class HumanLabelRow(Model):
    """One field of one text as one person sees it."""

    __tablename__ = "human_label"
    __table_args__ = (Index("human_label_by_field", "field"),)

    text_key: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    annotator: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    text: Mapped[str]
    origin: Mapped[str]
    sample: Mapped[str]
    feedback_id: Mapped[str | None]
    labelled_at: Mapped[datetime]


class SealedValuesRow(Model):
    """What the pseudonyms of one scope stand for: ciphertext."""

    __tablename__ = "sealed_values"

    scope: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]


class PreferenceRow(Model):
    """What one person has told the agent to take for granted."""

    __tablename__ = "preference"

    user: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    values: Mapped[list[Any]]
    set_at: Mapped[datetime]


class ApiKeyRow(Model):
    """An API key without its secret."""

    __tablename__ = "api_key"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    scope: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SessionRow(Model):
    """A person signed in to the web page, without what the cookie holds."""

    __tablename__ = "web_session"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    csrf: Mapped[str]
    key_id: Mapped[str | None]
    user: Mapped[str]
    role: Mapped[str]
    scope: Mapped[list[Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class IncomingRow(Model):
    """An event from Slack or Feishu."""

    __tablename__ = "incoming"
    __table_args__ = (Index("incoming_by_state", "source", "state"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    turns_before: Mapped[int | None]
    reply: Mapped[dict[str, Any]]
    attempts: Mapped[int]


class ThreadLinkRow(Model):
    """A person's part in a thread of Slack or Feishu."""

    __tablename__ = "thread_link"

    source: Mapped[str] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    thread_id: Mapped[str]
    scope: Mapped[list[Any]]
    linked_at: Mapped[datetime]


class DeliveryRow(Model):
    """A message to a target."""

    __tablename__ = "delivery"
    __table_args__ = (Index("delivery_due", "state", "next_at"),)

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str]
    subject: Mapped[str]
    tier: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    detail: Mapped[str]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int]


class JobRunRow(Model):
    """One run of a job of the server."""

    __tablename__ = "job_run"
    __table_args__ = (
        Index("job_run_by_state", "state", "created_at"),
        Index("job_run_by_time", "created_at"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    lane: Mapped[str]
    schedule: Mapped[str]
    args: Mapped[dict[str, Any]]
    state: Mapped[str]
    requested_by: Mapped[str]
    scope: Mapped[list[Any]]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    done: Mapped[int]
    total: Mapped[int | None]
    stage: Mapped[str]
    attempts: Mapped[int]
    stop_requested: Mapped[bool]
    held_by: Mapped[str]
    held_until: Mapped[datetime | None]
    result: Mapped[dict[str, Any]]
    detail: Mapped[str]


class JobScheduleRow(Model):
    """When a job is due."""

    __tablename__ = "job_schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    args: Mapped[dict[str, Any]]
    cron: Mapped[str]
    enabled: Mapped[bool]
    next_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class ReplyRow(Model):
    """What a request with an idempotency key was answered."""

    __tablename__ = "reply"
    __table_args__ = (Index("reply_by_time", "kept_at"),)

    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    body: Mapped[dict[str, Any]]
    kept_at: Mapped[datetime]
