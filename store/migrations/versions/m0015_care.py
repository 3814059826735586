"""The high-risk pool, and compensations offered to customers."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
STAYING = sa.text("left_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "pool_entry",
        sa.Column("entry_id", sa.Text(), primary_key=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("carer", sa.Text(), nullable=False),
        sa.Column("left_at", sa.DateTime(), nullable=True),
        sa.Column("left_because", sa.Text(), nullable=True),
    )
    op.create_index(
        "pool_entry_once",
        "pool_entry",
        ["customer_id"],
        unique=True,
        sqlite_where=STAYING,
        postgresql_where=STAYING,
    )
    op.create_table(
        "compensation",
        sa.Column("compensation_id", sa.Text(), primary_key=True),
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("customer_id", "conversation_id", "tier", "kind", "currency", "status")
        ],
        sa.Column("amount", sa.Double(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
    )
    op.create_index("compensation_by_customer", "compensation", ["customer_id"])


def downgrade() -> None:
    op.drop_table("compensation")
    op.drop_table("pool_entry")
