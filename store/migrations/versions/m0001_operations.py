"""Batches, tasks, plans and the audit chain."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("batch_id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source", "path", "kind", "stage")),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("read", "stored", "duplicates", "rejected")
        ),
        sa.Column("started_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "task",
        sa.Column("task_id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text()) for name in ("alert_id", "customer_id", "tier")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("status", "owner")),
        sa.Column("due_at", sa.DateTime()),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("summary", "advice")),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text()),
    )
    op.create_index("task_by_status", "task", ["status"])
    op.create_index("task_by_customer", "task", ["customer_id"])
    op.create_table(
        "plan",
        sa.Column("plan_id", sa.Text(), primary_key=True),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("status", "problem", "cause", "evidence_grade")
        ),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("measures", "risks", "evidence")),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text()),
    )
    op.create_index("plan_by_status", "plan", ["status"])
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("actor", "action", "subject")),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False, unique=True),
        sa.Column("digest", sa.Text(), nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    for table in ("audit_head", "audit", "plan", "task", "batch"):
        op.drop_table(table)
