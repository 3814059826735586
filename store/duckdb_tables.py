"""Writing whole batches to DuckDB tables, as columns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb

from store.errors import StoreError
from store.rows import utc, wall_clock
from store.schema import FEEDBACK, OUTCOME, STORED, Column, ColumnKind, Table

if TYPE_CHECKING:
    import pyarrow


@contextmanager
def batch(
    cursor: duckdb.DuckDBPyConnection, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]
) -> Iterator[None]:
    """Show rows to this cursor as a table `batch`."""
    cursor.register("batch", _arrow(columns, rows))
    try:
        yield
    finally:
        cursor.unregister("batch")


def insert(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    stored: int | None = None,
) -> None:
    """Insert rows as they are, with the mark at which they became known where the table keeps it."""
    if rows:
        mark = "" if stored is None else f", {stored} AS {STORED.name}"
        with batch(cursor, table.columns, rows):
            cursor.execute(f"INSERT INTO {table.name} BY NAME SELECT *{mark} FROM batch")


def insert_new(
    cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]], *, stored: int
) -> int:
    """Insert the rows whose key is not there yet (of one key twice the first); return how many."""
    firsts = {tuple(row[k] for k in table.key): row for row in reversed(rows)}
    existing = _existing_keys(cursor, table, list(firsts.values()))
    fresh = [row for key, row in firsts.items() if key not in existing]
    insert(cursor, table, fresh, stored=stored)
    return len(fresh)


def supersede(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    past: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    stored: int,
) -> int:
    """Like `replace`; what a row was until now is kept in `past`, and one that changes nothing stays."""
    lasts = {tuple(row[k] for k in table.key): row for row in rows}
    if not lasts:
        return 0
    before = _existing_keys(cursor, table, list(lasts.values()))
    changed = " OR ".join(f"t.{name} IS DISTINCT FROM b.{name}" for name in table.column_names)
    with batch(cursor, table.columns, list(lasts.values())):
        cursor.execute(
            f"INSERT INTO {past.name} BY NAME SELECT t.*, {stored} AS until FROM {table.name} t "
            f"JOIN batch b ON {_same_key(table)} WHERE {changed}"
        )
        cursor.execute(f"DELETE FROM {table.name} t USING batch b WHERE {_same_key(table)} AND ({changed})")
    same = _existing_keys(cursor, table, list(lasts.values()))
    insert(cursor, table, [row for key, row in lasts.items() if key not in same], stored=stored)
    return len(lasts) - len(before)


def replace(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, replacing those of the same key (of one key twice the last); return how many were new."""
    lasts = {tuple(row[k] for k in table.key): row for row in rows}
    existing = _existing_keys(cursor, table, list(lasts.values()))
    if existing:
        with batch(cursor, table.columns, list(lasts.values())):
            cursor.execute(f"DELETE FROM {table.name} t USING batch b WHERE {_same_key(table)}")
    insert(cursor, table, list(lasts.values()))
    return len(lasts) - len(existing)


def _existing_keys(
    cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> set[tuple[Any, ...]]:
    if not rows:
        return set()
    keys = ", ".join(f"t.{key}" for key in table.key)
    with batch(cursor, table.columns, rows):
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
        "integer": pa.int64(),
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


def move_clocks(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> None:
    """Rewrite the wall-clock columns for another zone; no offset changes within a quarter of an hour."""
    quarter = "time_bucket(INTERVAL 15 MINUTE, occurred_at)"
    for table in (FEEDBACK, OUTCOME):
        moments = connection.execute(
            f"SELECT DISTINCT {quarter} FROM {table.name} WHERE occurred_at IS NOT NULL"
        ).fetchall()
        rows = [{"at": moment, "local": wall_clock(utc(moment), zone)} for (moment,) in moments]
        with batch(connection, (Column("at", "time?"), Column("local", "time?")), rows):
            connection.execute(
                f"UPDATE {table.name} SET occurred_local = b.local + (occurred_at - b.at) "
                f"FROM batch b WHERE {quarter} = b.at"
            )
