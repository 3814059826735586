"""The tables of what scans did."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Model


class ScanRow(Model):
    """One scan."""

    __tablename__ = "scan"
    __table_args__ = (Index("scan_by_time", "at"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    mark: Mapped[int] = mapped_column(BigInteger)
    policy_version: Mapped[int]
    actor: Mapped[str]
    ended_at: Mapped[datetime | None]


class ScanPartRow(Model):
    """Customers that a scan has dealt with, a batch at a time."""

    __tablename__ = "scan_part"
    __table_args__ = (Index("scan_part_by_scan", "scan"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    scan: Mapped[int]
    customers: Mapped[list[Any]]


class AlertEventRow(Model):
    """Something that became of an alert, with the alert as it stood afterwards."""

    __tablename__ = "alert_event"
    __table_args__ = (Index("alert_event_by_time", "at"), Index("alert_event_by_alert", "alert_id"))

    number: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str]
    customer_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    alert: Mapped[dict[str, Any]]
