"""The tables of the facts as they were: what was stored by then, labelled and profiled as it was then.

As in `store.scope`, each statement opens with common table expressions that bear the names of the tables,
so no question, however it was built, reads a row that was not known yet.
"""

from collections.abc import Iterator
from typing import Any, Final

from store.dialect import Dialect
from store.facts import Horizon
from store.query import Statement
from store.schema import (
    CUSTOMER,
    CUSTOMER_PAST,
    EVENT,
    FEEDBACK,
    LABEL_COLUMNS,
    LABEL_PAST,
    OUTCOME,
    STORED,
    Table,
)

_LABELS: Final = frozenset(column.name for column in LABEL_COLUMNS)


class PastTables:
    """The tables of one engine as they stood at a horizon."""

    def __init__(self, dialect: Dialect, horizon: Horizon) -> None:
        self._dialect = dialect
        self._horizon = horizon
        self._params: dict[str, Any] = {}
        if horizon.mark is not None:
            self._params["past_mark"] = horizon.mark
        if horizon.occurred is not None:
            self._params["past_moment"] = dialect.encode(horizon.occurred)
        tables = {
            FEEDBACK.name: self._feedback(),
            EVENT.name: self._known(EVENT, dated=True),
            OUTCOME.name: self._known(OUTCOME, dated=True),
            CUSTOMER.name: self._customers(),
        }
        self._head = "WITH " + ", ".join(dialect.inlined(name, body) for name, body in tables.items())

    def restrict(self, statement: Statement) -> Statement:
        """The same statement over the rows as they were."""
        sql = f"{self._head} {statement.sql}"
        used = {name: value for name, value in self._params.items() if name in sql}
        return Statement(sql, {**statement.params, **used}, statement.render)

    def _known(self, table: Table, *, dated: bool) -> str:
        tests = " AND ".join(self._tests(dated=dated)) or "true"
        return f"SELECT {self._dialect.every_column(table)} FROM {self._dialect.stored(table)} WHERE {tests}"

    def _tests(self, *, dated: bool) -> Iterator[str]:
        if self._horizon.mark is not None:
            yield f"coalesce({STORED.name}, 0) <= {self._mark}"
        if dated and self._horizon.occurred is not None:
            moment = self._dialect.sql(self._dialect.parameter("past_moment", "time"))
            yield f"(occurred_at IS NULL OR occurred_at <= {moment})"

    def _feedback(self) -> str:
        rows = self._known(FEEDBACK, dated=True)
        if self._horizon.mark is None:
            return rows
        past = self._dialect.stored(LABEL_PAST)
        # Of what an item was until several marks after the horizon, the first is what it was at the horizon.
        first = (
            f"SELECT feedback_id, min(until) AS first_until FROM {past} WHERE until > {self._mark} "
            "GROUP BY feedback_id"
        )
        columns = ", ".join(f"l.{name} AS {name}" for name in LABEL_PAST.column_names)
        was = (
            f"SELECT {columns} FROM (SELECT * FROM {past}) l JOIN ({first}) m "
            "ON l.feedback_id = m.feedback_id AND l.until = m.first_until"
        )
        names = [*(("rowid", "theme_id") if self._dialect.theme_in_row else ()), *FEEDBACK.column_names]
        # An engine gives 0 or NULL where the join finds nothing.
        shown = ", ".join(
            f"CASE WHEN coalesce(p.until, 0) = 0 THEN f.{name} ELSE p.{name} END AS {name}"
            if name in _LABELS
            else f"f.{name} AS {name}"
            for name in names
        )
        return f"SELECT {shown} FROM ({rows}) f LEFT JOIN ({was}) p ON f.feedback_id = p.feedback_id"

    def _customers(self) -> str:
        if self._horizon.mark is None:
            return self._known(CUSTOMER, dated=False)
        columns = ", ".join(CUSTOMER.column_names)
        tests = " AND ".join(self._tests(dated=False))
        now, was = self._dialect.stored(CUSTOMER), self._dialect.stored(CUSTOMER_PAST)
        return (
            f"SELECT {columns} FROM {now} WHERE {tests} UNION ALL "
            f"SELECT {columns} FROM {was} WHERE {tests} AND until > {self._mark}"
        )

    @property
    def _mark(self) -> str:
        return self._dialect.sql(self._dialect.parameter("past_mark", "integer"))
