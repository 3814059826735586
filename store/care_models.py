"""The tables of the high-risk pool and of compensations."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Model


class PoolEntryRow(Model):
    """One stay of one customer in the high-risk pool."""

    __tablename__ = "pool_entry"
    __table_args__ = (
        Index(
            "pool_entry_once",
            "customer_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    entered_at: Mapped[datetime]
    reasons: Mapped[list[Any]]
    carer: Mapped[str]
    left_at: Mapped[datetime | None]
    left_because: Mapped[str | None]


class CompensationRow(Model):
    """One offer to one customer."""

    __tablename__ = "compensation"
    __table_args__ = (Index("compensation_by_customer", "customer_id"),)

    compensation_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    conversation_id: Mapped[str]
    tier: Mapped[str]
    kind: Mapped[str]
    amount: Mapped[float]
    currency: Mapped[str]
    status: Mapped[str]
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
