"""The facts past one machine: ClickHouse, written append-only and read as if every key were there once."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from store.clock import Clock, SystemClock
from store.dialect import CLICKHOUSE
from store.errors import StoreError
from store.facts import Catalogue
from store.query import Statement
from store.records import BehaviourEvent, Customer, IndustryRate, LabelledFeedback, Labels, Outcome, Theme
from store.rows import (
    customer_row,
    event_row,
    feedback_row,
    label_row,
    named,
    outcome_row,
    theme_row,
    utc,
)
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
    STORED,
    STORED_TABLES,
    TEXT_GROUP,
    THEME,
    THEME_OF_TEXT,
    Table,
    clickhouse_statements,
)
from store.sql_facts import SqlFactStore, customer_names, new_names

# Parameters travel in the request line or a form field, whose size servers limit.
_CHUNK: Final = 1000


class ClickHouseClient(Protocol):
    """The wire. Implementations raise StoreError (StoreFull for a full disk) where the server fails."""

    def execute(self, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a statement with `{name: Type}` placeholders; values are str, int, float or list of str.

        Rows come back as Python values: DateTime64 as datetime (UTC), Date32 as date, Map as dict.
        """
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as one block, all or nothing; times are timezone-aware UTC."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class ClickHouseFactStore(SqlFactStore):
    """A FactStore in ClickHouse.

    Idempotence: a row carries a stamp, and of one key the highest stamp is read (ReplacingMergeTree with
    FINAL), so a batch sent twice counts once even where two writers race.
    """

    def __init__(self, client: ClickHouseClient, zone: ZoneInfo, clock: Clock | None = None) -> None:
        super().__init__(CLICKHOUSE, zone)
        self._client = client
        self._clock = clock if clock is not None else SystemClock()
        self._last_stamp = 0
        self._writing = threading.RLock()
        for sql in clickhouse_statements():
            client.execute(sql, {})
        self._prepare()

    def _prepare(self) -> None:
        stored = dict(self._client.execute("SELECT key, value FROM meta", {}))
        version = stored.get("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"the ClickHouse database has schema {version}, this program reads {SCHEMA_VERSION}",
                hint="ingest the sources again into a fresh database",
            )
        zone = stored.get("zone", self._zone.key)
        if zone != self._zone.key:
            self._move_clocks()
        if len(stored) < 2 or zone != self._zone.key:
            self._insert(META, self._meta(schema_version=SCHEMA_VERSION, zone=self._zone.key))
        each = (f"SELECT max({STORED.name}) AS m FROM {table.name}_rows" for table in STORED_TABLES)
        ((last,),) = self._client.execute(f"SELECT max(m) FROM ({' UNION ALL '.join(each)})", {})
        if last is not None and last > self.mark():
            # A writer ended between its rows and the word that they are there.
            self._last_stamp = last
            self._written()

    def _move_clocks(self) -> None:
        for table in (FEEDBACK, OUTCOME):
            self._client.execute(
                f"ALTER TABLE {table.name}_rows UPDATE occurred_local = toDateTime64("
                f"toString(toTimeZone(occurred_at, '{self._zone.key}')), 6, 'UTC') "
                "WHERE occurred_at IS NOT NULL SETTINGS mutations_sync = 2",
                {},
            )

    def version(self) -> object:
        """A value that changes with every write, of any process."""
        return self._client.execute("SELECT value FROM meta WHERE key = 'written'", {})

    def mark(self) -> int:
        """The stamp of the last write that was finished, of any process; 0 before the first."""
        found = self._client.execute("SELECT value FROM meta WHERE key = 'written'", {})
        return int(found[0][0]) if found else 0

    def _remembered(self) -> Catalogue | None:
        return None

    def _remember(self, described: Catalogue, version: object) -> None:
        # Other writers may be at work: a catalogue left in the database could describe no moment at all.
        pass

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run one statement."""
        return self._client.execute(statement.sql, statement.params)

    def existing_ids(self, feedback_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these ids are stored."""
        return self._stored_keys(FEEDBACK, feedback_ids)

    def add_feedback(self, items: Sequence[LabelledFeedback]) -> frozenset[str]:
        """Store a batch; return the ids that were new. Of one id twice the first wins.

        The items are one block, all or nothing; names and near-duplicate marks go before them, since
        they say nothing without items and are written again when the batch is.
        """
        firsts = {item.feedback.feedback_id: item for item in reversed(items)}
        with self._writing:
            existing = self.existing_ids(list(firsts))
            fresh = [item for key, item in reversed(firsts.items()) if key not in existing]
            if not fresh:
                return frozenset()
            groups = {i.text_key: i.near_duplicate_of for i in fresh if i.text_key and i.near_duplicate_of}
            self._insert(KNOWN_NAME, new_names(fresh, self._names()))
            self._insert(TEXT_GROUP, _pairs(TEXT_GROUP, groups))
            self._insert(FEEDBACK, [feedback_row(item, self._zone) for item in fresh])
            self._written()
        return frozenset(item.feedback.feedback_id for item in fresh)

    def replace_labels(self, labels: Mapping[str, Labels]) -> None:
        """Relabel items: feedback id to labels; ids not stored are passed over."""
        names = (*FEEDBACK.column_names, STORED.name)
        past = ("feedback_id", *(column.name for column in LABEL_COLUMNS))
        with self._writing:
            for part in _chunks(list(labels)):
                sql = (
                    f"SELECT {', '.join(names)} FROM {FEEDBACK.name}_rows FINAL "
                    f"WHERE {self._member('feedback_id', 'ids')}"
                )
                rows, superseded = [], []
                for values in self._client.execute(sql, {"ids": list(part)}):
                    row = named(names, values)
                    moments = {name: utc(row[name]) for name in ("occurred_at", "occurred_local")}
                    fresh = label_row(labels[row["feedback_id"]])
                    if fresh["labels"] != row["labels"]:
                        superseded.append({name: row[name] for name in past})
                    rows.append({**row, **moments, **fresh})
                # First what was: where the second block fails, the past says the same as the present.
                until = self._stamp()
                self._insert(LABEL_PAST, [{**row, "until": until} for row in superseded])
                self._insert(FEEDBACK, rows)
            self._written()

    def mark_near_duplicates(self, groups: Mapping[str, str]) -> None:
        """Mark text keys: text key to the text key that represents its group."""
        with self._writing:
            self._insert(TEXT_GROUP, _pairs(TEXT_GROUP, groups))
            self._written()

    def add_customers(self, customers: Sequence[Customer]) -> int:
        """Insert or replace customers; return how many were new. Of one id twice the last wins."""
        with self._writing:
            self._insert(KNOWN_NAME, customer_names(customers, self._names()))
            rows = {customer.customer_id: customer_row(customer) for customer in customers}
            names = (*CUSTOMER.column_names, STORED.name)
            stored: dict[str, dict[str, Any]] = {}
            for part in _chunks(list(rows)):
                sql = (
                    f"SELECT {', '.join(names)} FROM {CUSTOMER.name}_rows FINAL "
                    f"WHERE {self._member('customer_id', 'ids')}"
                )
                found = (named(names, values) for values in self._client.execute(sql, {"ids": part}))
                stored |= {row["customer_id"]: row for row in found}
            changed = {
                one for one, row in stored.items() if any(row[name] != rows[one][name] for name in rows[one])
            }
            until = self._stamp()
            self._insert(CUSTOMER_PAST, [{**stored[one], "until": until} for one in sorted(changed)])
            fresh = [one for one in rows if one not in stored or one in changed]
            self._insert(CUSTOMER, [{**rows[one], STORED.name: until} for one in fresh])
            self._written()
        return len(rows.keys() - stored.keys())

    def add_events(self, events: Sequence[BehaviourEvent]) -> int:
        """Insert events; return how many were new."""
        rows = {event.event_id: event_row(event) for event in reversed(events)}
        return self._insert_new(EVENT, rows)

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> int:
        """Insert outcomes; return how many were new."""
        rows = [outcome_row(outcome, self._zone) for outcome in reversed(outcomes)]
        return self._insert_new(OUTCOME, {row["outcome_id"]: row for row in rows})

    def add_rates(self, rates: Sequence[IndustryRate]) -> int:
        """Insert or replace industry rates by theme and source; return how many were new."""
        with self._writing:
            stored = {(rate.theme, rate.source) for rate in self.rates()}
            rows = {(rate.theme, rate.source): rate.model_dump() for rate in rates}
            self._insert(RATE, list(rows.values()))
            self._written()
        return len(rows.keys() - stored)

    def save_themes(self, themes: Sequence[Theme], assignment: Mapping[str, str]) -> None:
        """Replace themes and the assignment text key -> theme id; seen at once, when `meta` names it."""
        with self._writing:
            generation = self._stamp()
            for table, rows in (
                (THEME, [theme_row(theme) for theme in themes]),
                (THEME_OF_TEXT, _pairs(THEME_OF_TEXT, assignment)),
            ):
                self._insert(table, rows, generation=generation)
            self._insert(META, self._meta(theme_generation=str(generation)))
            for table in (THEME, THEME_OF_TEXT):
                self._client.execute(
                    f"ALTER TABLE {table.name}_rows DELETE WHERE generation < {generation}", {}
                )
            self._written()

    def close(self) -> None:
        """Release the connection."""
        self._client.close()

    def _insert_new(self, table: Table, rows: Mapping[str, dict[str, Any]]) -> int:
        with self._writing:
            stored = self._stored_keys(table, list(rows))
            self._insert(table, [row for name, row in rows.items() if name not in stored])
            self._written()
        return len(rows) - len(stored)

    def _stored_keys(self, table: Table, keys: Sequence[str]) -> frozenset[str]:
        (column,) = table.key
        return frozenset(key for part in _chunks(keys) for key in self._existing(table.name, column, part))

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]], generation: int | None = None) -> None:
        if not rows:
            return
        stamp = self._stamp()
        extra: dict[str, Any] = {} if generation is None else {"generation": generation}
        if table in STORED_TABLES:
            extra[STORED.name] = stamp
        # A row that is written again keeps the mark at which it became known.
        columns = [*table.column_names, *extra, "stamp"]
        values = [[{**extra, **row, "stamp": stamp}[name] for name in columns] for row in rows]
        self._client.insert(f"{table.name}_rows", columns, values)

    def _written(self) -> None:
        self._insert(META, self._meta(written=str(self._stamp())))

    def _meta(self, **values: str) -> list[dict[str, str]]:
        return [{"key": key, "value": value} for key, value in values.items()]

    def _stamp(self) -> int:
        """Microseconds since 1970, later than any given before."""
        now = int(self._clock.now().timestamp() * 1_000_000)
        self._last_stamp = max(now, self._last_stamp + 1)
        return self._last_stamp


def _pairs(table: Table, pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    key, value = table.column_names
    return [{key: left, value: right} for left, right in pairs.items()]


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    remaining = iter(values)
    while part := list(islice(remaining, _CHUNK)):
        yield part
