"""Labels by content and labeller, and the queue of texts that got none."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label_cache",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("labeller", "text_key")),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "label_queue",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("labeller", "text_key")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("text", "reason", "detail")),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.DateTime(), nullable=False) for name in ("first_at", "last_at")),
    )


def downgrade() -> None:
    for table in ("label_queue", "label_cache"):
        op.drop_table(table)
