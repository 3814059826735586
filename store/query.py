"""One statement in the making: selections to conditions, values to parameters, names to dimensions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlglot import exp

from store.dialect import Dialect, Kind
from store.dimensions import (
    ASSIGNED,
    CUSTOMERS,
    FACTS,
    Dimension,
    Raw,
    column,
    feedback_dimension,
    outcome_dimension,
)
from store.facts import Selection, Window
from store.responses import join_first_turns
from store.units import UNIT, require_within


class Statement(NamedTuple):
    """SQL of one engine, its bound values, and how each key of a result row is shown."""

    sql: str
    params: dict[str, Any]
    render: tuple[Callable[[Raw], str], ...] = ()


@dataclass(frozen=True)
class KnownNames:
    """Names that the data brought along: custom metrics, attributes of feedback, attributes of customers.

    `units`: the org units that may be named; empty is all of them (see `store.scope`).
    """

    metrics: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    customer_attributes: frozenset[str] = frozenset()
    units: tuple[str, ...] = ()


@dataclass
class Query:
    """Collects the parameters, the conditions and the joins of a statement over feedback or outcomes."""

    dialect: Dialect
    names: KnownNames
    outcomes: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    conditions: list[exp.Expression] = field(default_factory=list)
    needs_theme: bool = False
    needs_responses: bool = False

    def bind(self, value: object, kind: Kind) -> exp.Expression:
        """A placeholder that carries `value`."""
        name = f"p{len(self.params)}"
        self.params[name] = self.dialect.encode(value)
        return self.dialect.parameter(name, kind)

    def statement(self, tree: exp.Select, render: Sequence[Callable[[Raw], str]] = ()) -> Statement:
        """The finished statement with the parameters that it uses (an engine refuses others)."""
        used = {placeholder.name for placeholder in tree.find_all(exp.Placeholder)}
        params = {name: value for name, value in self.params.items() if name in used}
        return Statement(self.dialect.sql(tree), params, tuple(render))

    def dimension(self, name: str) -> Dimension:
        """The dimension of that name; ToolInputError where there is none."""
        find = outcome_dimension if self.outcomes else feedback_dimension
        attributes = self.names.customer_attributes if self.outcomes else self.names.attributes
        found = find(name, self.dialect, attributes, lambda key: self.bind(key, "text"))
        self.needs_theme = self.needs_theme or found.needs_theme
        return found

    def is_one_of(self, dimension: Dimension, values: Sequence[str | None]) -> exp.Expression:
        """Whether the dimension has one of the values (NULL, like FALSE, where it is not given).

        OutOfScope where a unit is named that may not be seen.
        """
        if dimension.name == UNIT:
            require_within(values, self.names.units)
        tests: list[exp.Expression] = []
        if None in values:
            tests.append(self.is_missing(dimension))
        bound = [self.bind(dimension.parse(value), dimension.kind) for value in values if value is not None]
        if dimension.many:
            tests += [self.dialect.contains(dimension.expression.copy(), value) for value in bound]
        elif bound:
            tests.append(exp.In(this=dimension.expression.copy(), expressions=bound))
        return exp.Paren(this=exp.or_(*tests)) if tests else exp.false()

    def is_missing(self, dimension: Dimension) -> exp.Expression:
        """Whether an item has no value of the dimension."""
        if dimension.many:
            return self.dialect.is_empty(dimension.expression.copy())
        return is_null(dimension.expression.copy())

    def select(self, selection: Selection, windows: Sequence[Window]) -> None:
        """Add the conditions of a selection over the hull of the windows."""
        for name, values in selection.filters.items():
            self.conditions.append(self.is_one_of(self.dimension(name), values))
        for name, values in selection.exclude.items():
            self._leave_out(name, values)
        if not self.outcomes and "speaker" not in {*selection.filters, *selection.exclude}:
            agent = exp.EQ(this=column("speaker"), expression=exp.Literal.string("agent"))
            self.conditions.append(exp.Paren(this=exp.or_(is_null(column("speaker")), exp.Not(this=agent))))
        moment = column("occurred_at")
        starts = [window.start for window in windows if window.start is not None]
        ends = [window.end for window in windows if window.end is not None]
        if len(starts) == len(windows):
            self.conditions.append(exp.GTE(this=moment, expression=self.bind(min(starts), "time")))
        if len(ends) == len(windows):
            self.conditions.append(exp.LT(this=moment.copy(), expression=self.bind(max(ends), "time")))

    def _leave_out(self, name: str, values: Sequence[str | None]) -> None:
        test = exp.Coalesce(this=self.is_one_of(self.dimension(name), values), expressions=[exp.false()])
        self.conditions.append(exp.Not(this=test))

    def source(self, select: exp.Select) -> exp.Select:
        """FROM, the joins asked for, WHERE."""
        # In place: a copy of the tree at each step would cost more than to run the statement.
        facts = exp.alias_(exp.to_table("outcome" if self.outcomes else "feedback"), FACTS)
        select = select.from_(facts, copy=False)
        if self.outcomes:
            select = left_join(select, "customer", CUSTOMERS, "customer_id")
        if self.needs_responses:
            select = join_first_turns(select, self.dialect)
        if self.needs_theme and not self.dialect.theme_in_row:
            select = left_join(select, "theme_of_text", ASSIGNED, "text_key")
        return select.where(*self.conditions, copy=False) if self.conditions else select


def left_join(select: exp.Select, table: str, alias: str, key: str) -> exp.Select:
    """Join a table of extra columns by a key column of the facts."""
    on = exp.EQ(this=column(key), expression=column(key, alias))
    return select.join(exp.alias_(exp.to_table(table), alias), on=on, join_type="left", copy=False)


def is_null(expression: exp.Expression) -> exp.Expression:
    """Whether an expression is NULL."""
    return exp.Is(this=expression, expression=exp.Null())


def not_null(expression: exp.Expression) -> exp.Expression:
    """Whether an expression is not NULL."""
    return exp.Not(this=is_null(expression))


def ordered(expression: exp.Expression, *, descending: bool = False) -> exp.Expression:
    """An ORDER BY term with NULL last."""
    return exp.Ordered(this=expression, desc=descending, nulls_first=False)
