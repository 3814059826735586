"""The tables of messages to customers: messages, opt-outs, coupons."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Model


class MessageRow(Model):
    """One message to one customer."""

    __tablename__ = "message"
    __table_args__ = (Index("message_by_status", "status"), Index("message_by_customer", "customer_id"))

    message_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    customer_id: Mapped[str]
    alert_id: Mapped[str | None]
    task_id: Mapped[str | None]
    tier: Mapped[str | None]
    playbook: Mapped[str]
    language: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    translation: Mapped[str]
    status: Mapped[str]
    scope: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    approved_by: Mapped[str | None]
    prepared_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    attempts: Mapped[int]
    sent_at: Mapped[datetime | None]
    channel: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str]


class OptOutRow(Model):
    """A channel by which a customer wants nothing more."""

    __tablename__ = "opt_out"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    source: Mapped[str]


class CouponRow(Model):
    """One coupon code."""

    __tablename__ = "coupon"
    __table_args__ = (Index("coupon_by_customer", "customer_id"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[float]
    currency: Mapped[str]
    valid_until: Mapped[datetime]
    message_id: Mapped[str | None]
    customer_id: Mapped[str | None]
    given_at: Mapped[datetime | None]
