"""The one query builder: what is asked of the facts, as one statement for either engine, values bound."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlglot import exp

from store.dialect import Dialect, Kind, integer
from store.dimensions import (
    ASSIGNED,
    CUSTOMERS,
    FACTS,
    FEEDBACK_DIMENSIONS,
    OUTCOME_DIMENSIONS,
    TIME_DIMENSIONS,
    Dimension,
    Raw,
    column,
    feedback_dimension,
    outcome_dimension,
    unknown,
)
from store.errors import ToolInputError
from store.facts import Aggregate, Find, Selection, Window
from store.rows import FIND_COLUMNS, VOICE_COLUMNS

SCORES: Final = ("nps", "csat", "ces", "rating")
SENTIMENT_SHARES: Final = {
    "positive_share": "positive",
    "neutral_share": "neutral",
    "negative_share": "negative",
}
OUTCOME_RATES: Final = {"churn_rate": True, "retention_rate": False}
METRICS: Final = (*SCORES, "volume", *SENTIMENT_SHARES, *OUTCOME_RATES)
_STAYED: Final = ("renewed", "repurchased")


class Statement(NamedTuple):
    """SQL of one engine, its bound values, and how each key of a result row is shown."""

    sql: str
    params: dict[str, Any]
    render: tuple[Callable[[Raw], str], ...] = ()


@dataclass(frozen=True)
class KnownNames:
    """Names that the data brought along: custom metrics, attributes of feedback, attributes of customers."""

    metrics: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    customer_attributes: frozenset[str] = frozenset()


@dataclass
class _Query:
    """One statement in the making: collects parameters, conditions and the joins they need."""

    dialect: Dialect
    names: KnownNames
    outcomes: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    conditions: list[exp.Expression] = field(default_factory=list)
    needs_theme: bool = False

    def bind(self, value: object, kind: Kind) -> exp.Expression:
        """A placeholder that carries `value`."""
        name = f"p{len(self.params)}"
        self.params[name] = self.dialect.encode(value)
        return self.dialect.parameter(name, kind)

    def dimension(self, name: str) -> Dimension:
        """The dimension of that name; a theme adds its join."""
        find = outcome_dimension if self.outcomes else feedback_dimension
        attributes = self.names.customer_attributes if self.outcomes else self.names.attributes
        found = find(name, self.dialect, attributes, lambda key: self.bind(key, "text"))
        self.needs_theme = self.needs_theme or found.needs_theme
        return found

    def is_one_of(self, dimension: Dimension, values: Sequence[str | None]) -> exp.Expression:
        """Whether the dimension has one of the values (NULL, like FALSE, where it is not given)."""
        tests: list[exp.Expression] = []
        if None in values:
            tests.append(self._missing(dimension))
        bound = [self.bind(dimension.parse(value), dimension.kind) for value in values if value is not None]
        if dimension.many:
            tests += [self.dialect.contains(dimension.expression.copy(), value) for value in bound]
        elif bound:
            tests.append(exp.In(this=dimension.expression.copy(), expressions=bound))
        return exp.Paren(this=exp.or_(*tests)) if tests else exp.false()

    def _missing(self, dimension: Dimension) -> exp.Expression:
        if dimension.many:
            return self.dialect.is_empty(dimension.expression.copy())
        return exp.Is(this=dimension.expression.copy(), expression=exp.Null())

    def select(self, selection: Selection, windows: Sequence[Window]) -> None:
        """Add the conditions of a selection over the hull of the windows."""
        for name, values in selection.filters.items():
            self.conditions.append(self.is_one_of(self.dimension(name), values))
        for name, values in selection.exclude.items():
            self._leave_out(name, values)
        if not self.outcomes and "speaker" not in {*selection.filters, *selection.exclude}:
            self._leave_out("speaker", ("agent",))
        self._within(windows)

    def _leave_out(self, name: str, values: Sequence[str | None]) -> None:
        test = exp.Coalesce(this=self.is_one_of(self.dimension(name), values), expressions=[exp.false()])
        self.conditions.append(exp.Not(this=test))

    def _within(self, windows: Sequence[Window]) -> None:
        moment = column("occurred_at")
        starts = [window.start for window in windows if window.start is not None]
        ends = [window.end for window in windows if window.end is not None]
        if len(starts) == len(windows):
            self.conditions.append(exp.GTE(this=moment, expression=self.bind(min(starts), "time")))
        if len(ends) == len(windows):
            self.conditions.append(exp.LT(this=moment.copy(), expression=self.bind(max(ends), "time")))

    def source(self, select: exp.Select) -> exp.Select:
        """FROM, the joins asked for, WHERE."""
        select = select.from_(exp.alias_(exp.to_table("outcome" if self.outcomes else "feedback"), FACTS))
        if self.outcomes:
            select = _left_join(select, "customer", CUSTOMERS, "customer_id")
        if self.needs_theme:
            select = _left_join(select, "theme_of_text", ASSIGNED, "text_key")
        return select.where(*self.conditions) if self.conditions else select


def _left_join(select: exp.Select, table: str, alias: str, key: str) -> exp.Select:
    on = exp.EQ(this=column(key), expression=column(key, alias))
    return select.join(exp.alias_(exp.to_table(table), alias), on=on, join_type="left")


def aggregate_statement(query: Aggregate, dialect: Dialect, names: KnownNames) -> Statement:
    """One statement whose rows are (window, keys..., n, total, squares), as `store.facts` describes.

    A share of a label dimension is taken of the items with labels, of `nps_class` of those with a
    score, of `theme` of those with a text, of any other dimension of all. `churn_rate` is the share of
    `churned` among the outcomes churned, renewed and repurchased; a refund decides neither.
    """
    building = _Query(dialect, names, outcomes=query.metric in OUTCOME_RATES)
    windows = query.windows or (query.selection.window,)
    building.select(query.selection, windows)
    measure = _measure(query.metric, building)
    dimensions = [building.dimension(name) for name in query.group_by]
    segments = _Segments(windows)
    keys = [f"k{i}" for i in range(len(dimensions))]
    rows = building.source(
        exp.select(
            exp.alias_(segments.expression(building), "w"),
            *(exp.alias_(d.expression.copy(), key) for d, key in zip(dimensions, keys, strict=True)),
            exp.alias_(measure, "x"),
        )
    )
    rows = exp.select("*").from_(rows.subquery("r")).where(_not_null("x"), _not_null("w"))
    for dimension, key in zip(dimensions, keys, strict=True):
        if dimension.many:
            others = ["w", "x", *(k for k in keys if k != key)]
            exploded = exp.alias_(dialect.explode(column(key, "r")), key)
            rows = exp.select(*others, exploded).from_(rows.subquery("r"))
    x = column("x", "s")
    grouped = _sums(rows, keys, exp.Count(this=exp.Star()), x, exp.Mul(this=x.copy(), expression=x.copy()))
    if segments.overlap:
        window = dialect.explode_integers(segments.windows_of_segment(dialect))
        sums = [column(name, "g") for name in (*keys, "n", "total", "squares")]
        spread = exp.select(exp.alias_(window, "w"), *sums).from_(grouped.subquery("g"))
        grouped = _sums(
            spread, keys, exp.Sum(this=column("n", "s")), column("total", "s"), column("squares", "s")
        )
    return Statement(
        dialect.sql(_largest_first(grouped, keys, query.limit)),
        building.params,
        tuple(d.render for d in dimensions),
    )


def _sums(
    rows: exp.Select,
    keys: Sequence[str],
    count: exp.Expression,
    total: exp.Expression,
    squares: exp.Expression,
) -> exp.Select:
    return (
        exp.select(
            "w",
            *keys,
            exp.alias_(count, "n"),
            exp.alias_(exp.Sum(this=total), "total"),
            exp.alias_(exp.Sum(this=squares), "squares"),
        )
        .from_(rows.subquery("s"))
        .group_by("w", *keys)
    )


def _largest_first(grouped: exp.Select, keys: Sequence[str], limit: int | None) -> exp.Select:
    by_size = [
        exp.Ordered(this=exp.column("n"), desc=True, nulls_first=False),
        *(exp.Ordered(this=exp.column(key), desc=False, nulls_first=False) for key in keys),
    ]
    shown = ["w", *keys, "n", "total", "squares"]
    if limit is not None:
        rank = exp.Window(
            this=exp.RowNumber(),
            partition_by=[exp.column("w")],
            order=exp.Order(expressions=[ordered.copy() for ordered in by_size]),
        )
        ranked = exp.select(*shown, exp.alias_(rank, "place")).from_(grouped.subquery("g"))
        grouped = (
            exp.select(*shown)
            .from_(ranked.subquery("h"))
            .where(exp.LTE(this=exp.column("place"), expression=integer(max(limit, 0))))
        )
    else:
        grouped = exp.select(*shown).from_(grouped.subquery("g"))
    return grouped.order_by(exp.Ordered(this=exp.column("w"), desc=False, nulls_first=False), *by_size)


def _not_null(name: str) -> exp.Expression:
    return exp.Not(this=exp.Is(this=exp.column(name), expression=exp.Null()))


def _number(value: float) -> exp.Expression:
    literal = exp.Literal.number(f"{abs(value):.1f}")
    return exp.cast(exp.Neg(this=literal) if value < 0 else literal, "double")


def _flag(test: exp.Expression, among: exp.Expression | None) -> exp.Expression:
    """1 where the test holds, 0 where not, NULL for rows that are not `among` those counted."""
    either = exp.Case().when(test, _number(1)).else_(_number(0))
    return either if among is None else exp.Case().when(among, either)


def _measure(metric: str, building: _Query) -> exp.Expression:
    if metric == "volume":
        return _number(1)
    if metric == "nps":
        score = column("nps")
        return (
            exp.Case()
            .when(exp.GTE(this=score, expression=integer(9)), _number(1))
            .when(exp.GTE(this=score.copy(), expression=integer(7)), _number(0))
            .when(exp.LT(this=score.copy(), expression=integer(7)), _number(-1))
        )
    if metric in SCORES:
        return column(metric)
    if metric in SENTIMENT_SHARES:
        return _share("sentiment", SENTIMENT_SHARES[metric], building)
    if metric in OUTCOME_RATES:
        decided = exp.In(
            this=column("outcome"), expressions=[exp.Literal.string(v) for v in ("churned", *_STAYED)]
        )
        churned = exp.EQ(this=column("outcome"), expression=exp.Literal.string("churned"))
        return _flag(churned if OUTCOME_RATES[metric] else exp.Not(this=churned), decided)
    if metric in building.names.metrics:
        return building.dialect.map_value(column("metrics"), building.bind(metric, "text"))
    if metric.startswith("share:"):
        return _share(*_split_share(metric, building.names), building)
    raise unknown("metric", metric, (*METRICS, "share:<dimension>=<value>", *building.names.metrics))


def _split_share(metric: str, names: KnownNames) -> tuple[str, str | None]:
    body = metric.removeprefix("share:")
    known = {*FEEDBACK_DIMENSIONS, *TIME_DIMENSIONS, *names.attributes}
    # An attribute's own name may contain "=": take the longest name that is known.
    for end in range(len(body) - 1, -1, -1):
        if body[end] == "=" and body[:end] in known:
            return body[:end], body[end + 1 :] or None
    name, equals, _ = body.partition("=")
    if not equals:
        raise ToolInputError(f"a share is written share:<dimension>=<value>, not {metric!r}")
    raise unknown("dimension", name, known)


def _share(name: str, value: str | None, building: _Query) -> exp.Expression:
    dimension = building.dimension(name)
    test = building.is_one_of(dimension, (value,))
    carriers = {"labelled": "labeller", "nps": "nps", "text": "text_key"}
    if dimension.scope == "all":
        return _flag(test, None)
    carrier = column(carriers[dimension.scope])
    return _flag(test, exp.Not(this=exp.Is(this=carrier, expression=exp.Null())))


class _Segments:
    """Windows cut at all their boundaries, so that one pass serves windows that overlap.

    Sums over disjoint segments add up to the sums over each window. Segment -1 is the undated rows,
    0 lies before the first boundary, i between boundaries i-1 and i.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._bounds = sorted({moment for window in windows for moment in window if moment is not None})
        self._owners = {
            segment: tuple(i for i, window in enumerate(windows) if self._covers(window, segment))
            for segment in range(-1, len(self._bounds) + 1)
        }
        self.overlap = any(len(owners) > 1 for owners in self._owners.values())

    def _covers(self, window: Window, segment: int) -> bool:
        if segment == -1:
            return window == Window()
        first = 0 if window.start is None else self._bounds.index(window.start) + 1
        last = len(self._bounds) if window.end is None else self._bounds.index(window.end)
        return first <= segment <= last

    def _number(self, segment: int) -> exp.Expression:
        owners = self._owners[segment]
        if not owners:
            return exp.Null()
        return integer(segment) if self.overlap else integer(owners[0])

    def expression(self, building: _Query) -> exp.Expression:
        """The segment of a row (its window where none overlap), NULL where no window covers it."""
        if not self._bounds:
            return integer(0)
        moment = column("occurred_at")
        case = exp.Case().when(exp.Is(this=moment, expression=exp.Null()), self._number(-1))
        for segment, bound in enumerate(self._bounds):
            before = exp.LT(this=moment.copy(), expression=building.bind(bound, "time"))
            case = case.when(before, self._number(segment))
        return case.else_(self._number(len(self._bounds)))

    def windows_of_segment(self, dialect: Dialect) -> exp.Expression:
        """The array of windows that cover a segment."""
        case = exp.Case()
        for segment, owners in self._owners.items():
            if owners:
                test = exp.EQ(this=column("w", "g"), expression=integer(segment))
                case = case.when(test, dialect.integers(owners))
        return case.else_(dialect.integers(()))


def count_statement(selection: Selection, dialect: Dialect, names: KnownNames) -> Statement:
    """One row: how many items."""
    building = _Query(dialect, names)
    building.select(selection, (selection.window,))
    rows = building.source(exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")))
    return Statement(dialect.sql(rows), building.params)


def text_keys_statement(
    selection: Selection, limit: int | None, dialect: Dialect, names: KnownNames
) -> Statement:
    """Rows (text_key, n), by key."""
    building = _Query(dialect, names)
    building.select(selection, (selection.window,))
    key = column("text_key")
    building.conditions.append(exp.Not(this=exp.Is(this=key, expression=exp.Null())))
    rows = building.source(exp.select(key.copy(), exp.alias_(exp.Count(this=exp.Star()), "n")))
    rows = rows.group_by(key.copy()).order_by(key.copy())
    if limit is not None:
        rows = rows.limit(max(limit, 0))
    return Statement(dialect.sql(rows), building.params)


def find_statement(query: Find, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows of FIND_COLUMNS, then the near-duplicate group, then the theme.

    `contains`: all parts must occur, whatever their case. `feedback_ids` name items outright, so agents'
    turns among them are given too. `lowest_score`: the mean place of the scores given on their scales,
    unscored items last.
    """
    building = _Query(dialect, names)
    selection = query.selection
    if query.feedback_ids is not None and "speaker" not in {*selection.filters, *selection.exclude}:
        selection = Selection(
            selection.window, {**selection.filters, "speaker": ("customer", "agent", None)}, selection.exclude
        )
    building.select(selection, (selection.window,))
    for name, values in (("feedback_id", query.feedback_ids), ("text_key", query.text_keys)):
        if values is not None:
            bound = building.bind(list(values), "texts")
            building.conditions.append(dialect.member(column(name), bound))
    for part in query.contains:
        building.conditions.append(dialect.mentions(column("text"), building.bind(part, "text")))
    if query.with_text:
        building.conditions.append(exp.NEQ(this=column("text"), expression=exp.Literal.string("")))
    page = building.source(exp.select(*(column(name) for name in FIND_COLUMNS)))
    page = page.order_by(*_order(query.order, FACTS)).limit(max(query.limit, 0)).offset(max(query.offset, 0))
    rows = exp.select(
        *(column(name) for name in FIND_COLUMNS), column("group_key", "g"), column("theme_id", "t")
    ).from_(page.subquery(FACTS))
    rows = _left_join(rows, "text_group", "g", "text_key")
    rows = _left_join(rows, "theme_of_text", "t", "text_key")
    return Statement(dialect.sql(rows.order_by(*_order(query.order, FACTS))), building.params)


def voices_statement(
    selection: Selection, customer_ids: Sequence[str] | None, dialect: Dialect, names: KnownNames
) -> Statement:
    """Rows of VOICE_COLUMNS of the items with a time and a customer, oldest first."""
    building = _Query(dialect, names)
    building.select(selection, (selection.window,))
    building.conditions += [_not_null("customer_id"), _not_null("occurred_at")]
    if customer_ids is not None:
        bound = building.bind(list(customer_ids), "texts")
        building.conditions.append(dialect.member(column("customer_id"), bound))
    rows = building.source(exp.select(*(column(name, FACTS) for name in VOICE_COLUMNS)))
    return Statement(dialect.sql(rows.order_by(*_order("oldest", FACTS))), building.params)


def _order(order: str, table: str) -> list[exp.Expression]:
    by_id = exp.Ordered(this=column("feedback_id", table), desc=False, nulls_first=False)
    newest = exp.Ordered(this=column("occurred_at", table), desc=True, nulls_first=False)
    if order == "id":
        return [by_id]
    if order == "newest":
        return [newest, by_id]
    if order == "oldest":
        return [exp.Ordered(this=column("occurred_at", table), desc=False, nulls_first=False), by_id]
    return [exp.Ordered(this=_mean_score(table), desc=False, nulls_first=False), newest, by_id]


def _mean_score(table: str) -> exp.Expression:
    scales: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "rating": (1, 5)}
    total: exp.Expression = integer(0)
    given: exp.Expression = integer(0)
    for name, (low, high) in scales.items():
        score = column(name, table)
        is_null = exp.Is(this=score, expression=exp.Null())
        place = exp.Div(
            this=exp.Paren(this=exp.Sub(this=score.copy(), expression=integer(low))),
            expression=_number(high - low),
        )
        total = exp.Add(this=total, expression=exp.Case().when(is_null, _number(0)).else_(place))
        given = exp.Add(this=given, expression=exp.Case().when(is_null.copy(), integer(0)).else_(integer(1)))
    none = exp.EQ(this=exp.Paren(this=given.copy()), expression=integer(0))
    mean = exp.Div(this=exp.Paren(this=total), expression=exp.cast(exp.Paren(this=given), "double"))
    return exp.Case().when(none, exp.Null()).else_(mean)


def known_dimensions(outcomes: bool = False) -> tuple[str, ...]:
    """Names of the dimensions that need no data to exist."""
    return (*(OUTCOME_DIMENSIONS if outcomes else FEEDBACK_DIMENSIONS), *TIME_DIMENSIONS)


def catalogue_statement(name: str, limit: int, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (value, n, items that have any value, distinct values), commonest first, at most `limit`."""
    building = _Query(dialect, names)
    building.select(Selection(), (Window(),))
    dimension = building.dimension(name)
    one = exp.alias_(dimension.expression.copy(), "k")
    filled: exp.Expression = exp.Not(this=exp.Is(this=dimension.expression.copy(), expression=exp.Null()))
    if dimension.many:
        one = exp.alias_(dialect.explode(dimension.expression.copy()), "k")
        filled = exp.Not(this=dialect.is_empty(dimension.expression.copy()))
    building.conditions.append(filled)
    having_any = building.source(exp.select(exp.Count(this=exp.Star())))
    counted = (
        exp.select("k", exp.alias_(exp.Count(this=exp.Star()), "n"))
        .from_(building.source(exp.select(one)).subquery("r"))
        .group_by("k")
    )
    distinct = exp.Window(this=exp.Count(this=exp.Star()))
    rows = (
        exp.select("k", "n", exp.alias_(having_any.subquery(), "filled"), exp.alias_(distinct, "different"))
        .from_(counted.subquery("g"))
        .order_by(
            exp.Ordered(this=exp.column("n"), desc=True, nulls_first=False),
            exp.Ordered(this=exp.column("k"), desc=False, nulls_first=False),
        )
        .limit(limit)
    )
    return Statement(dialect.sql(rows), building.params, (dimension.render,))


def metric_range_statement(name: str, dialect: Dialect, names: KnownNames) -> Statement:
    """One row (n, low, high) of a score or a custom metric, in its own units."""
    building = _Query(dialect, names)
    building.select(Selection(), (Window(),))
    value = column(name) if name in SCORES else _measure(name, building)
    rows = building.source(exp.select(exp.alias_(value, "x"))).subquery("r")
    x = exp.column("x")
    summary = exp.select(exp.Count(this=x), exp.Min(this=x.copy()), exp.Max(this=x.copy())).from_(rows)
    return Statement(dialect.sql(summary), building.params)
