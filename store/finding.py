"""Statements that fetch items rather than sums.

Trees are built in place (`copy=False`): a copy at each step would cost more than to run the statement.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import FACTS, column
from store.facts import Find, Selection
from store.measures import number
from store.query import KnownNames, Query, Statement, is_null, left_join, not_null, ordered
from store.rows import FIND_COLUMNS, VOICE_COLUMNS

_SCALES: Final[Mapping[str, tuple[int, int]]] = {
    "nps": (0, 10),
    "csat": (1, 5),
    "ces": (1, 7),
    "rating": (1, 5),
}


def find_statement(find: Find, dialect: Dialect, names: KnownNames) -> Statement:
    """Rows of FIND_COLUMNS, then the near-duplicate group, then the theme.

    `contains`: all parts must occur, whatever their case. `feedback_ids` name items outright, so agents'
    turns among them are given too. `lowest_score`: by the score that the question names (an engine skips
    most rows then), else by the mean place of the scores given on their scales; unscored items last.
    """
    query = Query(dialect, names)
    selection = find.selection
    if find.feedback_ids is not None and "speaker" not in {*selection.filters, *selection.exclude}:
        anyone = {**selection.filters, "speaker": ("customer", "agent", None)}
        selection = Selection(selection.window, anyone, selection.exclude)
    query.select(selection, (selection.window,))
    for name, values in (("feedback_id", find.feedback_ids), ("text_key", find.text_keys)):
        if values is not None:
            query.conditions.append(dialect.member(column(name), query.bind(list(values), "texts")))
    for part in find.contains:
        cased = part.lower() != part.upper()
        query.conditions.append(dialect.mentions(column("text"), query.bind(part, "text"), cased=cased))
    if find.with_text:
        query.conditions.append(exp.NEQ(this=column("text"), expression=exp.Literal.string("")))
    # The columns are wide: which rows are wanted is found out without them.
    wanted = query.source(exp.select(column(dialect.row_key), copy=False))
    wanted = (
        wanted.order_by(*_order(find.order, find.score), copy=False)
        .limit(max(find.limit, 0), copy=False)
        .offset(max(find.offset, 0), copy=False)
    )
    page = exp.select(*(column(name) for name in FIND_COLUMNS), copy=False).from_(
        exp.alias_(exp.to_table("feedback"), FACTS, copy=False)
    )
    page = page.where(exp.In(this=column(dialect.row_key), query=exp.Subquery(this=wanted)), copy=False)
    extra = [column("group_key", "g"), column("theme_id", "t")]
    rows = exp.select(*(column(name) for name in FIND_COLUMNS), *extra, copy=False).from_(
        page.subquery(FACTS, copy=False)
    )
    rows = left_join(rows, "text_group", "g", "text_key")
    rows = left_join(rows, "theme_of_text", "t", "text_key")
    return query.statement(rows.order_by(*_order(find.order, find.score), copy=False))


def voices_statement(
    selection: Selection, customer_ids: Sequence[str] | None, dialect: Dialect, names: KnownNames
) -> Statement:
    """Rows of VOICE_COLUMNS of the items with a time and a customer, oldest first."""
    query = Query(dialect, names)
    query.select(selection, (selection.window,))
    query.conditions += [not_null(column("customer_id")), not_null(column("occurred_at"))]
    if customer_ids is not None:
        bound = query.bind(list(customer_ids), "texts")
        query.conditions.append(dialect.member(column("customer_id"), bound))
    if customer_ids is None:
        rows = query.source(exp.select(*(column(name) for name in VOICE_COLUMNS), copy=False))
    else:
        # Few rows of many: found before their wide columns are read.
        wanted = query.source(exp.select(column(dialect.row_key), copy=False))
        rows = exp.select(*(column(name) for name in VOICE_COLUMNS), copy=False)
        rows = rows.from_(exp.alias_(exp.to_table("feedback"), FACTS, copy=False))
        rows = rows.where(exp.In(this=column(dialect.row_key), query=exp.Subquery(this=wanted)), copy=False)
    return query.statement(rows.order_by(*_order("oldest"), copy=False))


def _order(order: str, score: str | None = None) -> list[exp.Expression]:
    by_id = ordered(column("feedback_id"))
    newest = ordered(column("occurred_at"), descending=True)
    if order == "id":
        return [by_id]
    if order == "newest":
        return [newest, by_id]
    if order == "oldest":
        return [ordered(column("occurred_at")), by_id]
    return [ordered(column(score) if score else _mean_score()), newest, by_id]


def _mean_score() -> exp.Expression:
    """The mean of the scores given, each put between 0 and 1 on its scale; NULL without one."""
    total: exp.Expression = number(0)
    given: exp.Expression = integer(0)
    for name, (low, high) in _SCALES.items():
        score = column(name)
        above = exp.Paren(this=exp.Sub(this=score.copy(), expression=integer(low)))
        place = exp.Div(this=above, expression=number(high - low))
        total = exp.Add(this=total, expression=exp.Case().when(is_null(score), number(0)).else_(place))
        one = exp.Case().when(is_null(score.copy()), integer(0)).else_(integer(1))
        given = exp.Add(this=given, expression=one)
    none = exp.EQ(this=exp.Paren(this=given.copy()), expression=integer(0))
    mean = exp.Div(this=exp.Paren(this=total), expression=exp.cast(exp.Paren(this=given), "double"))
    return exp.Case().when(none, exp.Null()).else_(mean)
