"""What people write from outside, their threads, and what is told to them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=True) for name in names]


def upgrade() -> None:
    op.create_table(
        "incoming",
        *keys("source", "event_id"),
        *texts("kind", "state"),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("turns_before", sa.Integer(), nullable=True),
        sa.Column("reply", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    op.create_index("incoming_by_state", "incoming", ["source", "state"])
    op.create_table(
        "thread_link",
        *keys("source", "room", "thread", "user"),
        *texts("role", "thread_id"),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "delivery",
        *keys("delivery_id"),
        *texts("target", "subject", "tier", "title", "text", "state", "detail"),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    op.create_index("delivery_due", "delivery", ["state", "next_at"])


def downgrade() -> None:
    for table in ("delivery", "thread_link", "incoming"):
        op.drop_table(table)
