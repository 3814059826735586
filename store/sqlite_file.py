"""One SQLite file of operations: opened in WAL mode, migrated where it is behind, shared by its stores."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event, exc, text
from sqlalchemy.orm import Session

from store.errors import StoreError, StoreFull, StoreLocked
from store.models import REVISION

BUSY_TIMEOUT_S: Final = 10.0


class SqliteFile:
    """The file behind the operation store and its neighbours, for any number of threads and processes.

    A write is one durable transaction that takes the write lock at its start. Raises StoreLocked where
    another process holds that lock for longer than `busy_timeout_s`, StoreFull on a full disk and
    StoreError for a file that is no such store.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        before_commit: Callable[[Session], None] | None = None,
    ) -> None:
        """`before_commit` adds to each write what must be written with it."""
        self._path = path
        self._before_commit = before_commit
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(
            f"sqlite+pysqlite:///{path}", connect_args={"timeout": busy_timeout_s, "isolation_level": None}
        )
        event.listen(self._engine, "connect", _set_up)
        try:
            with _engine_errors(path):
                _migrate(self._engine.connect())
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with _engine_errors(self._path), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock and commits at its end."""
        with _engine_errors(self._path), Session(self._engine, expire_on_commit=False) as session:
            # Taken at once, for a reader that becomes a writer midway may be refused.
            session.execute(text("BEGIN IMMEDIATE"))
            yield session
            if self._before_commit is not None:
                self._before_commit(session)
            session.commit()

    def close(self) -> None:
        """Release connections."""
        self._engine.dispose()


def _set_up(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection) -> None:
    with connection:
        if _revision(connection) == REVISION:
            return
        connection.execute(text("BEGIN IMMEDIATE"))
        # Another process may have migrated while this one waited for the lock.
        if _revision(connection) != REVISION:
            from alembic import command
            from alembic.config import Config

            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            command.upgrade(config, "head")
        connection.commit()


def _revision(connection: Connection) -> str | None:
    known = connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")).first()
    if known is None:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _engine_errors(path: Path) -> Iterator[None]:
    """Turn the engine's errors into ours."""
    try:
        yield
    except exc.DBAPIError as error:
        words = str(error.orig)
        if "locked" in words or "busy" in words:
            raise StoreLocked(
                f"{path} is being written by another process", hint="wait for it to finish and run again"
            ) from error
        if "full" in words or "disk I/O error" in words:
            raise StoreFull(f"no room left to write {path}", hint="free some space and run again") from error
        raise StoreError(f"{path} cannot be read or written: {words}") from error
