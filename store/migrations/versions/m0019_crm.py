"""The feed of task changes, and how far CRMs have come. It begins with undone tasks as they stand."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_SHAPED = ("evidence", "scope", "escalated_to")
_TIMES = ("due_at", "created_at", "snoozed_until", "placed_at")


def upgrade() -> None:
    change = op.create_table(
        "task_change",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("comments", sa.JSON(), nullable=False),
        sa.Column("task", sa.JSON(), nullable=False),
    )
    op.create_index("task_change_by_task", "task_change", ["task_id", "number"])
    op.create_table(
        "crm_target",
        sa.Column("target", sa.Text(), primary_key=True),
        sa.Column("spread", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.create_table(
        "crm_link",
        sa.Column("target", sa.Text(), primary_key=True),
        sa.Column("task_id", sa.Text(), primary_key=True),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("lease", sa.Text(), nullable=False),
    )
    op.create_index("crm_link_due", "crm_link", ["target", "next_at"])
    op.create_table(
        "crm_event",
        sa.Column("target", sa.Text(), primary_key=True),
        sa.Column("event_id", sa.Text(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
    )
    connection = op.get_bind()
    undone = sa.text(
        "SELECT task.*, (SELECT COALESCE(MAX(number), 0) FROM task_event e WHERE e.task_id = task.task_id)"
        " AS event FROM task WHERE status IN ('pending_approval', 'open') ORDER BY created_at, task_id"
    )
    rows = [_change(dict(row)) for row in connection.execute(undone).mappings()]
    if rows:
        connection.execute(sa.insert(change), rows)


def downgrade() -> None:
    for table in ("crm_event", "crm_link", "crm_target", "task_change"):
        op.drop_table(table)


def _change(row: dict[str, Any]) -> dict[str, Any]:
    event = row.pop("event")
    task = {name: _shown(name, value) for name, value in row.items()}
    return {
        "task_id": task["task_id"],
        "version": task["version"],
        "event": event,
        "at": datetime.fromisoformat(f"{row['created_at']}"),
        "actor": task["created_by"],
        "fields": [name for name in task if name != "version"],
        "comments": [],
        "task": task,
    }


def _shown(name: str, value: Any) -> Any:
    """As a task is written in JSON: times in UTC with a Z."""
    if value is None:
        return None
    if name in _SHAPED:
        return json.loads(value) if isinstance(value, str) else value
    if name in _TIMES:
        return f"{value}".replace(" ", "T").removesuffix(".000000") + "Z"
    return value
