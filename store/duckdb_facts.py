"""The facts on one machine: DuckDB, one process that owns the file, any number of threads."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet
from zoneinfo import ZoneInfo

import duckdb
from pydantic import TypeAdapter

from store.dialect import DUCKDB
from store.errors import StoreError, StoreFull, StoreLocked
from store.facts import Catalogue
from store.query import Statement
from store.records import BehaviourEvent, Customer, IndustryRate, LabelledFeedback, Labels, Outcome, Theme
from store.rows import customer_row, event_row, feedback_row, label_row, outcome_row, theme_row
from store.schema import (
    CUSTOMER,
    EVENT,
    FEEDBACK,
    KNOWN_NAME,
    LABEL_COLUMNS,
    META,
    OUTCOME,
    RATE,
    SCHEMA_VERSION,
    TEXT_GROUP,
    THEME,
    THEME_OF_TEXT,
    Column,
    ColumnKind,
    Table,
    duckdb_statements,
)
from store.sql_facts import SqlFactStore, customer_names, new_names

if TYPE_CHECKING:
    import pyarrow

# Nothing is ever fetched: extensions would be downloaded at run time.
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_INSERT_FEEDBACK: Final = (
    "INSERT INTO feedback BY NAME SELECT b.*, t.theme_id FROM batch b "
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
# What DuckDB says where the batch is safe in its log, but could not be moved into the file for want of room.
_COMMITTED: Final = "COMMIT succeeded and is durable"
_OWNER: Final = re.compile(r"\(PID (\d+)\)|PID (\d+)")
_FULL: Final = ("no space left", "file too large", "disk quota exceeded", "enospc", "efbig")


class DuckDBFactStore(SqlFactStore):
    """A FactStore in one DuckDB file.

    Reads run on a cursor per thread, writes one at a time, each batch in one transaction. Raises
    StoreLocked where another process owns the file, StoreError where it cannot be read.
    """

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        super().__init__(DUCKDB, zone)
        self._path = path
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
        stored = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        before = dict(stored)
        version = stored.setdefault("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} was written with schema {version}, this program reads {SCHEMA_VERSION}",
                hint="ingest the sources again into a fresh data folder",
            )
        if stored.setdefault("zone", self._zone.key) != self._zone.key:
            _move_clocks(connection, self._zone)
            stored["zone"] = self._zone.key
        if stored != before:
            # Otherwise nothing is written, so that a store on a full disk can still be opened and read.
            _replace(connection, META, _pairs(META, stored))
        connection.commit()

    def _version(self) -> object:
        return self._writes

    def _remembered(self) -> Catalogue | None:
        kept = self._rows(Statement("SELECT value FROM meta WHERE key = 'catalogue'", {}))
        return _catalogue_form().validate_json(kept[0][0]) if kept else None

    def _remember(self, described: Catalogue, version: object) -> None:
        # Every write forgets it; a write since the reading began means that it is old already.
        with self._writing, _engine_errors(self._path):
            if version == self._writes:
                body = _catalogue_form().dump_json(described).decode()
                _replace(self._cursor(), META, [{"key": "catalogue", "value": body}])

    def _rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        with _engine_errors(self._path):
            return self._cursor().execute(statement.sql, statement.params).fetchall()

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
                with _batch(cursor, FEEDBACK.columns, [feedback_row(item, self._zone) for item in fresh]):
                    cursor.execute(_INSERT_FEEDBACK)
                _insert(cursor, KNOWN_NAME, names)
                _replace(cursor, TEXT_GROUP, _pairs(TEXT_GROUP, groups))
        return frozenset(item.feedback.feedback_id for item in fresh)

    def replace_labels(self, labels: Mapping[str, Labels]) -> None:
        """Relabel items: feedback id to labels; ids not stored are passed over."""
        if not labels:
            return
        rows = [{"feedback_id": key, **label_row(value)} for key, value in labels.items()]
        columns = (Column("feedback_id", "text"), *LABEL_COLUMNS)
        changes = ", ".join(f"{c.name} = b.{c.name}" for c in LABEL_COLUMNS)
        with self._transaction() as cursor, _batch(cursor, columns, rows):
            cursor.execute(
                f"UPDATE feedback SET {changes} FROM batch b WHERE feedback.feedback_id = b.feedback_id"
            )

    def mark_near_duplicates(self, groups: Mapping[str, str]) -> None:
        """Mark text keys: text key to the text key that represents its group."""
        with self._transaction() as cursor:
            _replace(cursor, TEXT_GROUP, _pairs(TEXT_GROUP, groups))

    def add_customers(self, customers: Sequence[Customer]) -> int:
        """Insert or replace customers; return how many were new. Of one id twice the last wins."""
        names = customer_names(customers, self._names())
        with self._transaction() as cursor:
            _insert(cursor, KNOWN_NAME, names)
            return _replace(cursor, CUSTOMER, [customer_row(customer) for customer in customers])

    def add_events(self, events: Sequence[BehaviourEvent]) -> int:
        """Insert events; return how many were new."""
        with self._transaction() as cursor:
            return _insert_new(cursor, EVENT, [event_row(event) for event in events])

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> int:
        """Insert outcomes; return how many were new."""
        with self._transaction() as cursor:
            return _insert_new(cursor, OUTCOME, [outcome_row(outcome, self._zone) for outcome in outcomes])

    def add_rates(self, rates: Sequence[IndustryRate]) -> int:
        """Insert or replace industry rates by theme and source; return how many were new."""
        with self._transaction() as cursor:
            return _replace(cursor, RATE, [rate.model_dump() for rate in rates])

    def save_themes(self, themes: Sequence[Theme], assignment: Mapping[str, str]) -> None:
        """Replace themes and the assignment text key -> theme id, in one transaction."""
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM theme")
            cursor.execute("DELETE FROM theme_of_text")
            _insert(cursor, THEME, [theme_row(theme) for theme in themes])
            _insert(cursor, THEME_OF_TEXT, _pairs(THEME_OF_TEXT, assignment))
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


@contextmanager
def _batch(
    cursor: duckdb.DuckDBPyConnection, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]
) -> Iterator[None]:
    """Show rows to this cursor as a table `batch`."""
    cursor.register("batch", _arrow(columns, rows))
    try:
        yield
    finally:
        cursor.unregister("batch")


def _insert(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        with _batch(cursor, table.columns, rows):
            cursor.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM batch")


def _insert_new(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose key is not there yet (of one key twice the first); return how many."""
    firsts = {tuple(row[k] for k in table.key): row for row in reversed(rows)}
    existing = _existing_keys(cursor, table, list(firsts.values()))
    fresh = [row for key, row in firsts.items() if key not in existing]
    _insert(cursor, table, fresh)
    return len(fresh)


def _replace(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, replacing those of the same key (of one key twice the last); return how many were new."""
    lasts = {tuple(row[k] for k in table.key): row for row in rows}
    existing = _existing_keys(cursor, table, list(lasts.values()))
    if existing:
        with _batch(cursor, table.columns, list(lasts.values())):
            cursor.execute(f"DELETE FROM {table.name} t USING batch b WHERE {_same_key(table)}")
    _insert(cursor, table, list(lasts.values()))
    return len(lasts) - len(existing)


def _existing_keys(
    cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> set[tuple[Any, ...]]:
    if not rows:
        return set()
    keys = ", ".join(f"t.{key}" for key in table.key)
    with _batch(cursor, table.columns, rows):
        return set(
            cursor.execute(
                f"SELECT {keys} FROM {table.name} t SEMI JOIN batch b ON {_same_key(table)}"
            ).fetchall()
        )


def _same_key(table: Table) -> str:
    return " AND ".join(f"t.{key} = b.{key}" for key in table.key)


def _arrow(columns: Iterable[Column], rows: Sequence[Mapping[str, Any]]) -> "pyarrow.Table":
    import pyarrow as pa

    text = pa.string()
    kinds: Mapping[ColumnKind, Any] = {
        "text": text,
        "text?": text,
        "number?": pa.float64(),
        "integer?": pa.int64(),
        "time?": pa.timestamp("us"),
        "date?": pa.date32(),
        "texts": pa.list_(text),
        "text_map": pa.map_(text, text),
        "number_map": pa.map_(text, pa.float64()),
    }
    shapes: Mapping[ColumnKind, Callable[[Any], Any]] = {
        "time?": lambda value: None if value is None else value.replace(tzinfo=None),
        "text_map": lambda value: list(value.items()),
        "number_map": lambda value: list(value.items()),
    }
    arrays, names = [], []
    for column in columns:
        values = [row[column.name] for row in rows]
        if column.kind in shapes:
            values = [shapes[column.kind](value) for value in values]
        try:
            arrays.append(pa.array(values, kinds[column.kind]))
        except (UnicodeEncodeError, pa.ArrowException) as error:
            raise StoreError(f"a value of {column.name!r} cannot be stored: {error}") from error
        names.append(column.name)
    return pa.Table.from_arrays(arrays, names)


def _move_clocks(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> None:
    """Rewrite the wall-clock columns for another zone; no offset changes within a quarter of an hour."""
    from store.rows import utc, wall_clock

    quarter = "time_bucket(INTERVAL 15 MINUTE, occurred_at)"
    for table in (FEEDBACK, OUTCOME):
        moments = connection.execute(
            f"SELECT DISTINCT {quarter} FROM {table.name} WHERE occurred_at IS NOT NULL"
        ).fetchall()
        rows = [{"at": moment, "local": wall_clock(utc(moment), zone)} for (moment,) in moments]
        with _batch(connection, (Column("at", "time?"), Column("local", "time?")), rows):
            connection.execute(
                f"UPDATE {table.name} SET occurred_local = b.local + (occurred_at - b.at) "
                f"FROM batch b WHERE {quarter} = b.at"
            )
