"""The one query builder: a question about the facts as one statement for either engine, values bound."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import column
from store.facts import Aggregate, Selection, Window
from store.measures import OUTCOME_RATES, SCORES, measure
from store.query import KnownNames, Query, Statement, not_null, ordered
from store.windows import Segments


def aggregate_statement(question: Aggregate, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (window, keys..., n, total, squares), as `store.facts` and `store.measures` describe."""
    query = Query(dialect, names, outcomes=question.metric in OUTCOME_RATES)
    windows = question.windows or (question.selection.window,)
    query.select(question.selection, windows)
    x, given = measure(question.metric, query)
    if given is not None:
        query.conditions.append(given)
    dimensions = [query.dimension(name) for name in question.group_by]
    keys = [f"k{i}" for i in range(len(dimensions))]
    segments = Segments(windows)
    shown = [exp.alias_(d.expression.copy(), key) for d, key in zip(dimensions, keys, strict=True)]
    window = exp.alias_(segments.expression(query), "w")
    rows = query.source(exp.select(window, *shown, exp.alias_(x, "x"))).subquery("r")
    counted = exp.select("*").from_(rows)
    if segments.gaps:
        counted = counted.where(not_null(exp.column("w")))
    for dimension, key in zip(dimensions, keys, strict=True):
        if dimension.many:
            others = ["w", "x", *(k for k in keys if k != key)]
            each = exp.alias_(dialect.explode(column(key, "r")), key)
            counted = exp.select(*others, each).from_(counted.subquery("r"))
    grouped = _grouped(counted, keys)
    if segments.overlap:
        grouped = _spread(grouped, keys, segments, dialect)
    if given is None:
        some = exp.GT(this=exp.column("n"), expression=integer(0))
        grouped = exp.select("*").from_(grouped.subquery("a")).where(some)
    answer = _largest_first(grouped, keys, question.limit, one_window=len(windows) == 1)
    return query.statement(answer, [d.render for d in dimensions])


def _grouped(rows: exp.Select, keys: Sequence[str]) -> exp.Select:
    """The three sums of x by window and keys."""
    x = column("x", "s")
    sums: dict[str, exp.Expression] = {
        "n": exp.Count(this=x),
        "total": exp.Sum(this=x.copy()),
        "squares": exp.Sum(this=exp.Mul(this=x.copy(), expression=x.copy())),
    }
    return _by_window(rows, keys, sums)


def _spread(grouped: exp.Select, keys: Sequence[str], segments: Segments, dialect: Dialect) -> exp.Select:
    """Sums by segment to sums by the windows that cover it."""
    window = dialect.explode_integers(segments.windows_of(column("w", "g"), dialect))
    carried = [column(name, "g") for name in (*keys, "n", "total", "squares")]
    rows = exp.select(exp.alias_(window, "w"), *carried).from_(grouped.subquery("g"))
    sums = {name: exp.Sum(this=column(name, "s")) for name in ("n", "total", "squares")}
    return _by_window(rows, keys, sums)


def _by_window(rows: exp.Select, keys: Sequence[str], sums: Mapping[str, exp.Expression]) -> exp.Select:
    named = [exp.alias_(total, name) for name, total in sums.items()]
    return exp.select("w", *keys, *named).from_(rows.subquery("s")).group_by("w", *keys)


def _largest_first(
    grouped: exp.Select, keys: Sequence[str], limit: int | None, *, one_window: bool
) -> exp.Select:
    by_size = [ordered(exp.column("n"), descending=True), *(ordered(exp.column(key)) for key in keys)]
    shown = ["w", *keys, "n", "total", "squares"]
    answer = exp.select(*shown).from_(grouped.subquery("g"))
    if limit is not None and not one_window:
        rank = exp.Window(
            this=exp.RowNumber(),
            partition_by=[exp.column("w")],
            order=exp.Order(expressions=[term.copy() for term in by_size]),
        )
        ranked = exp.select(*shown, exp.alias_(rank, "place")).from_(grouped.subquery("g"))
        near = exp.LTE(this=exp.column("place"), expression=integer(max(limit, 0)))
        answer = exp.select(*shown).from_(ranked.subquery("h")).where(near)
    answer = answer.order_by(ordered(exp.column("w")), *by_size)
    return answer.limit(max(limit, 0)) if limit is not None and one_window else answer


def count_statement(selection: Selection, dialect: Dialect, names: KnownNames) -> Statement:
    """One row: how many items."""
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    rows = query.source(exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")))
    return query.statement(rows)


def customers_statement(
    selection: Selection, dimension: str | None, dialect: Dialect, names: KnownNames
) -> Statement:
    """Rows (value, distinct customers) of a dimension with one value an item; one row (NULL, n) without."""
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    customer = column("customer_id")
    query.conditions.append(not_null(customer))
    people = exp.alias_(exp.Count(this=exp.Distinct(expressions=[customer.copy()])), "n")
    if dimension is None:
        return query.statement(query.source(exp.select(exp.alias_(exp.Null(), "k"), people)))
    found = query.dimension(dimension)
    key = found.expression.copy()
    query.conditions.append(not_null(key))
    rows = query.source(exp.select(exp.alias_(key.copy(), "k"), people)).group_by(key.copy())
    return query.statement(rows, [found.render])


def text_keys_statement(
    selection: Selection,
    limit: int | None,
    among: Sequence[str] | None,
    dialect: Dialect,
    names: KnownNames,
) -> Statement:
    """Rows (text_key, n), by key; `among` these keys only."""
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    key = column("text_key")
    query.conditions.append(not_null(key))
    if among is not None:
        query.conditions.append(dialect.member(key.copy(), query.bind(list(among), "texts")))
    rows = query.source(exp.select(key.copy(), exp.alias_(exp.Count(this=exp.Star()), "n")))
    rows = rows.group_by(key.copy()).order_by(key.copy())
    return query.statement(rows if limit is None else rows.limit(max(limit, 0)))


def values_statement(name: str, limit: int, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (value, n, sum of all n, distinct values) of customers' items, commonest first."""
    query = Query(dialect, names)
    query.select(Selection(), (Window(),))
    dimension = query.dimension(name)
    query.conditions.append(exp.Not(this=query.is_missing(dimension)))
    key = dimension.expression.copy()
    rows = query.source(exp.select(exp.alias_(dialect.explode(key) if dimension.many else key, "k")))
    counted = (
        exp.select("k", exp.alias_(exp.Count(this=exp.Star()), "n")).from_(rows.subquery("r")).group_by("k")
    )
    every = exp.Window(this=exp.Sum(this=exp.column("n")))
    distinct = exp.Window(this=exp.Count(this=exp.Star()))
    answer = (
        exp.select("k", "n", exp.alias_(every, "every"), exp.alias_(distinct, "different"))
        .from_(counted.subquery("g"))
        .order_by(ordered(exp.column("n"), descending=True), ordered(exp.column("k")))
        .limit(limit)
    )
    return query.statement(answer, [dimension.render])


def filled_statement(name: str, dialect: Dialect, names: KnownNames) -> Statement:
    """One row: how many of customers' items have any value of the dimension."""
    query = Query(dialect, names)
    query.select(Selection(), (Window(),))
    query.conditions.append(exp.Not(this=query.is_missing(query.dimension(name))))
    return query.statement(query.source(exp.select(exp.Count(this=exp.Star()))))


def metric_range_statement(name: str, dialect: Dialect, names: KnownNames) -> Statement:
    """One row (n, low, high) of a score or a custom metric, in its own units."""
    query = Query(dialect, names)
    query.select(Selection(), (Window(),))
    value = column(name) if name in SCORES else measure(name, query).x
    rows = query.source(exp.select(exp.alias_(value, "x"))).subquery("r")
    x = exp.column("x")
    summary = exp.select(exp.Count(this=x), exp.Min(this=x.copy()), exp.Max(this=x.copy())).from_(rows)
    return query.statement(summary)
