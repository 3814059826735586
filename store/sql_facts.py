"""Reading the facts in SQL: what every engine shares. An engine adds how to run and how to write."""

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast
from zoneinfo import ZoneInfo

from store.builder import (
    aggregate_statement,
    count_statement,
    customers_statement,
    ranked_statement,
    text_keys_statement,
)
from store.catalogue import read_catalogue
from store.dialect import Dialect, Kind
from store.facts import (
    Aggregate,
    Catalogue,
    FactStore,
    Find,
    Group,
    Horizon,
    Leaves,
    Moments,
    Selection,
    Voice,
    Window,
)
from store.finding import find_statement, voices_statement
from store.moments import moments_statement
from store.query import KnownNames, Statement
from store.records import BehaviourEvent, Customer, IndustryRate, LabelledFeedback, Outcome, Theme
from store.rows import FIND_COLUMNS, feedback_item, named, utc, voice
from store.schema import CUSTOMER, EVENT, OUTCOME, Table
from store.units import Scope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.customer_features import CustomerQuestion, CustomerTable, OutcomeTable
    from store.leaves import Coder

_SCOPES_KEPT: Final = 16
_CUSTOMER_VOICE: Final = "coalesce(speaker, '') <> 'agent'"


class SqlFactStore(ABC):
    """The reading half of a FactStore."""

    def __init__(self, dialect: Dialect, zone: ZoneInfo) -> None:
        self._dialect = dialect
        self._zone = zone
        self._cached: tuple[object, KnownNames, Catalogue | None] | None = None
        self._cache_lock = threading.Lock()
        self._scopes: OrderedDict[Scope, FactStore] = OrderedDict()

    @property
    def scope(self) -> Scope:
        """Everything."""
        return ()

    def scoped(self, scope: Scope) -> FactStore:
        """The same facts from within a scope; the ones asked for last are kept, with what they remember."""
        from store.scoped_facts import ScopedFacts

        if scope == self.scope:
            # Each engine adds the writing half.
            return cast(FactStore, self)
        with self._cache_lock:
            if scope not in self._scopes:
                self._scopes[scope] = ScopedFacts(self, scope, self._dialect, self._zone)
            self._scopes.move_to_end(scope)
            while len(self._scopes) > _SCOPES_KEPT:
                self._scopes.popitem(last=False)
            return self._scopes[scope]

    def as_of(self, horizon: Horizon) -> FactStore:
        """The same facts as they were known then, read only."""
        from store.past_facts import PastFacts

        return PastFacts(self, horizon, self._dialect, self._zone)

    @abstractmethod
    def mark(self) -> int:
        """A number that grows with every batch stored."""

    @abstractmethod
    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run one statement; StoreError where the engine fails."""

    @abstractmethod
    def version(self) -> object:
        """A value that changes with every write."""

    @abstractmethod
    def _remembered(self) -> Catalogue | None:
        """The catalogue as another process left it, where nothing was written since."""

    @abstractmethod
    def _remember(self, described: Catalogue, version: object) -> None:
        """Leave a catalogue, read at this version, to other processes."""

    def aggregate(self, query: Aggregate) -> list[Group]:
        """Answer a grouped question. Ungrouped, every window has one group, with n = 0 where empty."""
        statement = aggregate_statement(query, self._dialect, self._names())
        groups = []
        for window, *keys, n, total, squares in self.rows(statement):
            shown = (
                None if raw is None else render(raw)
                for raw, render in zip(keys, statement.render, strict=True)
            )
            groups.append(Group(int(window), tuple(shown), int(n), float(total), float(squares)))
        if query.group_by:
            return groups
        found = {group.window: group for group in groups}
        return [found.get(i, Group(i, (), 0, 0.0, 0.0)) for i in range(max(1, len(query.windows)))]

    def leaves(self, query: Aggregate) -> Leaves:
        """The rows behind an aggregate, ungrouped, with their values of the dimensions of `group_by`."""
        from store.leaves import read_leaves

        return read_leaves(query, self.coded, self._dialect, self._names())

    def coded(self, statement: Statement, width: int) -> "list[Coder]":
        """Run one statement of so many columns and give each as codes."""
        from store.leaves import Coder

        coders = [Coder() for _ in range(width)]
        for at, values in enumerate(zip(*self.rows(statement), strict=True)):
            coders[at].add_values(values)
        return coders

    def moments(self, selection: Selection, factors: Sequence[tuple[str, ...]]) -> Moments:
        """Sums and sums of products of factors over the rows that have a value of each."""
        size = len(factors)
        row = self.rows(moments_statement(selection, factors, self._dialect, self._names()))[0]
        triangle = iter(float(value) for value in row[1 + size :])
        products = [[0.0] * size for _ in range(size)]
        for i in range(size):
            for j in range(i, size):
                products[i][j] = products[j][i] = next(triangle)
        sums = tuple(float(value) for value in row[1 : 1 + size])
        return Moments(int(row[0]), sums, tuple(map(tuple, products)))

    def ranked(
        self, query: Aggregate, ranks: Sequence[int]
    ) -> dict[tuple[str | None, ...], dict[int, float]]:
        """Of each group, by key: the values at these ranks (1 is the smallest) that it has."""
        if not ranks:
            return {}
        statement = ranked_statement(query, ranks, self._dialect, self._names())
        found: dict[tuple[str | None, ...], dict[int, float]] = {}
        for *keys, place, x in self.rows(statement):
            shown = (
                None if raw is None else render(raw)
                for raw, render in zip(keys, statement.render, strict=True)
            )
            found.setdefault(tuple(shown), {})[int(place)] = float(x)
        return found

    def count(self, selection: Selection) -> int:
        """Count items."""
        return int(self.rows(count_statement(selection, self._dialect, self._names()))[0][0])

    def find(self, query: Find) -> list[LabelledFeedback]:
        """Fetch items; `store.builder.find_statement` says how the orders are meant."""
        items = []
        for *values, group_key, theme_id in self.rows(find_statement(query, self._dialect, self._names())):
            items.append(feedback_item(named(FIND_COLUMNS, values), group_key, theme_id))
        return items

    def voices(self, selection: Selection, customer_ids: Sequence[str] | None = None) -> list[Voice]:
        """Selected items (of these customers) with a time and a customer, oldest first, without texts."""
        statement = voices_statement(selection, customer_ids, self._dialect, self._names())
        return [voice(row) for row in self.rows(statement)]

    def customer_features(self, question: "CustomerQuestion") -> "CustomerTable":
        """Many figures of each customer in one pass over the items and one over the events."""
        from store.customer_features import read_customer_table

        return read_customer_table(question, self.columns, self._dialect, self._names())

    def outcome_table(self) -> "OutcomeTable":
        """Every outcome in columns, oldest first."""
        from store.customer_features import read_outcome_table

        return read_outcome_table(self.columns, self._dialect)

    def event_texts(self, window: Window = Window()) -> list[tuple[str, str, int]]:
        """Distinct (kind, detail, how often) of the events, the commonest first."""
        from store.customer_features import event_texts_statement

        rows = self.rows(event_texts_statement(window, self._dialect, self._names()))
        return [(kind, detail, int(n)) for kind, detail, n in rows]

    def columns(self, statement: Statement) -> "list[NDArray[Any]]":
        """Run one statement and give its columns; an engine that keeps columns gives them as they are."""
        import numpy as np

        rows = self.rows(statement)
        width = len(rows[0]) if rows else 0
        return [np.array([row[at] for row in rows], dtype=object) for at in range(width)]

    def reach(self, selection: Selection, dimension: str | None = None) -> dict[str | None, int]:
        """Distinct customers of a selection, by value of a dimension; of all of it under None, where none."""
        statement = customers_statement(selection, dimension, self._dialect, self._names())
        render = statement.render[0] if statement.render else str
        return {None if key is None else render(key): int(n) for key, n in self.rows(statement)}

    def text_keys(
        self, selection: Selection, limit: int | None = None, among: Sequence[str] | None = None
    ) -> list[tuple[str, int]]:
        """Distinct text keys of a selection (among these) with how many items carry each, by key."""
        statement = text_keys_statement(selection, limit, among, self._dialect, self._names())
        return [(key, int(n)) for key, n in self.rows(statement)]

    def texts(self, text_keys: Sequence[str] | None = None) -> dict[str, str]:
        """Text by text key: these, or all that customers said."""
        if text_keys is not None:
            return self._texts(f"{self._member('text_key', 'keys')}", {"keys": list(text_keys)})
        return self._texts(_CUSTOMER_VOICE, {})

    def texts_of_batch(self, batch_id: str) -> dict[str, str]:
        """Distinct customer texts by text key of one batch."""
        test = f"batch_id = {self._parameter('batch', 'text')} AND {_CUSTOMER_VOICE}"
        return self._texts(test, {"batch": batch_id})

    def _texts(self, test: str, params: dict[str, Any]) -> dict[str, str]:
        sql = (
            f"SELECT text_key, min(text) FROM feedback WHERE text_key IS NOT NULL AND {test} "
            "GROUP BY text_key ORDER BY text_key"
        )
        return dict(self.rows(Statement(sql, params)))

    def existing_ids(self, feedback_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these ids are stored."""
        return self._existing("feedback", "feedback_id", feedback_ids)

    def _existing(self, table: str, key: str, values: Sequence[str]) -> frozenset[str]:
        if not values:
            return frozenset()
        sql = f"SELECT {key} FROM {table} WHERE {self._member(key, 'keys')}"
        return frozenset(row[0] for row in self.rows(Statement(sql, {"keys": list(values)})))

    def customers(self, customer_ids: Sequence[str] | None = None) -> list[Customer]:
        """Fetch customers (all, or these), by id."""
        return [
            Customer(**row) for row in self._of_customers(CUSTOMER, customer_ids, Window(), "customer_id")
        ]

    def events(self, customer_ids: Sequence[str] | None, window: Window = Window()) -> list[BehaviourEvent]:
        """Fetch the events of these customers (None: of all), oldest first."""
        rows = self._of_customers(EVENT, customer_ids, window, "occurred_at, event_id")
        return [BehaviourEvent(**{**row, "occurred_at": utc(row["occurred_at"])}) for row in rows]

    def outcomes(self, customer_ids: Sequence[str] | None = None) -> list[Outcome]:
        """Fetch outcomes, oldest first."""
        rows = self._of_customers(OUTCOME, customer_ids, Window(), "occurred_at, outcome_id")
        return [
            Outcome(
                customer_id=row["customer_id"],
                occurred_at=_known(utc(row["occurred_at"])),
                outcome=row["outcome"],
                value=row["value"],
            )
            for row in rows
        ]

    def _of_customers(
        self, table: Table, customer_ids: Sequence[str] | None, window: Window, order: str
    ) -> list[dict[str, Any]]:
        tests, params = ["true"], dict[str, Any]()
        if customer_ids is not None:
            tests.append(self._member("customer_id", "ids"))
            params["ids"] = list(customer_ids)
        for name, sign, moment in (("start", ">=", window.start), ("end", "<", window.end)):
            if moment is not None:
                tests.append(f"occurred_at {sign} {self._parameter(name, 'time')}")
                params[name] = self._dialect.encode(moment)
        sql = (
            f"SELECT {', '.join(table.column_names)} FROM {table.name} "
            f"WHERE {' AND '.join(tests)} ORDER BY {order}"
        )
        return [named(table.column_names, row) for row in self.rows(Statement(sql, params))]

    def rates(self) -> list[IndustryRate]:
        """Fetch the industry table, by theme and source."""
        rows = self.rows(Statement("SELECT theme, rate, n, source FROM rate ORDER BY theme, source", {}))
        return [IndustryRate(theme=theme, rate=rate, n=n, source=source) for theme, rate, n, source in rows]

    def themes(self) -> list[Theme]:
        """Fetch themes with centroids, by id."""
        rows = self.rows(Statement("SELECT body FROM theme ORDER BY theme_id", {}))
        return [Theme.model_validate_json(body) for (body,) in rows]

    def last_at(self) -> datetime | None:
        """When the last of customers' items was."""
        sql = f"SELECT max(occurred_at) FROM feedback WHERE occurred_at IS NOT NULL AND {_CUSTOMER_VOICE}"
        ((last,),) = self.rows(Statement(sql, {}))
        return utc(last)

    def catalogue(self) -> Catalogue:
        """Describe what customers said (agents' turns left out); cached until the next write."""
        version, names, described = self._cache()
        if described is None:
            described = self._remembered()
            if described is None:
                described = read_catalogue(self.rows, self._dialect, names)
                self._remember(described, version)
            with self._cache_lock:
                self._cached = (version, names, described)
        return described

    def _names(self) -> KnownNames:
        return self._cache()[1]

    def _cache(self) -> tuple[object, KnownNames, Catalogue | None]:
        version = self.version()
        cached = self._cached
        if cached is None or cached[0] != version:
            cached = (version, self._read_names(), None)
            with self._cache_lock:
                self._cached = cached
        return cached

    def _read_names(self) -> KnownNames:
        found: Mapping[str, set[str]] = {"metric": set(), "attribute": set(), "customer_attribute": set()}
        for kind, name in self.rows(Statement("SELECT kind, name FROM known_name", {})):
            found[kind].add(name)
        return KnownNames(
            frozenset(found["metric"]),
            frozenset(found["attribute"]),
            frozenset(found["customer_attribute"]),
            self.scope,
        )

    def _parameter(self, name: str, kind: Kind) -> str:
        return self._dialect.sql(self._dialect.parameter(name, kind))

    def _member(self, column: str, name: str) -> str:
        from sqlglot import exp

        values = self._dialect.parameter(name, "texts")
        return self._dialect.sql(self._dialect.member(exp.column(column), values))


def new_names(items: Sequence[LabelledFeedback], known: KnownNames) -> list[dict[str, str]]:
    """Rows of `known_name` for the custom metrics and attributes that a batch brings along."""
    metrics = {name for item in items for name in item.feedback.metrics} - known.metrics
    attributes = {name for item in items for name in item.feedback.attributes} - known.attributes
    return [
        *({"kind": "metric", "name": name} for name in sorted(metrics)),
        *({"kind": "attribute", "name": name} for name in sorted(attributes)),
    ]


def _known(moment: datetime | None) -> datetime:
    if moment is None:
        raise ValueError("an outcome has a time")
    return moment


def customer_names(customers: Sequence[Customer], known: KnownNames) -> list[dict[str, str]]:
    """Rows of `known_name` for the attributes that these customers bring along."""
    names = {name for customer in customers for name in customer.attributes} - known.customer_attributes
    return [{"kind": "customer_attribute", "name": name} for name in sorted(names)]
