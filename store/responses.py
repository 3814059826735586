"""First responses: of each conversation the first customer turn, and how long an agent took to answer it."""

from typing import Final

from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import FACTS, column

FIRST_RESPONSE: Final = "first_response"
RESPONSE_METRICS: Final = (FIRST_RESPONSE, "unanswered_share")
ANSWERED: Final = "q"
_WITHIN: Final = f"{FIRST_RESPONSE}<="


def within(metric: str) -> float | None:
    """The minutes of a metric `first_response<=<minutes>`; None for another metric."""
    body = metric.removeprefix(_WITHIN)
    try:
        minutes = float(body) if body != metric else -1.0
    except ValueError:
        return None
    return minutes if 0 <= minutes < float("inf") else None


def response_value(metric: str, minutes: exp.Expression | None) -> exp.Expression:
    """What the first turn of a conversation contributes to a metric; `minutes` is the bound of a `<=`.

    An answer that never came was not within any time.
    """
    if minutes is None:
        return column("minutes" if metric == FIRST_RESPONSE else "unanswered", ANSWERED)
    waited = column("minutes", ANSWERED)
    missed = exp.EQ(this=column("unanswered", ANSWERED), expression=_float(1))
    return (
        exp.Case()
        .when(exp.LTE(this=waited, expression=minutes), _float(1))
        .when(exp.or_(missed, exp.GT(this=waited.copy(), expression=minutes.copy())), _float(0))
    )


def join_first_turns(select: exp.Select, dialect: Dialect) -> exp.Select:
    """Keep the first customer turn of each conversation, with `minutes` and `unanswered` under `ANSWERED`.

    `minutes` run to the first agent turn after it: what an agent says first is no answer. NULL where none
    answered, and where all turns of a conversation carry one time, for then nobody wrote down when each was
    spoken. `unanswered` is 1 or 0. Turns are ordered by time, then by `turn`. Sources without one agent turn
    hold no answers to miss, and conversations are told apart within their source.
    """
    on = exp.EQ(this=column("feedback_id"), expression=column("feedback_id", ANSWERED))
    turns = _first_turns(dialect).subquery(ANSWERED, copy=False)
    return select.join(turns, on=on, join_type="inner", copy=False)


def _first_turns(dialect: Dialect) -> exp.Select:
    moment, answer = exp.column("occurred_at"), exp.column("answered_at")
    waited = exp.Case().when(
        exp.GT(this=exp.column("last_at"), expression=moment), dialect.minutes_between(moment.copy(), answer)
    )
    nobody = exp.Is(this=answer.copy(), expression=exp.Null())
    missed = exp.Case().when(nobody, _float(1)).else_(_float(0))
    first = exp.EQ(this=exp.column("place"), expression=integer(1))
    return (
        exp.select(
            "feedback_id",
            exp.alias_(waited, "minutes", copy=False),
            exp.alias_(missed, "unanswered", copy=False),
            copy=False,
        )
        .from_(_ordered_turns().subquery("turns", copy=False), copy=False)
        .where(_spoken_by("customer"), first, copy=False)
    )


def _ordered_turns() -> exp.Select:
    """Every turn with its place among those of its speaker and the next answer of an agent."""
    talk = [exp.column("source"), exp.column("conversation_id")]
    order = exp.Order(
        expressions=[
            exp.Ordered(this=exp.column(name), nulls_first=False)
            for name in ("occurred_at", "turn", "feedback_id")
        ]
    )
    onwards = exp.WindowSpec(kind="ROWS", start="CURRENT ROW", end="UNBOUNDED", end_side="FOLLOWING")
    answer = exp.Case().when(_spoken_by("agent"), exp.column("occurred_at"))
    windows = {
        "place": exp.Window(
            this=exp.RowNumber(), partition_by=[*_copies(talk), exp.column("speaker")], order=order
        ),
        "answered_at": exp.Window(
            this=exp.Min(this=answer), partition_by=_copies(talk), order=order.copy(), spec=onwards
        ),
        "last_at": exp.Window(this=exp.Max(this=exp.column("occurred_at")), partition_by=_copies(talk)),
    }
    shown = ("feedback_id", "speaker", "occurred_at")
    with_agents = exp.select("source", copy=False).from_("feedback", copy=False)
    with_agents = with_agents.where(_spoken_by("agent"), copy=False)
    return (
        exp.select(
            *(column(name) for name in shown),
            *(exp.alias_(window, name, copy=False) for name, window in windows.items()),
            copy=False,
        )
        .from_(exp.alias_(exp.to_table("feedback"), FACTS), copy=False)
        .where(
            exp.Not(this=exp.Is(this=column("conversation_id"), expression=exp.Null())),
            exp.Not(this=exp.Is(this=column("occurred_at"), expression=exp.Null())),
            exp.In(
                this=column("speaker"),
                expressions=[exp.Literal.string(one) for one in ("customer", "agent")],
            ),
            exp.In(this=column("source"), query=exp.Subquery(this=with_agents)),
            copy=False,
        )
    )


def _spoken_by(speaker: str) -> exp.Expression:
    return exp.EQ(this=exp.column("speaker"), expression=exp.Literal.string(speaker))


def _copies(expressions: list[exp.Column]) -> list[exp.Expression]:
    return [one.copy() for one in expressions]


def _float(value: int) -> exp.Expression:
    return exp.cast(exp.Literal.number(value), "double")
