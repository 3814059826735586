"""Surveys: who was asked what after which occasion, and what came back."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey",
        sa.Column("survey_id", sa.Text(), primary_key=True),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("occasion_at", sa.DateTime(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("answer_id", sa.Text(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
    )
    op.create_index("survey_by_customer", "survey", ["customer_id"])
    op.create_index("survey_by_time", "survey", ["asked_at"])


def downgrade() -> None:
    op.drop_table("survey")
