"""What people say the labels are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "human_label",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("text_key", "field", "annotator")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("value", "text", "origin", "sample")),
        sa.Column("feedback_id", sa.Text()),
        sa.Column("labelled_at", sa.DateTime(), nullable=False),
    )
    op.create_index("human_label_by_field", "human_label", ["field"])


def downgrade() -> None:
    op.drop_index("human_label_by_field", "human_label")
    op.drop_table("human_label")
