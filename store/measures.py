"""Metrics as SQL: the number x that a row contributes, NULL where it contributes none."""

from typing import Final, NamedTuple

from sqlglot import exp

from store.dialect import integer
from store.dimensions import FEEDBACK_DIMENSIONS, TIME_DIMENSIONS, column, unknown
from store.errors import ToolInputError
from store.query import KnownNames, Query, not_null
from store.responses import RESPONSE_METRICS, response_value, within

SCORES: Final = ("nps", "csat", "ces", "rating")
SENTIMENT_SHARES: Final = {
    "positive_share": "positive",
    "neutral_share": "neutral",
    "negative_share": "negative",
}
OUTCOME_RATES: Final = ("churn_rate", "retention_rate")
METRICS: Final = (*SCORES, "volume", *SENTIMENT_SHARES, *OUTCOME_RATES, *RESPONSE_METRICS)
_DECIDED: Final = ("churned", "renewed", "repurchased")
# The column that tells whether an item could have a value of a dimension at all.
_CARRIERS: Final = {"labelled": "labeller", "nps": "nps", "text": "text_key"}


class Value(NamedTuple):
    """What a row contributes: `x`, of the rows for which `given` holds.

    `given` tests a stored column, so that an engine need not work x out to see that there is none (a third of
    the time over millions of rows). Where it is None, x itself tells: it is NULL for a row without.
    """

    x: exp.Expression
    given: exp.Expression | None


def measure(metric: str, query: Query) -> Value:
    """The value of a metric; ToolInputError that lists the known names for an unknown one.

    NPS: Reichheld's classes, 9 and more a promoter (1), below 7 a detractor (-1). A share of a label
    dimension is taken of the items with labels, of `nps_class` of those with a score, of `theme` of
    those with a text, of any other dimension of all. `churn_rate` is the share of `churned` among the
    outcomes churned, renewed and repurchased; a refund decides neither. `first_response` (minutes), the share
    `first_response<=<minutes>` and `unanswered_share` belong to conversations: see `store.responses`.
    """
    if metric == "volume":
        return Value(number(1), exp.true())
    if metric == "nps":
        return Value(_nps(), not_null(column("nps")))
    if metric in SCORES:
        return Value(column(metric), not_null(column(metric)))
    if metric in SENTIMENT_SHARES:
        return _share("sentiment", SENTIMENT_SHARES[metric], query)
    if metric in OUTCOME_RATES:
        decided = exp.In(this=column("outcome"), expressions=[exp.Literal.string(v) for v in _DECIDED])
        churned = exp.EQ(this=column("outcome"), expression=exp.Literal.string("churned"))
        return Value(_flag(churned if metric == "churn_rate" else exp.Not(this=churned)), decided)
    if metric in query.names.metrics:
        return Value(query.dialect.map_value(column("metrics"), query.bind(metric, "text")), None)
    minutes = within(metric)
    if metric in RESPONSE_METRICS or minutes is not None:
        query.needs_responses = True
        bound = None if minutes is None else query.bind(minutes, "number")
        return Value(response_value(metric, bound), None)
    if metric.startswith("share:"):
        return _share(*_split_share(metric, query.names), query)
    raise unknown("metric", metric, (*METRICS, "share:<dimension>=<value>", *query.names.metrics))


def number(value: float) -> exp.Expression:
    """A floating-point literal."""
    literal = exp.Literal.number(f"{abs(value):.1f}")
    return exp.cast(exp.Neg(this=literal) if value < 0 else literal, "double")


def _nps() -> exp.Expression:
    score = column("nps")
    return (
        exp.Case()
        .when(exp.GTE(this=score, expression=integer(9)), number(1))
        .when(exp.GTE(this=score.copy(), expression=integer(7)), number(0))
        .when(exp.LT(this=score.copy(), expression=integer(7)), number(-1))
    )


def _flag(test: exp.Expression) -> exp.Expression:
    """1 where the test holds, 0 where not."""
    return exp.Case().when(test, number(1)).else_(number(0))


def _share(name: str, value: str | None, query: Query) -> Value:
    dimension = query.dimension(name)
    among = exp.true() if dimension.scope == "all" else not_null(column(_CARRIERS[dimension.scope]))
    return Value(_flag(query.is_one_of(dimension, (value,))), among)


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
