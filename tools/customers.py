"""All that is known of one customer."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from retention.behaviour import load_behaviour
from retention.churn_ranking import Ranking, rank_customers
from retention.wording import sentence
from store.facts import Find, Selection
from store.records import Customer
from tools.arguments import Arguments, Language
from tools.churn import model_caveats
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
from tools.customer_risk import EVIDENCE, as_of_caveat, moment, risk_row
from tools.impact import concerns
from tools.refusals import Refusal
from tools.results import ToolResult

_ITEMS = 1000
_EVENTS = 20


class CustomerArguments(Arguments):
    """Which customer."""

    customer_id: Annotated[str, Field(min_length=1, description="id of the customer")]
    limit: Annotated[int, Field(ge=1, le=50, description="how many of the last conversations")] = 3
    language: Annotated[Language, Field(description="language of reasons and caveats")] = "zh"


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
    at = moment(None, context)
    policy = context.policy
    learnt = context.churn.learnt(facts, at, now=context.clock.now(), policy=policy)
    ranking = rank_customers(facts, learnt, at, policy, [args.customer_id])
    events = facts.events([args.customer_id])
    outcomes = facts.outcomes([args.customer_id])
    if profile is None and not items and not events and not outcomes:
        raise Refusal("unknown_customer", customer=args.customer_id)
    risk = next(iter(ranking.portfolio.risks), None)
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
        "risk": risk_row(risk, ranking, language, context) if risk else None,
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
        evidence=[item.feedback.feedback_id for item in items[:EVIDENCE]],
        caveats=_profile_caveats(args, profile, scores, n, ranking, context),
        chart=score_chart(scores),
    )


def _profile_caveats(
    args: CustomerArguments,
    profile: Customer | None,
    scores: Sequence[dict[str, Any]],
    n: int,
    ranking: Ranking,
    context: ToolContext,
) -> list[str]:
    found = []
    if profile is None:
        found.append(sentence("caveats", "no_profile", args.language))
    if not scores:
        found.append(sentence("caveats", "no_scores", args.language))
    if n < context.policy.triggers.minimum_items:
        found.append(sentence("caveats", "few_items", args.language, n=n))
    found += as_of_caveat(ranking.portfolio.at, args.language, context)
    return [*found, *model_caveats(ranking.learnt, args.language)]
