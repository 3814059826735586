"""The facts on one machine: DuckDB, one process that owns the file, any number of threads."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet
from zoneinfo import ZoneInfo

import duckdb
from pydantic import TypeAdapter

from store.clock import Clock, SystemClock
from store.dialect import DUCKDB
from store.duckdb_tables import batch, insert, insert_new, move_clocks, replace, supersede
from store.errors import StoreError, StoreFull, StoreLocked
from store.facts import Catalogue
from store.query import Statement
from store.records import BehaviourEvent, Customer, IndustryRate, LabelledFeedback, Labels, Outcome, Theme
from store.rows import customer_row, event_row, feedback_row, label_row, outcome_row, theme_row
from store.schema import (
    CUSTOMER,
    CUSTOMER_PAST,
    EVENT,
    FEEDBACK,
    KNOWN_NAME,
    LABEL_COLUMNS,
    LABEL_PAST,
    META,
    OUTCOME,
    RATE,
    SCHEMA_VERSION,
    TEXT_GROUP,
    THEME,
    THEME_OF_TEXT,
    Column,
    Table,
    duckdb_additions,
    duckdb_statements,
)
from store.sql_facts import SqlFactStore, customer_names, new_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.leaves import Coder

# Nothing is ever fetched: extensions would be downloaded at run time.
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_BATCH: Final = 250_000
_INSERT_FEEDBACK: Final = (
    "INSERT INTO feedback BY NAME SELECT b.*, t.theme_id, $mark AS stored FROM batch b "
    "LEFT JOIN theme_of_text t ON b.text_key = t.text_key"
)
_SET_THEMES: Final = (
    "UPDATE feedback SET theme_id = t.theme_id FROM theme_of_text t "
    "WHERE feedback.text_key = t.text_key AND feedback.theme_id IS DISTINCT FROM t.theme_id"
)
_UNSET_THEMES: Final = (
    "UPDATE feedback SET theme_id = NULL WHERE theme_id IS NOT NULL "
    "AND text_key NOT IN (SELECT text_key FROM theme_of_text)"
)
_MARK: Final = "SELECT value FROM meta WHERE key = 'mark'"
_COLUMN: Final = "SELECT 1 FROM information_schema.columns WHERE table_name = ? AND column_name = ?"
# What DuckDB says where the batch is safe in its log, but could not be moved into the file for want of room.
_COMMITTED: Final = "COMMIT succeeded and is durable"
_OWNER: Final = re.compile(r"\(PID (\d+)\)|PID (\d+)")
_FULL: Final = ("no space left", "file too large", "disk quota exceeded", "enospc", "efbig")


class DuckDBFactStore(SqlFactStore):
    """A FactStore in one DuckDB file.

    Reads run on a cursor per thread, writes one at a time, each batch in one transaction. Raises
    StoreLocked where another process owns the file, StoreError where it cannot be read.
    """

    def __init__(self, path: Path, zone: ZoneInfo, clock: Clock | None = None) -> None:
        super().__init__(DUCKDB, zone)
        self._path = path
        self._clock = clock if clock is not None else SystemClock()
        self._threads = threading.local()
        self._writing = threading.RLock()
        self._writes = 0
        self._opening = threading.Lock()
        self._cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
        self._connection: duckdb.DuckDBPyConnection | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._live()

    def _live(self) -> duckdb.DuckDBPyConnection:
        """The open file; opened again where a fatal error closed it."""
        with self._opening:
            if self._connection is None:
                self._connection = self._open()
            return self._connection

    def _open(self) -> duckdb.DuckDBPyConnection:
        with _engine_errors(self._path):
            connection = duckdb.connect(str(self._path), config=_CONFIG)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.begin()
        for sql in duckdb_statements():
            connection.execute(sql)
        for table, name, kind in duckdb_additions():
            if not connection.execute(_COLUMN, [table, name]).fetchall():
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        stored = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        before = dict(stored)
        version = stored.setdefault("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} was written with schema {version}, this program reads {SCHEMA_VERSION}",
                hint="ingest the sources again into a fresh data folder",
            )
        if stored.setdefault("zone", self._zone.key) != self._zone.key:
            move_clocks(connection, self._zone)
            stored["zone"] = self._zone.key
        if stored != before:
            # Otherwise nothing is written, so that a store on a full disk can still be opened and read.
            replace(connection, META, _pairs(META, stored))
        connection.commit()

    def version(self) -> object:
        """A value that changes with every write."""
        return self._writes

    def mark(self) -> int:
        """The mark of the last batch that was stored; 0 before the first."""
        kept = self.rows(Statement(_MARK, {}))
        return int(kept[0][0]) if kept else 0

    def _marked(self, cursor: duckdb.DuckDBPyConnection) -> int:
        """A mark for what is being written: microseconds since 1970, later than any before."""
        kept = cursor.execute(_MARK).fetchall()
        mark = max(int(self._clock.now().timestamp() * 1_000_000), int(kept[0][0]) + 1 if kept else 0)
        replace(cursor, META, [{"key": "mark", "value": str(mark)}])
        return mark

    def _remembered(self) -> Catalogue | None:
        kept = self.rows(Statement("SELECT value FROM meta WHERE key = 'catalogue'", {}))
        return _catalogue_form().validate_json(kept[0][0]) if kept else None

    def _remember(self, described: Catalogue, version: object) -> None:
        # Every write forgets it; a write since the reading began means that it is old already.
        with self._writing, _engine_errors(self._path):
            if version == self._writes:
                body = _catalogue_form().dump_json(described).decode()
                replace(self._cursor(), META, [{"key": "catalogue", "value": body}])

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run one statement."""
        with _engine_errors(self._path):
            return self._cursor().execute(statement.sql, statement.params).fetchall()

    def coded(self, statement: Statement, width: int) -> "list[Coder]":
        """Run one statement of so many columns and give each as codes."""
        # As Arrow batches: tuples of a million rows take ten times the time and the memory.
        from store.leaves import Coder

        coders = [Coder() for _ in range(width)]
        with _engine_errors(self._path):
            found = self._cursor().sql(statement.sql, params=statement.params)
            for rows in found.to_arrow_reader(_BATCH) if found is not None else ():
                for coder, array in zip(coders, rows.columns, strict=True):
                    coder.add_array(array)
        return coders

    def columns(self, statement: Statement) -> "list[NDArray[Any]]":
        """Run one statement and give its columns."""
        # Tuples of a quarter of a million customers take ten times the time and the memory.
        with _engine_errors(self._path):
            return list(self._cursor().execute(statement.sql, statement.params).fetchnumpy().values())

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        connection = self._live()
        owner, cursor = getattr(self._threads, "cursor", (None, None))
        if cursor is None or owner is not connection:
            cursor = connection.cursor()
            self._cursors.add(cursor)
            self._threads.cursor = (connection, cursor)
        return cursor

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._writing, _engine_errors(self._path):
            cursor = self._live().cursor()
            try:
                cursor.begin()
                cursor.execute("DELETE FROM meta WHERE key = 'catalogue'")
                yield cursor
                cursor.commit()
            except duckdb.FatalException as error:
                # The engine refuses everything from now on; the next use opens the file afresh.
                self.close()
                if _COMMITTED not in str(error):
                    raise
            finally:
                self._writes += 1
                cursor.close()

    def add_feedback(self, items: Sequence[LabelledFeedback]) -> frozenset[str]:
        """Store a batch in one transaction; return the ids that were new. Of one id twice the first wins."""
        if not items:
            return frozenset()
        firsts = {item.feedback.feedback_id: item for item in reversed(items)}
        ordered = [
            firsts[feedback_id] for feedback_id in dict.fromkeys(i.feedback.feedback_id for i in items)
        ]
        with self._writing:
            existing = self.existing_ids(list(firsts))
            fresh = [item for item in ordered if item.feedback.feedback_id not in existing]
            if not fresh:
                return frozenset()
            names = new_names(fresh, self._names())
            groups = {i.text_key: i.near_duplicate_of for i in fresh if i.text_key and i.near_duplicate_of}
            with self._transaction() as cursor:
                mark = self._marked(cursor)
                with batch(cursor, FEEDBACK.columns, [feedback_row(item, self._zone) for item in fresh]):
                    cursor.execute(_INSERT_FEEDBACK, {"mark": mark})
                insert(cursor, KNOWN_NAME, names)
                replace(cursor, TEXT_GROUP, _pairs(TEXT_GROUP, groups))
        return frozenset(item.feedback.feedback_id for item in fresh)

    def replace_labels(self, labels: Mapping[str, Labels]) -> None:
        """Relabel items: feedback id to labels; ids not stored are passed over."""
        if not labels:
            return
        rows = [{"feedback_id": key, **label_row(value)} for key, value in labels.items()]
        columns = (Column("feedback_id", "text"), *LABEL_COLUMNS)
        changes = ", ".join(f"{c.name} = b.{c.name}" for c in LABEL_COLUMNS)
        before = ", ".join(f"f.{c.name}" for c in LABEL_COLUMNS)
        with self._transaction() as cursor:
            mark = self._marked(cursor)
            with batch(cursor, columns, rows):
                cursor.execute(
                    f"INSERT INTO {LABEL_PAST.name} BY NAME SELECT f.feedback_id, {before}, {mark} AS until "
                    "FROM feedback f JOIN batch b ON f.feedback_id = b.feedback_id "
                    "WHERE f.labels IS DISTINCT FROM b.labels"
                )
                cursor.execute(
                    f"UPDATE feedback SET {changes} FROM batch b WHERE feedback.feedback_id = b.feedback_id"
                )

    def mark_near_duplicates(self, groups: Mapping[str, str]) -> None:
        """Mark text keys: text key to the text key that represents its group."""
        with self._transaction() as cursor:
            replace(cursor, TEXT_GROUP, _pairs(TEXT_GROUP, groups))

    def add_customers(self, customers: Sequence[Customer]) -> int:
        """Insert or replace customers; return how many were new. Of one id twice the last wins."""
        names = customer_names(customers, self._names())
        with self._transaction() as cursor:
            insert(cursor, KNOWN_NAME, names)
            rows = [customer_row(customer) for customer in customers]
            return supersede(cursor, CUSTOMER, CUSTOMER_PAST, rows, stored=self._marked(cursor))

    def add_events(self, events: Sequence[BehaviourEvent]) -> int:
        """Insert events; return how many were new."""
        with self._transaction() as cursor:
            rows = [event_row(event) for event in events]
            return insert_new(cursor, EVENT, rows, stored=self._marked(cursor))

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> int:
        """Insert outcomes; return how many were new."""
        with self._transaction() as cursor:
            rows = [outcome_row(outcome, self._zone) for outcome in outcomes]
            return insert_new(cursor, OUTCOME, rows, stored=self._marked(cursor))

    def add_rates(self, rates: Sequence[IndustryRate]) -> int:
        """Insert or replace industry rates by theme and source; return how many were new."""
        with self._transaction() as cursor:
            return replace(cursor, RATE, [rate.model_dump() for rate in rates])

    def save_themes(self, themes: Sequence[Theme], assignment: Mapping[str, str]) -> None:
        """Replace themes and the assignment text key -> theme id, in one transaction."""
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM theme")
            cursor.execute("DELETE FROM theme_of_text")
            insert(cursor, THEME, [theme_row(theme) for theme in themes])
            insert(cursor, THEME_OF_TEXT, _pairs(THEME_OF_TEXT, assignment))
            cursor.execute(_SET_THEMES)
            cursor.execute(_UNSET_THEMES)

    def close(self) -> None:
        """Release the file."""
        with self._writing, self._opening:
            # An engine with a cursor left open would live on, broken or not, and be handed out again.
            for connection in (*self._cursors, self._connection):
                if connection is not None:
                    connection.close()
            self._cursors.clear()
            self._connection = None


@contextmanager
def _engine_errors(path: Path) -> Iterator[None]:
    """Turn the engine's errors into ours."""
    try:
        yield
    except duckdb.Error as error:
        words = str(error)
        if "Conflicting lock" in words or "Could not set lock" in words:
            found = _OWNER.search(words)
            owner = f"process {found[1] or found[2]}" if found else "another process"
            raise StoreLocked(
                f"{path} is in use by {owner}",
                hint=f"stop {owner}, or ask it: a running server answers over HTTP",
            ) from error
        if any(sign in words.lower() for sign in _FULL):
            raise StoreFull(
                f"no room left to write {path}; nothing of this batch was stored",
                hint="free some space and run the same command again: nothing is stored twice",
            ) from error
        if isinstance(error, duckdb.FatalException):
            raise StoreError(
                f"{path} had to be closed, perhaps before the last batch was stored: {words}",
                hint="run the same command again: nothing is stored twice",
            ) from error
        raise StoreError(f"{path} cannot be read or written: {words}") from error


@cache
def _catalogue_form() -> TypeAdapter[Catalogue]:
    return TypeAdapter(Catalogue)


def _pairs(table: Table, pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    key, value = table.column_names
    return [{key: left, value: right} for left, right in pairs.items()]
