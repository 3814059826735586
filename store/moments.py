"""Sums of products of several metrics in one statement: all that a regression needs of the rows."""

from collections.abc import Sequence
from typing import Any, Final

from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import FACTS, column
from store.facts import Selection
from store.measures import Value, measure, number
from store.query import KnownNames, Query, Statement, not_null

Factor = tuple[str, ...]
_MANY_VALUED: Final = frozenset(("metrics", "attributes", "occurred_at", "occurred_local"))


def moments_statement(
    selection: Selection, factors: Sequence[Factor], dialect: Dialect, names: KnownNames
) -> Statement:
    """One row: n, the sums of the p factors, the p (p + 1) / 2 sums of products (upper triangle, by rows).

    A factor is a product of metrics. Only rows with a value of every factor count.
    """
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    values = [_product(factor, query) for factor in factors]
    shown: list[Any] = [exp.alias_(value.x, f"x{i}", copy=False) for i, value in enumerate(values)]
    columns = _few_valued(values)
    if columns:
        inner = _by_value(query, columns, shown)
    else:
        inner = query.source(exp.select(*shown, exp.alias_(integer(1), "times", copy=False)))
    times, x = column("times", "r"), [column(f"x{i}", "r") for i in range(len(values))]
    sums = [_sum(_times(times, one), f"s{i}") for i, one in enumerate(x)]
    sums += [_sum(_times(times, x[i], x[j]), f"c{i}_{j}") for i in range(len(x)) for j in range(i, len(x))]
    n = exp.Coalesce(this=exp.Sum(this=times.copy()), expressions=[integer(0)])
    rows = exp.select(exp.alias_(n, "n", copy=False), *sums).from_(inner.subquery("r", copy=False))
    telling = [not_null(one.copy()) for one, value in zip(x, values, strict=True) if value.given is None]
    return query.statement(rows.where(*telling, copy=False) if telling else rows)


def _few_valued(values: Sequence[Value]) -> list[str]:
    """The columns that the factors are made of; none where they may take a value of its own for each row."""
    found = {one.name: one.table for value in values for one in value.x.find_all(exp.Column)}
    maps_or_joined = any(name in _MANY_VALUED or table != FACTS for name, table in found.items())
    return [] if maps_or_joined else sorted(found)


def _by_value(query: Query, columns: Sequence[str], shown: Sequence[exp.Expression]) -> exp.Select:
    """Factors of each combination of values and how many rows have it: a third of the time of row by row."""
    counted = exp.alias_(exp.Count(this=exp.Star()), "times", copy=False)
    raw = query.source(exp.select(*(column(name) for name in columns), counted, copy=False))
    raw = raw.group_by(*(column(name) for name in columns), copy=False)
    return exp.select(*shown, column("times"), copy=False).from_(raw.subquery(FACTS, copy=False))


def _times(*factors: exp.Expression) -> exp.Expression:
    product = factors[0].copy()
    for factor in factors[1:]:
        product = exp.Mul(this=product, expression=factor.copy())
    return product


def _product(factor: Factor, query: Query) -> Value:
    """The product; what its metrics are given for joins the conditions of the query."""
    if not factor:
        raise ValueError("a factor names at least one metric")
    values = [measure(name, query) for name in factor]
    query.conditions += [
        value.given for value in values if value.given is not None and value.given not in query.conditions
    ]
    product = _times(*(exp.Paren(this=value.x) for value in values))
    return Value(product, None if any(value.given is None for value in values) else exp.true())


def _sum(value: exp.Expression, name: str) -> exp.Expression:
    total = exp.Coalesce(this=exp.Sum(this=value), expressions=[number(0)])
    return exp.Alias(this=total, alias=exp.to_identifier(name))
