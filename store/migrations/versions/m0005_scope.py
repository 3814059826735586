"""The org units that a task or a plan was drawn up from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
TABLES = ("task", "plan")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("scope", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "scope")
