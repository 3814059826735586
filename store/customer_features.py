"""Many figures of each customer in one pass: the columns that segments and churn risk are worked out from.

Rows are never shipped: a grouped statement over the feedback (and one a shorter window), one over the events,
one over the profiles, whatever the number of figures asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import column
from store.facts import Selection, Window
from store.measures import SCORES, Value, measure, number
from store.query import KnownNames, Query, Statement, not_null

Floats = NDArray[np.float64]
Sums = Literal["both", "n", "total"]
SCORE: Final = "score"
# Customers are drawn in thousandths, by a hash of their id: the same ones in every pass.
_PARTS: Final = 1000


class Trait(NamedTuple):
    """A figure of what a customer said: a metric of `Aggregate` within a window.

    The metric `score` is the mean of the scores given, each on 0..1 of its scale (`CustomerQuestion.scores`).
    A sum that is not asked for is NaN: over millions of rows each costs time.
    """

    name: str
    metric: str
    window: Window = Window()
    sums: Sums = "both"


class Deed(NamedTuple):
    """A figure of what a customer did: events of these kinds, or with these texts ("kind detail").

    The total adds up their values, 1 for an event without one.
    """

    name: str
    kinds: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    window: Window = Window()


@dataclass(frozen=True)
class CustomerQuestion:
    """Which figures of which customers.

    `scores` maps the scores that count to their lowest and highest value; a value outside counts for nothing.
    `share` (0..1] draws that share of the customers by a hash of their id. Events keep to the selection's
    window; its filters choose feedback only.
    """

    traits: tuple[Trait, ...]
    deeds: tuple[Deed, ...] = ()
    selection: Selection = Selection()
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    customer_ids: tuple[str, ...] | None = None
    share: float = 1.0


@dataclass(frozen=True)
class CustomerTable:
    """Columns of equal length, a row a customer with an item or a deed.

    `n` and `total` by the name of a trait or deed (0 where nothing was given); `items` counts feedback;
    `first` and `last` contact, and `since`, in seconds since 1970; `lifetime_value`. NaN where not known.
    """

    ids: list[str]
    items: Floats
    n: Mapping[str, Floats]
    total: Mapping[str, Floats]
    first: Floats
    last: Floats
    since: Floats
    lifetime_value: Floats


@dataclass(frozen=True)
class OutcomeTable:
    """Every outcome, oldest first: whose, when (seconds since 1970), and whether that customer left."""

    ids: list[str]
    at: Floats
    churned: NDArray[np.bool_]


Columns = Sequence[NDArray[Any]]
_NOTHING: Final[NDArray[Any]] = np.array([], dtype=object)


def feedback_statement(question: CustomerQuestion, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (customer, items, first, last, then n and total of each trait over the whole selection)."""
    query = Query(dialect, names)
    query.select(question.selection, (question.selection.window,))
    _of_customers(query, question)
    # Built in place: a copy of the tree at each step would cost more than to run the statement.
    inner = [
        exp.alias_(column("customer_id"), "k", copy=False),
        exp.alias_(column("occurred_at"), "t", copy=False),
    ]
    sums: list[exp.Expression] = [exp.column("k"), exp.Count(this=exp.Star())]
    sums += [exp.Min(this=exp.column("t")), exp.Max(this=exp.column("t"))]
    for at, trait in enumerate(question.traits):
        inner.append(exp.alias_(_value(trait.metric, question, query), f"x{at}", copy=False))
        sums += _sums(f"x{at}", trait.sums)
    rows = query.source(exp.select(*inner, copy=False)).subquery("r", copy=False)
    return query.statement(_by_customer(sums, rows))


def _value(metric: str, question: CustomerQuestion, query: Query) -> exp.Expression:
    """What a row contributes, NULL where it contributes nothing."""
    value = _score(question.scores, query) if metric == SCORE else measure(metric, query)
    if value.given is None or value.given == exp.true():
        return value.x
    return exp.Case().when(value.given, value.x)


def event_statement(question: CustomerQuestion, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (customer, first, last, then n and total of each deed)."""
    query = Query(dialect, names)
    query.conditions += _within(question.selection.window, query, column("occurred_at"))
    _of_customers(query, question)
    inner = [exp.alias_(column("customer_id"), "k"), exp.alias_(column("occurred_at"), "t")]
    sums: list[exp.Expression] = [exp.column("k")]
    sums += [exp.Min(this=exp.column("t")), exp.Max(this=exp.column("t"))]
    amount = exp.Coalesce(this=column("value"), expressions=[number(1)])
    for at, deed in enumerate(question.deeds):
        kind, text = column("kind"), exp.DPipe(this=column("kind"), expression=exp.Literal.string(" "))
        either = [dialect.member(kind, query.bind(list(deed.kinds), "texts"))] if deed.kinds else []
        if deed.texts:
            whole = exp.DPipe(this=text, expression=column("detail"))
            either.append(dialect.member(whole, query.bind(list(deed.texts), "texts")))
        tests = [
            *_within(deed.window, query, column("occurred_at")),
            exp.Paren(this=exp.or_(*either)) if either else exp.false(),
        ]
        inner.append(exp.alias_(exp.Case().when(exp.and_(*tests), amount.copy()), f"x{at}"))
        sums += _sums(f"x{at}", "both")
    rows = exp.select(*inner).from_(exp.alias_(exp.to_table("event"), "f")).where(*query.conditions)
    return query.statement(_by_customer(sums, rows.subquery("r")))


def profile_statement(question: CustomerQuestion, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (customer, since, lifetime value)."""
    query = Query(dialect, names)
    _of_customers(query, question)
    shown = [column(name) for name in ("customer_id", "since", "lifetime_value")]
    rows = exp.select(*shown).from_(exp.alias_(exp.to_table("customer"), "f"))
    return query.statement(rows.where(*query.conditions))


def event_texts_statement(window: Window, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows (kind, detail, n), the commonest first."""
    query = Query(dialect, names)
    tests = _within(window, query, column("occurred_at"))
    rows = exp.select(column("kind"), column("detail"), exp.alias_(exp.Count(this=exp.Star()), "n"))
    rows = rows.from_(exp.alias_(exp.to_table("event"), "f")).group_by(column("kind"), column("detail"))
    rows = rows.where(*tests) if tests else rows
    order = [exp.Ordered(this=exp.column("n"), desc=True), column("kind"), column("detail")]
    return query.statement(rows.order_by(*order))


def outcome_statement(dialect: Dialect) -> Statement:
    """Rows (customer, time, 1 where that customer left), oldest first."""
    left = exp.EQ(this=exp.column("outcome"), expression=exp.Literal.string("churned"))
    flag = exp.Case().when(left, number(1)).else_(number(0))
    rows = exp.select("customer_id", "occurred_at", exp.alias_(flag, "churned")).from_("outcome")
    return Statement(dialect.sql(rows.order_by("occurred_at", "outcome_id")), {})


def read_outcome_table(run: Callable[[Statement], Columns], dialect: Dialect) -> OutcomeTable:
    """Ask for the outcomes."""
    ids, at, churned = run(outcome_statement(dialect)) or [_NOTHING] * 3
    return OutcomeTable([str(one) for one in ids], _seconds(at), _floats(churned) > 0)


def read_customer_table(
    question: CustomerQuestion, run: Callable[[Statement], Columns], dialect: Dialect, names: KnownNames
) -> CustomerTable:
    """Ask the statements that are needed: one over all the items, and one more a window that traits keep to.

    A short window holds few of the rows, and over millions of rows each sum costs: in a pass of its own it is
    taken of those rows alone.
    """
    by_window: dict[Window, list[Trait]] = {question.selection.window: []}
    for trait in question.traits:
        by_window.setdefault(_narrowed(trait.window, question.selection.window), []).append(trait)
    said = []
    for window, traits in by_window.items():
        selection = replace(question.selection, window=window)
        part = replace(question, traits=tuple(traits), selection=selection)
        said.append((traits, run(feedback_statement(part, dialect, names))))
    done = run(event_statement(question, dialect, names)) if question.deeds else ()
    return customer_table(question, said, done, run(profile_statement(question, dialect, names)))


def customer_table(
    question: CustomerQuestion,
    said: Sequence[tuple[Sequence[Trait], Columns]],
    done: Columns,
    profiles: Columns,
) -> CustomerTable:
    """Put the answers together, a row a customer who said or did something; the first of `said` holds all."""
    done = done or [_NOTHING] * (3 + 2 * len(question.deeds))
    profiles = profiles or [_NOTHING] * 3
    parts = [(traits, columns or [_NOTHING] * (4 + 2 * len(traits))) for traits, columns in said]
    everything = parts[0][1]
    ids = [str(one) for one in everything[0]]
    place = {one: at for at, one in enumerate(ids)}
    for one in done[0]:
        if one not in place:
            place[one] = len(ids)
            ids.append(str(one))
    size = len(ids)
    spoke = np.arange(len(everything[0]))
    acted = np.array([place[one] for one in done[0]], dtype=np.int64)
    n, total = {}, {}
    for traits, columns in parts:
        rows = np.array([place[one] for one in columns[0]], dtype=np.int64)
        for at, trait in enumerate(traits):
            n[trait.name] = _placed(_floats(columns[4 + 2 * at]), rows, size, 0.0)
            total[trait.name] = _placed(_floats(columns[5 + 2 * at]), rows, size, 0.0)
    for at, deed in enumerate(question.deeds):
        n[deed.name] = _placed(_floats(done[3 + 2 * at]), acted, size, 0.0)
        total[deed.name] = _placed(_floats(done[4 + 2 * at]), acted, size, 0.0)
    contacts = [
        _placed(_seconds(values), where, size, np.nan)
        for values, where in (
            (everything[2], spoke),
            (everything[3], spoke),
            (done[1], acted),
            (done[2], acted),
        )
    ]
    rows = np.array([at for at, one in enumerate(profiles[0]) if one in place], dtype=np.int64)
    own = np.array([place[profiles[0][at]] for at in rows], dtype=np.int64)
    return CustomerTable(
        ids=ids,
        items=_placed(_floats(everything[1]), spoke, size, 0.0),
        n=n,
        total=total,
        first=np.fmin(contacts[0], contacts[2]),
        last=np.fmax(contacts[1], contacts[3]),
        since=_placed(_seconds(profiles[1])[rows], own, size, np.nan),
        lifetime_value=_placed(_floats(profiles[2])[rows], own, size, np.nan),
    )


def _of_customers(query: Query, question: CustomerQuestion) -> None:
    """Keep to items of a customer, of those asked for, of the share drawn."""
    key = column("customer_id")
    query.conditions.append(not_null(key))
    if question.customer_ids is not None:
        bound = query.bind(list(question.customer_ids), "texts")
        query.conditions.append(query.dialect.member(key.copy(), bound))
    if question.share < 1:
        drawn = query.dialect.part_of(key.copy(), _PARTS)
        most = integer(max(1, round(_PARTS * question.share)))
        query.conditions.append(exp.LT(this=drawn, expression=most))


def _narrowed(window: Window, whole: Window) -> Window:
    """The part of a window that lies in the whole."""
    starts = [one for one in (window.start, whole.start) if one is not None]
    ends = [one for one in (window.end, whole.end) if one is not None]
    return Window(max(starts, default=None), min(ends, default=None))


def _within(window: Window, query: Query, moment: exp.Expression) -> list[exp.Expression]:
    tests: list[exp.Expression] = []
    if window.start is not None:
        tests.append(exp.GTE(this=moment.copy(), expression=query.bind(window.start, "time")))
    if window.end is not None:
        tests.append(exp.LT(this=moment.copy(), expression=query.bind(window.end, "time")))
    return tests


def _score(scores: Mapping[str, tuple[float, float]], query: Query) -> Value:
    """The mean of the scores given, each on 0..1 of its scale; NULL without one."""
    total: exp.Expression = number(0)
    given: exp.Expression = number(0)
    for name, (low, high) in scores.items():
        if name in query.names.metrics:
            value = query.dialect.map_value(column("metrics"), query.bind(name, "text"))
        elif name in SCORES:
            value = column(name)
        else:
            continue
        inside = exp.Between(this=value, low=number(low), high=number(high))
        above = exp.Paren(this=exp.Sub(this=value.copy(), expression=number(low)))
        place = exp.Div(this=above, expression=number(high - low))
        total = exp.Add(this=total, expression=exp.Case().when(inside, place).else_(number(0)))
        one = exp.Case().when(inside.copy(), number(1)).else_(number(0))
        given = exp.Add(this=given, expression=one)
    some = exp.Nullif(this=exp.Paren(this=given), expression=number(0))
    return Value(exp.Div(this=exp.Paren(this=total), expression=some), None)


def _sums(name: str, wanted: Sums) -> list[exp.Expression]:
    n = exp.Count(this=exp.column(name)) if wanted != "total" else exp.Null()
    total = exp.Coalesce(this=exp.Sum(this=exp.column(name)), expressions=[number(0)])
    return [n, total if wanted != "n" else exp.Null()]


def _by_customer(sums: Sequence[exp.Expression], rows: exp.Subquery) -> exp.Select:
    named = [exp.alias_(one, f"c{at}", copy=False) for at, one in enumerate(sums)]
    return exp.select(*named, copy=False).from_(rows, copy=False).group_by(exp.column("k"), copy=False)


def _placed(values: Floats, where: NDArray[np.int64], size: int, missing: float) -> Floats:
    made = np.full(size, missing)
    made[where] = values
    return made


def _floats(values: NDArray[Any]) -> Floats:
    """Numbers as an engine gives them, NaN where there is none."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    return values.astype(np.float64)


def _seconds(values: NDArray[Any]) -> Floats:
    """Times as an engine gives them (masked, or None where there is none) as seconds since 1970."""
    if values.dtype == object:
        return np.array([_epoch(one) for one in values], dtype=np.float64)
    moments = np.ma.filled(values, np.datetime64("NaT")).astype("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)


def _epoch(moment: date | None) -> float:
    if moment is None:
        return float("nan")
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return (moment - date(1970, 1, 1)).days * 86400.0
