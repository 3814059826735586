"""Alerts with their verdicts and notices, the history of tasks, and messages to customers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
OPEN = sa.text("status = 'open'")


def texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def lists(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def times(*names: str, optional: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(), nullable=optional) for name in names]


def key(name: str, kind: type[sa.Text] | type[sa.Integer] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind(), primary_key=True)


def upgrade() -> None:
    _tasks()
    op.create_table(
        "message",
        key("message_id"),
        *texts("customer_id", "tier", "playbook", "language", "text", "translation", "status"),
        *[sa.Column(name, sa.Text(), nullable=True) for name in ("alert_id", "task_id", "approved_by")],
        *lists("scope"),
        *texts("created_by", "channel", "detail"),
        *times("created_at"),
        *times("sent_at", optional=True),
    )
    op.create_index("message_by_status", "message", ["status"])
    op.create_index("message_by_customer", "message", ["customer_id"])
    op.create_table(
        "alert",
        key("alert_id"),
        *texts("customer_id", "tier", "status", "owner_role"),
        sa.Column("score", sa.Double(), nullable=False),
        *lists("parts", "causes", "topics", "evidence", "summary"),
        *times("due_at", "created_at", "raised_at", "updated_at", "evidence_until"),
        *times("closed_at", optional=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=False),
    )
    op.create_index("alert_by_customer", "alert", ["customer_id"])
    op.create_index("alert_by_status", "alert", ["status"])
    op.create_index(
        "alert_open_once", "alert", ["customer_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "verdict",
        key("number", sa.Integer),
        *texts("alert_id", "verdict", "reason", "by", "tier"),
        *lists("causes"),
        *times("at"),
    )
    op.create_index("verdict_by_alert", "verdict", ["alert_id"])
    op.create_table("notice", key("notice_id"), *texts("alert_id", "kind", "tier"), *times("at"))
    op.create_table("observer", key("observer"), *times("since"))
    op.create_table(
        "told", key("observer"), key("notice_id"), *times("lent_until"), *times("told_at", optional=True)
    )
    op.create_table("assessed", key("customer_id"), *texts("digest"), *times("at"))


def _tasks() -> None:
    op.add_column("task", sa.Column("snoozed_until", sa.DateTime(), nullable=True))
    op.add_column("task", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("task_by_alert", "task", ["alert_id"], unique=True)
    op.create_table(
        "task_event",
        key("number", sa.Integer),
        *texts("task_id", "actor", "field", "before", "after"),
        *times("at"),
    )
    op.create_index("task_event_by_task", "task_event", ["task_id"])


def downgrade() -> None:
    for table in ("assessed", "told", "observer", "notice", "verdict", "alert", "message", "task_event"):
        op.drop_table(table)
    op.drop_index("task_by_alert", "task")
    op.drop_column("task", "version")
    op.drop_column("task", "snoozed_until")
