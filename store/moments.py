"""Sums of products of several metrics in one statement: all that a regression needs of the rows."""

from collections.abc import Sequence

from sqlglot import exp

from store.dialect import Dialect
from store.dimensions import column
from store.facts import Selection
from store.measures import measure, number
from store.query import KnownNames, Query, Statement, not_null

Factor = tuple[str, ...]


def moments_statement(
    selection: Selection, factors: Sequence[Factor], dialect: Dialect, names: KnownNames
) -> Statement:
    """One row: n, the sums of the p factors, the p (p + 1) / 2 sums of products (upper triangle, by rows).

    A factor is a product of metrics. Only rows with a value of every factor count.
    """
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    values = [_product(factor, query) for factor in factors]
    inner = query.source(exp.select(*(exp.alias_(value, f"x{i}") for i, value in enumerate(values))))
    x = [column(f"x{i}", "r") for i in range(len(values))]
    sums = [_sum(one.copy(), f"s{i}") for i, one in enumerate(x)]
    sums += [
        _sum(exp.Mul(this=x[i].copy(), expression=x[j].copy()), f"c{i}_{j}")
        for i in range(len(x))
        for j in range(i, len(x))
    ]
    rows = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n"), *sums).from_(inner.subquery("r"))
    return query.statement(rows.where(*(not_null(one.copy()) for one in x)))


def _product(factor: Factor, query: Query) -> exp.Expression:
    product: exp.Expression | None = None
    for name in factor:
        value = exp.Paren(this=measure(name, query))
        product = value if product is None else exp.Mul(this=product, expression=value)
    if product is None:
        raise ValueError("a factor names at least one metric")
    return product


def _sum(value: exp.Expression, name: str) -> exp.Expression:
    total = exp.Coalesce(this=exp.Sum(this=value), expressions=[number(0)])
    return exp.Alias(this=total, alias=exp.to_identifier(name))
