"""Customers one by one: who is at risk and why, and all that is known of one of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from retention.behaviour import load_behaviour
from retention.policy import load_policy
from retention.portfolio import Portfolio, assess_customers, moment_of
from retention.risk import Risk, gravity, reasons
from retention.wording import name_of, sentence
from store.errors import ToolInputError
from store.facts import Aggregate, Find, Selection
from store.records import Customer, Tier
from tools.arguments import Arguments, Language, SelectionArguments
from tools.context import ToolContext
from tools.customer_conversations import last_conversations, shown
from tools.customer_profile import (
    profile_of,
    score_chart,
    scores_of,
    sentiments_of,
    span_of,
    themes_of,
    topics_of,
)
from tools.impact import concerns
from tools.periods import ResolvedPeriod
from tools.results import ToolResult
from tools.selection import choose

_EVIDENCE = 50
_ITEMS = 1000
_EVENTS = 20


class ChurnRiskArguments(SelectionArguments):
    """Whose risk is asked for."""

    customer_ids: Annotated[
        list[str],
        Field(
            default_factory=list,
            description="only these customers; empty: all that filters and period select",
        ),
    ]
    limit: Annotated[int, Field(ge=1, le=1000, description="how many customers to list")] = 20


class CustomerArguments(Arguments):
    """Which customer."""

    customer_id: Annotated[str, Field(min_length=1, description="id of the customer")]
    limit: Annotated[int, Field(ge=1, le=50, description="how many of the last conversations")] = 3
    language: Annotated[Language, Field(description="language of reasons and caveats")] = "zh"


def churn_risk(args: ChurnRiskArguments, context: ToolContext) -> ToolResult:
    """List customers likely to leave, the most at risk first.

    Use it for "who is about to churn", "high-risk customers", "health score of customer X". Gives health
    (0-100, below 60 is an alert), churn probability, alert tier (yellow, callback, orange, red) and reasons
    with points, dates and evidence. Filters and period choose which customers; each is judged on his whole
    history up to the end of the period. With `customer_ids` those are judged whether at risk or not.
    """
    chosen = choose(args, context)
    at = _moment(chosen.period, context)
    ids = list(dict.fromkeys(args.customer_ids)) or _customers_of(chosen.selection, context)
    portfolio = assess_customers(context.facts, at, customer_ids=ids)
    if not args.customer_ids:
        portfolio = portfolio.staying()
    threshold = load_policy().health.threshold
    listed = [r for r in portfolio.risks if args.customer_ids or _at_risk(r, threshold)]
    page = listed[: args.limit]
    data = {
        "customers": [_risk(r, args.language, context) for r in page],
        "at_risk": len(listed) if not args.customer_ids else sum(_at_risk(r, threshold) for r in listed),
        "assessed": len(portfolio.risks),
        "below_threshold": sum(r.health.health < threshold for r in portfolio.risks),
        "threshold": threshold,
        "by_tier": {tier.value: sum(r.tier is tier for r in portfolio.risks) for tier in Tier},
        "left": len(portfolio.left),
        "as_of": shown(at, context.zone),
    }
    return ToolResult(
        tool="churn_risk",
        args=args.model_dump(mode="json", by_alias=True, exclude_none=True),
        period=chosen.period.result(),
        filters=chosen.filters,
        n=portfolio.items,
        data=data,
        evidence=_feedback_ids(page, context),
        caveats=_risk_caveats(args, portfolio, page, context),
        chart=_risk_chart(page),
    )


def customer_360(args: CustomerArguments, context: ToolContext) -> ToolResult:
    """Show all that is known of one customer.

    Profile, scores over time, the last conversations with the curve of mood and where it broke, the concerns
    of highest business priority with their parts, topics, churn risk with its parts, behaviour, outcomes and
    tasks. Use it when a question names one customer; for many
    customers use churn_risk.
    """
    facts, zone, language = context.facts, context.zone, args.language
    profile = next(iter(facts.customers([args.customer_id])), None)
    mine = Selection(filters={"customer_id": (args.customer_id,)})
    items = facts.find(Find(mine, order="newest", limit=_ITEMS))
    at = _moment(None, context)
    portfolio = assess_customers(facts, at, customer_ids=[args.customer_id])
    events = facts.events([args.customer_id])
    outcomes = facts.outcomes([args.customer_id])
    if profile is None and not items and not events and not outcomes:
        raise ToolInputError(
            f"customer_360: nothing is known of customer {args.customer_id!r}; "
            "churn_risk and search_feedback give the ids that exist"
        )
    risk = portfolio.risks[0] if portfolio.risks else None
    scores = scores_of(items, context)
    behaviour = load_behaviour()
    data: dict[str, Any] = {
        "customer": profile_of(args.customer_id, profile),
        "scores": scores,
        "conversations": last_conversations(facts, items, limit=args.limit, zone=zone),
        "concerns": concerns(items, context),
        "sentiments": sentiments_of(items),
        "topics": topics_of(items),
        "themes": themes_of(items, context),
        "risk": _risk(risk, language, context) if risk else None,
        "events": [
            {
                "event_id": e.event_id,
                "at": shown(e.occurred_at, zone),
                "kind": e.kind,
                "detail": e.detail,
                "value": e.value,
                "signal": behaviour.signal(e),
            }
            for e in reversed(events[-_EVENTS:])
        ],
        "outcomes": [
            {"at": shown(o.occurred_at, zone), "outcome": o.outcome, "value": o.value} for o in outcomes
        ],
        "tasks": [t.model_dump(mode="json") for t in context.operations.tasks(customer_id=args.customer_id)],
    }
    n = facts.count(mine)
    return ToolResult(
        tool="customer_360",
        args=args.model_dump(mode="json"),
        period=span_of(items, context),
        filters={"customer_id": args.customer_id},
        n=n,
        data=data,
        evidence=[item.feedback.feedback_id for item in items[:_EVIDENCE]],
        caveats=_profile_caveats(args, profile, scores, n, at, context),
        chart=score_chart(scores),
    )


def _moment(period: ResolvedPeriod | None, context: ToolContext) -> datetime:
    now = context.clock.now()
    if period is not None and period.window.end is not None and period.window.end <= now:
        return period.window.end - timedelta(microseconds=1)
    return moment_of(context.facts.catalogue().last_at, now)


def _customers_of(selection: Selection, context: ToolContext) -> list[str] | None:
    """Ids of the customers with an item in the selection; None where nothing narrows it."""
    if selection == Selection():
        return None
    groups = context.facts.aggregate(Aggregate("volume", selection, group_by=("customer_id",)))
    return [group.key[0] for group in groups if group.key[0] is not None]


def _at_risk(risk: Risk, threshold: float) -> bool:
    """A yellow alert alone is a message, not a customer about to leave."""
    return risk.health.health < threshold or gravity(risk.tier) > gravity(Tier.YELLOW)


def _risk(risk: Risk, language: Language, context: ToolContext) -> dict[str, Any]:
    return {
        "customer_id": risk.customer_id,
        "health": risk.health.health,
        "probability": risk.health.probability,
        "tier": risk.tier.value if risk.tier else None,
        "base": risk.health.base,
        "reasons": reasons(risk.health, language, context.zone),
        "triggers": [
            {
                "tier": t.tier.value,
                "cause": t.cause,
                "text": name_of("signals", t.cause, language),
                "at": shown(t.at, context.zone),
                "evidence": list(t.evidence),
            }
            for t in risk.triggers
        ],
        "items": risk.health.items,
        "loyal": risk.health.loyal,
        "evidence": list(risk.evidence[:_EVIDENCE]),
    }


def _feedback_ids(risks: Sequence[Risk], context: ToolContext) -> list[str]:
    """The feedback among the evidence, in its order; ids of behaviour events are left out."""
    ids = list(dict.fromkeys(i for risk in risks for i in risk.evidence))
    stored = context.facts.existing_ids(ids)
    return [i for i in ids if i in stored][:_EVIDENCE]


def _risk_caveats(
    args: ChurnRiskArguments, portfolio: Portfolio, page: Sequence[Risk], context: ToolContext
) -> list[str]:
    language = args.language
    found = []
    if not portfolio.risks and not portfolio.items and not args.customer_ids:
        found.append(sentence("caveats", "no_customer_ids", language))
    elif not page:
        found.append(sentence("caveats", "none_at_risk", language))
    if portfolio.unknown and args.customer_ids:
        found.append(sentence("caveats", "unknown", language, ids=", ".join(portfolio.unknown[:10])))
    if portfolio.left and not args.customer_ids:
        found.append(sentence("caveats", "left", language, n=len(portfolio.left)))
    least = load_policy().triggers.minimum_items
    thin = sum(r.health.items < least for r in page)
    if thin:
        found.append(sentence("caveats", "thin", language, n=thin, least=least))
    found += _as_of_caveat(portfolio.at, language, context)
    found.append(sentence("caveats", "rule", language))
    return found


def _as_of_caveat(at: datetime, language: Language, context: ToolContext) -> list[str]:
    if at >= context.clock.now() - timedelta(days=1):
        return []
    return [sentence("caveats", "as_of", language, date=at.astimezone(context.zone).date().isoformat())]


def _profile_caveats(
    args: CustomerArguments,
    profile: Customer | None,
    scores: Sequence[dict[str, Any]],
    n: int,
    at: datetime,
    context: ToolContext,
) -> list[str]:
    found = []
    if profile is None:
        found.append(sentence("caveats", "no_profile", args.language))
    if not scores:
        found.append(sentence("caveats", "no_scores", args.language))
    if n < load_policy().triggers.minimum_items:
        found.append(sentence("caveats", "few_items", args.language, n=n))
    return [*found, *_as_of_caveat(at, args.language, context), sentence("caveats", "rule", args.language)]


def _risk_chart(page: Sequence[Risk]) -> dict[str, Any] | None:
    if not page:
        return None
    return {
        "xAxis": {"type": "value", "min": 0, "max": 100},
        "yAxis": {"type": "category", "inverse": True, "data": [r.customer_id for r in page]},
        "series": [{"type": "bar", "name": "health", "data": [r.health.health for r in page]}],
    }
