"""The tables of what is told to CRMs: the feed of task changes, and the CRMs' places in it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Model


class TaskChangeRow(Model):
    """One change of a task. `event` is the newest line of its history by then."""

    __tablename__ = "task_change"
    __table_args__ = (Index("task_change_by_task", "task_id", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[str]
    version: Mapped[int]
    event: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    fields: Mapped[list[Any]]
    comments: Mapped[list[Any]]
    task: Mapped[dict[str, Any]]


class CrmTargetRow(Model):
    """One CRM: changes up to number `spread` are in its links, its own are read up to `cursor`."""

    __tablename__ = "crm_target"

    target: Mapped[str] = mapped_column(primary_key=True)
    spread: Mapped[int]
    cursor: Mapped[str]
    read_at: Mapped[datetime | None]
    detail: Mapped[str]


class CrmLinkRow(Model):
    """How far one CRM has come with one task; columns as in CrmLink."""

    __tablename__ = "crm_link"
    __table_args__ = (Index("crm_link_due", "target", "next_at"),)

    target: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str]
    last: Mapped[int]
    sent: Mapped[int]
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    detail: Mapped[str]
    lease: Mapped[str]


class CrmEventRow(Model):
    """An event of a CRM that came in; `done_at` is empty until it was dealt with."""

    __tablename__ = "crm_event"

    target: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]
