"""Alembic migrations of the operation store, run at open where it is behind."""
