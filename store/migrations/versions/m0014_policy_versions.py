"""Versions of the policy."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
IN_FORCE = sa.text("state <> 'retired'")


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("text", "state", "made_by", "why")],
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("reverts", sa.Integer(), nullable=True),
        *[sa.Column(name, sa.DateTime(), nullable=True) for name in ("live_from", "live_until")],
    )
    op.create_index(
        "policy_version_in_force",
        "policy_version",
        ["state"],
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )


def downgrade() -> None:
    op.drop_table("policy_version")
