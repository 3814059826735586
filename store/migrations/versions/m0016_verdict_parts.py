"""What an alert's score was made of when it was judged."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("verdict", sa.Column("parts", sa.JSON(), nullable=False, server_default="[]"))
    # Of alerts that nothing has joined since they were judged, the parts are still those.
    op.execute(
        "UPDATE verdict SET parts = (SELECT alert.parts FROM alert WHERE alert.alert_id = verdict.alert_id)"
        " WHERE EXISTS (SELECT 1 FROM alert WHERE alert.alert_id = verdict.alert_id"
        " AND alert.updated_at <= verdict.at)"
    )


def downgrade() -> None:
    op.drop_column("verdict", "parts")
