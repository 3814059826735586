"""The tables of the facts, once for every engine.

Arrays and maps stay in the row: on a million rows, grouping by an array or a map key took a third of
the time of a join with a side table. Times are stored twice, in UTC (`occurred_at`) and as the
configured zone's wall clock (`occurred_local`), so that hours and months need no zone tables in the engine.
"""

from typing import Final, Literal, NamedTuple

ColumnKind = Literal[
    "text", "text?", "number?", "integer", "integer?", "time?", "date?", "texts", "text_map", "number_map"
]

_DUCKDB: Final = {
    "text": "VARCHAR NOT NULL",
    "text?": "VARCHAR",
    "number?": "DOUBLE",
    "integer": "BIGINT NOT NULL",
    "integer?": "BIGINT",
    "time?": "TIMESTAMP",
    "date?": "DATE",
    "texts": "VARCHAR[] NOT NULL",
    "text_map": "MAP(VARCHAR, VARCHAR) NOT NULL",
    "number_map": "MAP(VARCHAR, DOUBLE) NOT NULL",
}
_CLICKHOUSE: Final = {
    "text": "String",
    "text?": "Nullable(String)",
    "number?": "Nullable(Float64)",
    "integer": "Int64",
    "integer?": "Nullable(Int64)",
    "time?": "Nullable(DateTime64(6, 'UTC'))",
    "date?": "Nullable(Date32)",
    "texts": "Array(String)",
    "text_map": "Map(String, String)",
    "number_map": "Map(String, Float64)",
}


class Column(NamedTuple):
    """A column by name and kind; a kind with `?` may be NULL."""

    name: str
    kind: ColumnKind


class Table(NamedTuple):
    """A table and the columns that tell its rows apart."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(column.name for column in self.columns)


def _columns(kind: ColumnKind, names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names.split())


LABEL_COLUMNS: Final = (
    *_columns("text?", "labels labeller sentiment emotion intent priority"),
    Column("sentiment_confidence", "number?"),
    *_columns("texts", "topics topic_areas risks competitors compliance"),
)
FEEDBACK: Final = Table(
    "feedback",
    ("feedback_id",),
    (
        *_columns("text", "feedback_id source channel text language"),
        *_columns("time?", "occurred_at occurred_local"),
        *_columns("text?", "customer_id conversation_id speaker region city product version org_unit"),
        *_columns("text?", "customer_type tier media text_key batch_id"),
        Column("turn", "integer?"),
        *_columns("number?", "nps csat ces rating"),
        Column("metrics", "number_map"),
        Column("attributes", "text_map"),
        *LABEL_COLUMNS,
    ),
)
CUSTOMER: Final = Table(
    "customer",
    ("customer_id",),
    (
        Column("customer_id", "text"),
        *_columns("text?", "name customer_type tier region city org_unit owner"),
        Column("lifetime_value", "number?"),
        *_columns("date?", "since renewal_on"),
        Column("attributes", "text_map"),
    ),
)
EVENT: Final = Table(
    "event",
    ("event_id",),
    (
        *_columns("text", "event_id customer_id kind detail"),
        Column("occurred_at", "time?"),
        Column("value", "number?"),
    ),
)
OUTCOME: Final = Table(
    "outcome",
    ("outcome_id",),
    (
        *_columns("text", "outcome_id customer_id outcome"),
        *_columns("time?", "occurred_at occurred_local"),
        Column("value", "number?"),
    ),
)
RATE: Final = Table(
    "rate",
    ("theme", "source"),
    (*_columns("text", "theme source"), Column("rate", "number?"), Column("n", "integer?")),
)
THEME: Final = Table("theme", ("theme_id",), _columns("text", "theme_id body"))
# Nullable, so that an outer join gives NULL in ClickHouse too.
THEME_OF_TEXT: Final = Table(
    "theme_of_text", ("text_key",), (Column("text_key", "text"), Column("theme_id", "text?"))
)
TEXT_GROUP: Final = Table(
    "text_group", ("text_key",), (Column("text_key", "text"), Column("group_key", "text?"))
)
KNOWN_NAME: Final = Table("known_name", ("kind", "name"), _columns("text", "kind name"))
META: Final = Table("meta", ("key",), _columns("text", "key value"))

# When the store came to know a row as it is (a mark, see `FactStore.mark`); NULL where it was stored before
# that was kept. What a row was before it was replaced is kept until the mark at which that was.
STORED: Final = Column("stored", "integer?")
STORED_TABLES: Final = (FEEDBACK, CUSTOMER, EVENT, OUTCOME)
LABEL_PAST: Final = Table(
    "label_past",
    ("feedback_id", "until"),
    (Column("feedback_id", "text"), Column("until", "integer"), *LABEL_COLUMNS),
)
CUSTOMER_PAST: Final = Table(
    "customer_past", ("customer_id", "until"), (*CUSTOMER.columns, STORED, Column("until", "integer"))
)

TABLES: Final = (
    FEEDBACK,
    CUSTOMER,
    EVENT,
    OUTCOME,
    RATE,
    THEME,
    THEME_OF_TEXT,
    TEXT_GROUP,
    KNOWN_NAME,
    META,
    LABEL_PAST,
    CUSTOMER_PAST,
)
SCHEMA_VERSION: Final = "2"


def duckdb_statements() -> list[str]:
    """Statements that create what is missing. The writer keeps keys: an index would slow batches."""
    return [
        f"CREATE TABLE IF NOT EXISTS {table.name} "
        f"({', '.join(f'{c.name} {_DUCKDB[c.kind]}' for c in (*table.columns, *_kept_by_writer(table)))})"
        for table in TABLES
    ]


def duckdb_additions() -> list[tuple[str, str, str]]:
    """Columns that a file of this schema may still lack: table, name, type."""
    return [(table.name, STORED.name, _DUCKDB[STORED.kind]) for table in STORED_TABLES]


def _kept_by_writer(table: Table) -> tuple[Column, ...]:
    # A join by text key would triple the time of every question about themes.
    theme = (Column("theme_id", "text?"),) if table is FEEDBACK else ()
    return (*theme, STORED) if table in STORED_TABLES else theme


def clickhouse_statements() -> list[str]:
    """Statements that create what is missing.

    Rows live in `<table>_rows` (ReplacingMergeTree: the highest `stamp` of a key wins), and the view
    `<table>` reads them with FINAL. Themes are replaced as a whole: readers see the newest generation,
    which is the newest that `meta` names.
    """
    statements = []
    for table in (META, *(t for t in TABLES if t is not META)):
        generation = table in (THEME, THEME_OF_TEXT)
        columns = [f"{c.name} {_CLICKHOUSE[c.kind]}" for c in table.columns]
        columns += ["generation UInt64"] if generation else []
        key = (("generation",) if generation else ()) + table.key
        names = ", ".join(table.column_names)
        current = (
            " WHERE generation = (SELECT max(toUInt64(value)) FROM meta WHERE key = 'theme_generation')"
            if generation
            else ""
        )
        statements += [
            f"CREATE TABLE IF NOT EXISTS {table.name}_rows ({', '.join(columns)}, stamp UInt64) "
            f"ENGINE = ReplacingMergeTree(stamp) ORDER BY ({', '.join(key)})",
            *(
                [f"ALTER TABLE {table.name}_rows ADD COLUMN IF NOT EXISTS stored {_CLICKHOUSE[STORED.kind]}"]
                if table in STORED_TABLES
                else []
            ),
            f"CREATE VIEW IF NOT EXISTS {table.name} AS SELECT {names} FROM {table.name}_rows FINAL{current}",
        ]
    return statements
