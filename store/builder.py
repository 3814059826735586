"""The one query builder: a question about the facts as one statement for either engine, values bound."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import Dimension, column
from store.facts import Aggregate, Selection, Window
from store.measures import OUTCOME_RATES, SCORES, Value, measure
from store.query import KnownNames, Query, Statement, not_null, ordered
from store.windows import Segments


def aggregate_statement(question: Aggregate, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (window, keys..., n, total, squares), as `store.facts` and `store.measures` describe."""
    query = Query(dialect, names, outcomes=question.metric in OUTCOME_RATES)
    windows = question.windows or (question.selection.window,)
    query.select(question.selection, windows)
    value = measure(question.metric, query)
    dimensions = [query.dimension(name) for name in question.group_by]
    keys = [f"k{i}" for i in range(len(dimensions))]
    segments = Segments(windows)
    grouped = _grouped(_contributions(query, value, dimensions, keys, segments), keys)
    if segments.overlap:
        grouped = _spread(grouped, keys, segments, dialect)
    if value.given is None:
        some = exp.GT(this=exp.column("n"), expression=integer(0))
        grouped = exp.select("*", copy=False).from_(grouped.subquery("a", copy=False)).where(some, copy=False)
    answer = _largest_first(grouped, keys, question.limit, one_window=len(windows) == 1)
    return query.statement(answer, [d.render for d in dimensions])


def ranked_statement(
    question: Aggregate, ranks: Sequence[int], dialect: Dialect, names: KnownNames
) -> Statement:
    """Rows (keys..., rank, x) of these ranks (1: smallest x) in each group, in the selection's window."""
    query = Query(dialect, names, outcomes=question.metric in OUTCOME_RATES)
    windows = (question.selection.window,)
    query.select(question.selection, windows)
    value = measure(question.metric, query)
    dimensions = [query.dimension(name) for name in question.group_by]
    keys = [f"k{i}" for i in range(len(dimensions))]
    rows = _contributions(query, value, dimensions, keys, Segments(windows)).subquery("s", copy=False)
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column(key, "s") for key in keys],
        order=exp.Order(expressions=[ordered(column("x", "s"))]),
    )
    placed = exp.select(*keys, "x", exp.alias_(place, "place", copy=False), copy=False).from_(
        rows, copy=False
    )
    placed = placed.where(not_null(column("x", "s")), copy=False)
    wanted = exp.In(this=exp.column("place"), expressions=[integer(rank) for rank in ranks])
    answer = exp.select(*keys, "place", "x", copy=False).from_(placed.subquery("p", copy=False), copy=False)
    return query.statement(answer.where(wanted, copy=False), [d.render for d in dimensions])


def _contributions(
    query: Query, value: Value, dimensions: Sequence[Dimension], keys: Sequence[str], segments: Segments
) -> exp.Select:
    """A row (w, keys..., x) for each item and each of its values of a many-valued dimension."""
    if value.given is not None:
        query.conditions.append(value.given)
    shown = [
        exp.alias_(d.expression.copy(), key, copy=False) for d, key in zip(dimensions, keys, strict=True)
    ]
    window = exp.alias_(segments.expression(query), "w", copy=False)
    x = exp.alias_(value.x, "x", copy=False)
    rows = query.source(exp.select(window, *shown, x)).subquery("r", copy=False)
    counted = exp.select("*", copy=False).from_(rows, copy=False)
    if segments.gaps:
        counted = counted.where(not_null(exp.column("w")), copy=False)
    for dimension, key in zip(dimensions, keys, strict=True):
        if dimension.many:
            others = ["w", "x", *(k for k in keys if k != key)]
            each = exp.alias_(query.dialect.explode(column(key, "r")), key, copy=False)
            counted = exp.select(*others, each, copy=False).from_(counted.subquery("r", copy=False))
    return counted


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
    rows = exp.select(exp.alias_(window, "w", copy=False), *carried).from_(grouped.subquery("g", copy=False))
    sums = {name: exp.Sum(this=column(name, "s")) for name in ("n", "total", "squares")}
    return _by_window(rows, keys, sums)


def _by_window(rows: exp.Select, keys: Sequence[str], sums: Mapping[str, exp.Expression]) -> exp.Select:
    named = [exp.alias_(total, name, copy=False) for name, total in sums.items()]
    return (
        exp.select("w", *keys, *named, copy=False)
        .from_(rows.subquery("s", copy=False))
        .group_by("w", *keys, copy=False)
    )


def _largest_first(
    grouped: exp.Select, keys: Sequence[str], limit: int | None, *, one_window: bool
) -> exp.Select:
    by_size = [ordered(exp.column("n"), descending=True), *(ordered(exp.column(key)) for key in keys)]
    shown = ["w", *keys, "n", "total", "squares"]
    answer = exp.select(*shown, copy=False).from_(grouped.subquery("g", copy=False))
    if limit is not None and not one_window:
        rank = exp.Window(
            this=exp.RowNumber(),
            partition_by=[exp.column("w")],
            order=exp.Order(expressions=[term.copy() for term in by_size]),
        )
        ranked = exp.select(*shown, exp.alias_(rank, "place", copy=False)).from_(
            grouped.subquery("g", copy=False)
        )
        near = exp.LTE(this=exp.column("place"), expression=integer(max(limit, 0)))
        answer = (
            exp.select(*shown, copy=False).from_(ranked.subquery("h", copy=False)).where(near, copy=False)
        )
    answer = answer.order_by(ordered(exp.column("w")), *by_size, copy=False)
    return answer.limit(max(limit, 0), copy=False) if limit is not None and one_window else answer


def count_statement(selection: Selection, dialect: Dialect, names: KnownNames) -> Statement:
    """One row: how many items."""
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    rows = query.source(exp.select(exp.alias_(exp.Count(this=exp.Star()), "n", copy=False)))
    return query.statement(rows)


def customers_statement(
    selection: Selection, dimension: str | None, dialect: Dialect, names: KnownNames
) -> Statement:
    """Rows (value, distinct customers) of a dimension with one value an item; one row (NULL, n) without."""
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    customer = column("customer_id")
    query.conditions.append(not_null(customer))
    people = exp.alias_(exp.Count(this=exp.Distinct(expressions=[customer.copy()])), "n", copy=False)
    if dimension is None:
        return query.statement(query.source(exp.select(exp.alias_(exp.Null(), "k", copy=False), people)))
    found = query.dimension(dimension)
    key = found.expression.copy()
    query.conditions.append(not_null(key))
    rows = query.source(exp.select(exp.alias_(key.copy(), "k", copy=False), people)).group_by(
        key.copy(), copy=False
    )
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
    rows = query.source(exp.select(key.copy(), exp.alias_(exp.Count(this=exp.Star()), "n", copy=False)))
    rows = rows.group_by(key.copy(), copy=False).order_by(key.copy(), copy=False)
    return query.statement(rows if limit is None else rows.limit(max(limit, 0), copy=False))


def values_statement(name: str, limit: int, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (value, n, sum of all n, distinct values) of customers' items, commonest first."""
    query = Query(dialect, names)
    query.select(Selection(), (Window(),))
    dimension = query.dimension(name)
    query.conditions.append(exp.Not(this=query.is_missing(dimension)))
    key = dimension.expression.copy()
    rows = query.source(
        exp.select(exp.alias_(dialect.explode(key) if dimension.many else key, "k", copy=False))
    )
    counted = (
        exp.select("k", exp.alias_(exp.Count(this=exp.Star()), "n", copy=False))
        .from_(rows.subquery("r", copy=False))
        .group_by("k", copy=False)
    )
    every = exp.Window(this=exp.Sum(this=exp.column("n")))
    distinct = exp.Window(this=exp.Count(this=exp.Star()))
    answer = (
        exp.select(
            "k", "n", exp.alias_(every, "every", copy=False), exp.alias_(distinct, "different", copy=False)
        )
        .from_(counted.subquery("g", copy=False))
        .order_by(ordered(exp.column("n"), descending=True), ordered(exp.column("k")), copy=False)
        .limit(limit, copy=False)
    )
    return query.statement(answer, [dimension.render])


def filled_statement(name: str, dialect: Dialect, names: KnownNames) -> Statement:
    """One row: how many of customers' items have any value of the dimension."""
    query = Query(dialect, names)
    query.select(Selection(), (Window(),))
    query.conditions.append(exp.Not(this=query.is_missing(query.dimension(name))))
    return query.statement(query.source(exp.select(exp.Count(this=exp.Star()), copy=False)))


def metric_range_statement(name: str, dialect: Dialect, names: KnownNames) -> Statement:
    """One row (n, low, high) of a score or a custom metric, in its own units."""
    query = Query(dialect, names)
    query.select(Selection(), (Window(),))
    value = column(name) if name in SCORES else measure(name, query).x
    rows = query.source(exp.select(exp.alias_(value, "x", copy=False))).subquery("r", copy=False)
    x = exp.column("x")
    summary = exp.select(exp.Count(this=x), exp.Min(this=x.copy()), exp.Max(this=x.copy()), copy=False).from_(
        rows, copy=False
    )
    return query.statement(summary)
