"""When a task was given to its owner, which roles were told that it is overdue; notices of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("placed_at", sa.DateTime(), nullable=True))
    op.add_column("task", sa.Column("escalated_to", sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE task SET placed_at = created_at")
    for name in ("task_id", "role"):
        op.add_column("notice", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("role", "task_id"):
        op.drop_column("notice", name)
    op.drop_column("task", "escalated_to")
    op.drop_column("task", "placed_at")
