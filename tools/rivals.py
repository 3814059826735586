"""Rivals in the customers' words."""

from typing import Annotated, Any

from pydantic import Field

from analytics.estimates import difference, estimate
from store.facts import Aggregate, Find
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import SMALL_SAMPLE, caveat
from tools.context import ToolContext
from tools.groups import bars
from tools.measures import find_measure, pooled, rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_TOPICS = 3
_MOODS = ("positive", "neutral", "negative")
_RISKS = ("cancel", "competitor", "price")


class CompetitorArguments(SelectionArguments):
    """Which feedback."""

    metric: Annotated[
        str,
        Field(description="a score compared between those who name a rival and the others"),
    ] = "nps"
    limit: Annotated[int, Field(ge=1, le=50, description="at most this many rivals")] = 10


def compare_competitors(args: CompetitorArguments, context: ToolContext) -> ToolResult:
    """Which rivals customers name, how often, in what mood, over which topics, and what it goes with.

    Use for "what do they say about competitor X", "to whom do we lose". Each rival comes with n, share of
    items, sentiment shares, topics, share that threatens to leave, quotes; and those who name any rival are
    compared with the others on a score.
    """
    measure = find_measure(args.metric, context, args.language)
    chosen = choose(args, context)
    n = context.facts.count(chosen.selection)
    groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=("competitor",)))
    named = [group for group in groups if group.key[0] is not None]
    rows = [_rival(str(group.key[0]), group.n, n, chosen, args, context) for group in named[: args.limit]]
    anyone = chosen.also({"competitor": tuple(group.key[0] for group in named)}) if named else None
    caveats = sample_caveats(chosen, n, context, args.language)
    against = None
    if n and anyone is None:
        caveats.append(caveat("no_rivals", args.language))
    elif anyone is not None:
        whole = pooled(context.facts.aggregate(Aggregate(measure.name, chosen.selection)))
        naming = pooled(context.facts.aggregate(Aggregate(measure.name, anyone)))
        change = difference(measure.kind, whole - naming, naming, scale=measure.scale)
        against = {
            "metric": measure.name,
            "naming_a_rival": rounded(estimate(measure.kind, naming).value),
            "others": rounded(estimate(measure.kind, whole - naming).value),
            "difference": rounded(change.value),
            "ci_low": rounded(change.ci_low),
            "ci_high": rounded(change.ci_high),
            "significant": change.significant,
            "n": naming.n,
        }
    return answer(
        "compare_competitors",
        args,
        chosen,
        n=n,
        data={"competitors": rows, "named": len(named), "against_others": against},
        evidence=[one for row in rows for one in row["evidence"]][:20],
        caveats=caveats,
        chart=bars([row["name"] for row in rows], [row["n"] for row in rows]),
    )


def _rival(
    name: str, count: int, n: int, chosen: Chosen, args: CompetitorArguments, context: ToolContext
) -> dict[str, Any]:
    selection = chosen.also({"competitor": (name,)})
    moods = {
        group.key[0]: group.n
        for group in context.facts.aggregate(Aggregate("volume", selection, group_by=("sentiment",)))
    }
    topics = context.facts.aggregate(Aggregate("volume", selection, group_by=("topic",)))
    risks = {
        group.key[0]: group.n
        for group in context.facts.aggregate(Aggregate("volume", selection, group_by=("risk",)))
    }
    leaving = context.facts.count(Chosen(selection, chosen.period).also({"intent": ("churn",)}))
    labelled = sum(moods.values())
    return {
        "name": name,
        "n": count,
        "share": rounded(count / n) if n else None,
        "sentiments": {
            mood: rounded(moods.get(mood, 0) / labelled) for mood in ("positive", "neutral", "negative")
        }
        if labelled
        else {},
        "topics": [
            {"topic": g.key[0], "label": context.taxonomy.title_of(g.key[0], args.language), "n": g.n}
            for g in topics
            if g.key[0]
        ][:_TOPICS],
        "risks": {risk: risks[risk] for risk in _RISKS if risk in risks},
        "leaving": leaving,
        "quotes": [
            {"id": one.feedback.feedback_id, "text": one.feedback.text}
            for one in context.facts.find(Find(selection, with_text=True, limit=_TOPICS))
        ],
        "evidence": evidence_ids(selection, context, limit=_TOPICS),
        "small": count < SMALL_SAMPLE,
    }
