"""What scans did and what became of alerts. Of alerts from before, how they stand is all that is known."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_AT = ("due_at", "created_at", "raised_at", "updated_at", "evidence_until", "closed_at")


def upgrade() -> None:
    op.create_table(
        "scan",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
    )
    op.create_index("scan_by_time", "scan", ["at"])
    op.create_table(
        "scan_part",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("customers", sa.JSON(), nullable=False),
    )
    op.create_index("scan_part_by_scan", "scan_part", ["scan"])
    event = op.create_table(
        "alert_event",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("alert", sa.JSON(), nullable=False),
    )
    op.create_index("alert_event_by_time", "alert_event", ["at"])
    op.create_index("alert_event_by_alert", "alert_event", ["alert_id"])
    known = sa.Table("alert", sa.MetaData(), autoload_with=op.get_bind())
    for row in op.get_bind().execute(sa.select(known).order_by(known.c.created_at)).mappings():
        body = {name: _plain(name, value) for name, value in row.items()}
        closed = row["status"] == "closed"
        seeded = {
            "alert_id": row["alert_id"],
            "customer_id": row["customer_id"],
            "kind": "closed" if closed else "joined",
            "at": row["closed_at"] if closed else row["updated_at"],
            "alert": body,
        }
        op.bulk_insert(event, [seeded])


def _plain(name: str, value: object) -> object:
    """A column as the body of an alert has it; times are kept in UTC without saying so."""
    if value is not None and name in _AT:
        return f"{value.isoformat()}Z" if hasattr(value, "isoformat") else f"{value}Z"
    if isinstance(value, str) and name in ("parts", "causes", "topics", "evidence", "summary"):
        return json.loads(value)
    return value


def downgrade() -> None:
    for name in ("alert_event", "scan_part", "scan"):
        op.drop_table(name)
