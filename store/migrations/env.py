"""Alembic's entry: runs on the connection it is handed, inside that connection's transaction."""

from alembic import context

from store.models import Model

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
