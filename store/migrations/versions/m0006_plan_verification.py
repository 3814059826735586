"""How a plan is judged, what was found when it was, and the effects that later plans are estimated from."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
ADDED = (
    ("language", sa.Text(), "zh"),
    ("hypothesis", sa.Text(), ""),
    ("control", sa.Text(), ""),
    ("window_days", sa.Integer(), "30"),
)
OPTIONAL = (
    ("design", sa.JSON()),
    ("translation", sa.JSON()),
    ("review", sa.JSON()),
    ("follows", sa.Text()),
    ("approved_at", sa.DateTime()),
)


def upgrade() -> None:
    for name, kind, default in ADDED:
        op.add_column("plan", sa.Column(name, kind, nullable=False, server_default=default))
    for name, optional in OPTIONAL:
        op.add_column("plan", sa.Column(name, optional, nullable=True))
    op.create_table(
        "effect",
        sa.Column("effect_id", sa.Text(), primary_key=True),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("design", sa.Text(), nullable=False),
        sa.Column("evidence_grade", sa.Text(), nullable=False),
        *[
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("effect", "ci_low", "ci_high", "target", "level_before", "level_after")
        ],
        sa.Column("n_before", sa.Integer(), nullable=False),
        sa.Column("n_after", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.DateTime(), nullable=False),
        sa.Column("verified_by", sa.Text(), nullable=False),
    )
    op.create_index("effect_by_plan", "effect", ["plan_id"])


def downgrade() -> None:
    op.drop_table("effect")
    for name, *_ in (*ADDED, *OPTIONAL):
        op.drop_column("plan", name)
