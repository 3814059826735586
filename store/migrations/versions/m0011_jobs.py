"""Jobs of the server: their schedules and their runs."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def times(*names: str, nullable: bool) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(), nullable=nullable) for name in names]


def upgrade() -> None:
    op.create_table(
        "job_run",
        sa.Column("run_id", sa.Text(), primary_key=True),
        *texts("kind", "lane", "schedule", "state", "requested_by", "stage", "held_by", "detail"),
        *times("created_at", nullable=False),
        *times("started_at", "finished_at", "held_until", nullable=True),
        *[sa.Column(name, sa.JSON(), nullable=False) for name in ("args", "scope", "result")],
        *[sa.Column(name, sa.Integer(), nullable=False) for name in ("done", "attempts")],
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
    )
    op.create_index("job_run_by_state", "job_run", ["state", "created_at"])
    op.create_index("job_run_by_time", "job_run", ["created_at"])
    op.create_table(
        "job_schedule",
        sa.Column("name", sa.Text(), primary_key=True),
        *texts("kind", "cron", "changed_by"),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        *times("next_at", "changed_at", nullable=False),
    )


def downgrade() -> None:
    for table in ("job_schedule", "job_run"):
        op.drop_table(table)
