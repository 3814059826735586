"""Low scorers: what they said before, where their mood broke, and what they have in common."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from analytics.estimates import proportion
from store.facts import Aggregate, Find, Selection
from store.records import LabelledFeedback
from tools.answers import answer
from tools.arguments import Language, SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.customer_conversations import last_conversations, shown
from tools.industry import problem_scope
from tools.measures import Measure, find_measure, rounded
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

# Highest score that counts as low: NPS detractors; the two worst of five; the three worst of seven.
_LOW: Mapping[str, float] = {"nps": 6, "csat": 2, "rating": 2, "ces": 3}
_CONVERSATIONS = 3
_HISTORY = 3000
_CUSTOMERS = 2000
_CAUSES = 10
_TURNS_SHOWN = 8


class LowScoreArguments(SelectionArguments):
    """Whose low scores."""

    metric: Annotated[
        str | None, Field(description="nps (default where there is one), csat, rating or ces")
    ] = None
    at_most: Annotated[
        float | None,
        Field(description="highest score that counts as low; default nps 6, csat 2, rating 2, ces 3"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=50, description="how many low scorers to trace")] = 10


def low_score_drilldown(args: LowScoreArguments, context: ToolContext) -> ToolResult:
    """Drill down into low scorers (NPS 0-6 by default): their last 3 conversations and where the mood broke.

    Use for "what do detractors complain about", "look into the low scores". causes ranks what low scorers
    talk about, each own or common against the industry (undecided without a table); cases traces single
    customers with break_turn (where negative emotion breaks out), curve (-2 to 2 a turn), resolution and
    effort (1 easy to 7 hard) of each conversation.
    """
    chosen = choose(args, context)
    measure, at_most = _measure(args, context)
    low, values = _low(chosen, measure, at_most, context)
    scored = context.facts.aggregate(Aggregate(measure.name, chosen.selection))[0].n
    n = context.facts.count(low) if values else 0
    caveats = sample_caveats(chosen, n, context, args.language)
    causes: list[dict[str, Any]] = []
    cases: list[dict[str, Any]] = []
    customers = 0
    if n:
        ids = _customer_ids(low, context)
        customers = len(ids)
        causes = _causes(chosen, low, measure, values, ids, context, args.language)
        cases = _cases(low, measure, args.limit, context)
        caveats += _doubts(low, cases, n, causes, context, args.language)
    share = proportion(scored, n)
    return answer(
        "low_score_drilldown",
        args,
        chosen,
        n=n,
        data={
            "metric": measure.name,
            "title": measure.title,
            "at_most": at_most,
            "scored": scored,
            "share": rounded(share.value),
            "ci_low": rounded(share.ci_low),
            "ci_high": rounded(share.ci_high),
            "customers": customers,
            "causes": causes,
            "cases": cases,
            "broke_out": sum(1 for case in cases if case["broke_out"]),
            "unresolved": sum(1 for case in cases if case["unresolved"]),
        },
        evidence=[case["feedback_id"] for case in cases],
        caveats=caveats,
        chart=_chart(causes),
    )


def _measure(args: LowScoreArguments, context: ToolContext) -> tuple[Measure, float]:
    known = context.facts.catalogue().metrics
    name = args.metric or next((name for name in _LOW if name in known), "nps")
    measure = find_measure(name, context, args.language)
    if measure.name not in _LOW:
        raise Refusal("no_low_scores", known=list(_LOW), metric=measure.name)
    return measure, _LOW[measure.name] if args.at_most is None else args.at_most


def _low(
    chosen: Chosen, measure: Measure, at_most: float, context: ToolContext
) -> tuple[Selection, tuple[str, ...]]:
    """The low-scored items, selected by the score values that occur."""
    groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=(measure.name,)))
    values = tuple(g.key[0] for g in groups if g.key[0] is not None and float(g.key[0]) <= at_most)
    return chosen.also({measure.name: values}), values


def _customer_ids(low: Selection, context: ToolContext) -> list[str]:
    groups = context.facts.aggregate(
        Aggregate("volume", low, group_by=("customer_id",), limit=_CUSTOMERS + 1)
    )
    return [group.key[0] for group in groups if group.key[0] is not None]


def _causes(
    chosen: Chosen,
    low: Selection,
    measure: Measure,
    values: tuple[str, ...],
    ids: Sequence[str],
    context: ToolContext,
    language: Language,
) -> list[dict[str, Any]]:
    """Topics of the low-scored items and of what else these customers said in anger within the period."""
    counts = _topics(low, context)
    total = _labelled(low, context)
    if ids:
        also = Selection(
            chosen.selection.window,
            {**chosen.selection.filters, "customer_id": tuple(ids[:_CUSTOMERS]), "sentiment": ("negative",)},
            {**chosen.selection.exclude, measure.name: values},
        )
        for topic, n in _topics(also, context).items():
            counts[topic] = counts.get(topic, 0) + n
        total += context.facts.count(also)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_CAUSES]
    return [
        {
            "topic": topic,
            "label": context.taxonomy.title_of(topic, language),
            "n": n,
            "share": rounded(n / total),
            "scope": problem_scope(
                "topic", topic, context.taxonomy.title_of(topic, language), chosen.selection, context
            ),
        }
        for topic, n in ranked
    ]


def _topics(selection: Selection, context: ToolContext) -> dict[str, int]:
    groups = context.facts.aggregate(Aggregate("volume", selection, group_by=("topic",)))
    return {group.key[0]: group.n for group in groups if group.key[0] is not None}


def _labelled(selection: Selection, context: ToolContext) -> int:
    return context.facts.aggregate(Aggregate("negative_share", selection))[0].n


def _cases(low: Selection, measure: Measure, limit: int, context: ToolContext) -> list[dict[str, Any]]:
    """The newest low score of each customer, with the conversations that led to it."""
    found = context.facts.find(Find(low, order="newest", limit=limit * 5))
    latest: dict[str, LabelledFeedback] = {}
    for one in found:
        latest.setdefault(one.feedback.customer_id or f"\x00{one.feedback.feedback_id}", one)
    traced = list(latest.items())[:limit]
    history = _history([key for key, _ in traced if not key.startswith("\x00")], context)
    return [_case(one, measure, history.get(key, []), context) for key, one in traced]


def _history(ids: Sequence[str], context: ToolContext) -> dict[str, list[LabelledFeedback]]:
    if not ids:
        return {}
    mine = Selection(filters={"customer_id": tuple(ids)})
    by_customer: dict[str, list[LabelledFeedback]] = {}
    for one in context.facts.find(Find(mine, with_text=True, order="newest", limit=_HISTORY)):
        by_customer.setdefault(one.feedback.customer_id or "", []).append(one)
    return by_customer


def _case(
    low: LabelledFeedback, measure: Measure, history: Sequence[LabelledFeedback], context: ToolContext
) -> dict[str, Any]:
    feedback = low.feedback
    before = [
        one
        for one in history
        if _time(one) <= _time(low)
        and (one.feedback.feedback_id != feedback.feedback_id or one.feedback.conversation_id)
    ]
    conversations = [
        _conversation(found)
        for found in last_conversations(context.facts, before, limit=_CONVERSATIONS, zone=context.zone)
    ]
    return {
        "customer_id": feedback.customer_id,
        "feedback_id": feedback.feedback_id,
        "score": getattr(feedback, measure.name),
        "time": shown(feedback.occurred_at, context.zone),
        "text": feedback.text,
        "conversations": conversations,
        "broke_out": any(one["break_turn"] is not None for one in conversations),
        "unresolved": bool(conversations) and conversations[0]["resolution"] == "unresolved",
    }


def _conversation(found: Mapping[str, Any]) -> dict[str, Any]:
    """A conversation cut to the turns around the break (else to the last ones)."""
    turns, at = found["turns"], found["break_turn"]
    first = max(0, (at if at is not None else len(turns)) - _TURNS_SHOWN // 2)
    first = min(first, max(0, len(turns) - _TURNS_SHOWN))
    return {
        **found,
        "turns": turns[first : first + _TURNS_SHOWN],
        "curve": found["curve"][first : first + _TURNS_SHOWN],
        "first_turn_shown": first,
        "turn_count": len(turns),
        "break_text": turns[at]["text"] if at is not None else None,
        "break_feedback_id": turns[at]["feedback_id"] if at is not None else None,
    }


def _time(one: LabelledFeedback) -> datetime:
    return one.feedback.occurred_at or datetime.min.replace(tzinfo=UTC)


def _doubts(
    low: Selection,
    cases: Sequence[Mapping[str, Any]],
    n: int,
    causes: Sequence[Mapping[str, Any]],
    context: ToolContext,
    language: Language,
) -> list[str]:
    found = []
    anonymous = context.facts.count(
        Selection(low.window, {**low.filters, "customer_id": (None,)}, low.exclude)
    )
    if anonymous:
        found.append(caveat("anonymous", language, count=anonymous))
    silent = sum(1 for case in cases if case["customer_id"] and not case["conversations"])
    if silent:
        found.append(caveat("no_conversations", language, count=silent))
    if n > len(cases):
        found.append(caveat("listed_of", language, total=n, shown=len(cases)))
    if causes and not context.facts.rates():
        found.append(caveat("no_rates", language))
    return found


def _chart(causes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not causes:
        return None
    drawn = list(reversed(causes))
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value"},
        "yAxis": {"type": "category", "data": [cause["label"] for cause in drawn]},
        "series": [{"type": "bar", "data": [cause["n"] for cause in drawn]}],
    }
