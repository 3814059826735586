"""Messages that are sent: when they may go, why they do not; opt-outs and coupons."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
_TEXTS = ("title", "reason")
_TIMES = ("prepared_at", "expires_at", "next_at")


def upgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.alter_column("tier", existing_type=sa.Text(), nullable=True)
        batch.add_column(sa.Column("kind", sa.Text(), nullable=False, server_default="playbook"))
        batch.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        for name in _TEXTS:
            batch.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
        for name in _TIMES:
            batch.add_column(sa.Column(name, sa.DateTime(), nullable=True))
    op.execute("UPDATE message SET prepared_at = created_at WHERE status = 'prepared'")
    op.create_table(
        "opt_out",
        sa.Column("customer_id", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
    )
    op.create_table(
        "coupon",
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.DateTime(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("given_at", sa.DateTime(), nullable=True),
    )
    op.create_index("coupon_by_customer", "coupon", ["customer_id"])


def downgrade() -> None:
    op.drop_table("coupon")
    op.drop_table("opt_out")
    with op.batch_alter_table("message") as batch:
        for name in ("kind", "attempts", *_TEXTS, *_TIMES):
            batch.drop_column(name)
        batch.alter_column("tier", existing_type=sa.Text(), nullable=False)
