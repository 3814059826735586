"""Segments of customers by what they do and say."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from analytics.segments import LEAST_CUSTOMERS, Segment, find_segments
from store.facts import Aggregate, Selection
from tools.answers import answer, evidence_ids
from tools.arguments import Language, SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.groups import bars
from tools.measures import rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_FILE = Path(__file__).with_name("segments.yaml")
_WEAK = 0.25
_LOGGED = frozenset(("items", "days_silent", "lifetime_value"))
# Traits by the metric that gives them, customer by customer.
_METRICS = {
    "negative_share": "negative_share",
    "nps": "nps",
    "csat": "csat",
    "rating": "rating",
    "complaint_share": "share:intent=complaint",
    "churn_intent_share": "share:intent=churn",
}
# A trait known of fewer customers than this would be mostly made up.
_KNOWN = 0.5
_MEMBERS = 200


class SegmentArguments(SelectionArguments):
    """Whose segments."""

    members: Annotated[int, Field(ge=0, le=_MEMBERS, description="customer ids listed a segment")] = 20


def customer_segments(args: SegmentArguments, context: ToolContext) -> ToolResult:
    """Groups of customers with similar behaviour and voice: size, what sets each apart, topics, members.

    Use for "what kinds of customers do we have". Traits: how often and how recently they speak, share of
    negative and complaining items, scores, leaving intent, lifetime value. Groups are found by k-means; the
    silhouette says how well they are separated. Only customers with an id count.
    """
    chosen = choose(args, context)
    n = context.facts.count(chosen.selection)
    caveats = sample_caveats(chosen, n, context, args.language)
    customers, traits = _traits(chosen, context)
    found = find_segments(traits, logged=_LOGGED) if customers else None
    rows = []
    if found is None:
        if n:
            caveats.append(caveat("no_segments", args.language, n=len(customers), least=LEAST_CUSTOMERS))
    else:
        if found.silhouette < _WEAK:
            caveats.append(caveat("weak_segments", args.language, score=f"{found.silhouette:.2f}"))
        rows = [_row(one, customers, chosen, args, context) for one in found.segments]
    return answer(
        "customer_segments",
        args,
        chosen,
        n=n,
        data={
            "customers": len(customers),
            "segments": rows,
            "silhouette": rounded(found.silhouette) if found else None,
            "traits": [name for name, column in traits.items() if any(v is not None for v in column)],
        },
        evidence=[one for row in rows for one in row["evidence"]],
        caveats=caveats,
        chart=bars([row["label"] for row in rows], [row["n"] for row in rows]),
    )


def _traits(chosen: Chosen, context: ToolContext) -> tuple[list[str], dict[str, list[float | None]]]:
    """Customers in order, and a column a trait; six grouped queries, whatever the number of items."""
    facts = context.facts
    counts = _by_customer("volume", chosen.selection, context)
    customers = sorted(counts)
    columns: dict[str, list[float | None]] = {"items": [float(counts[one][0]) for one in customers]}
    for name, metric in _METRICS.items():
        values = _by_customer(metric, chosen.selection, context)
        columns[name] = [values[one][1] / values[one][0] if one in values else None for one in customers]
    last = _last_days(chosen.selection, context)
    newest = max(last.values(), default=0)
    columns["days_silent"] = [float(newest - last[one]) if one in last else None for one in customers]
    worth = {one.customer_id: one.lifetime_value for one in facts.customers(customers)} if customers else {}
    columns["lifetime_value"] = [worth.get(one) for one in customers]
    known = {
        name: column
        for name, column in columns.items()
        if sum(value is not None for value in column) >= _KNOWN * max(1, len(customers))
    }
    return customers, known


def _by_customer(metric: str, selection: Selection, context: ToolContext) -> dict[str, tuple[int, float]]:
    groups = context.facts.aggregate(Aggregate(metric, selection, group_by=("customer_id",)))
    return {group.key[0]: (group.n, group.total) for group in groups if group.key[0] is not None}


def _last_days(selection: Selection, context: ToolContext) -> dict[str, int]:
    """The last week each customer spoke in, as a day number."""
    from datetime import date

    found: dict[str, int] = {}
    for group in context.facts.aggregate(Aggregate("volume", selection, group_by=("customer_id", "week"))):
        customer, week = group.key
        if customer is not None and week is not None:
            day = date.fromisoformat(week).toordinal()
            found[customer] = max(found.get(customer, day), day)
    return found


def _row(
    segment: Segment, customers: Sequence[str], chosen: Chosen, args: SegmentArguments, context: ToolContext
) -> dict[str, Any]:
    members = [customers[at] for at in segment.members]
    inside = chosen.also({"customer_id": tuple(members[:1000])})
    topics = context.facts.aggregate(Aggregate("volume", inside, group_by=("topic",), limit=4))
    return {
        "label": _label(segment, args.language),
        "n": len(members),
        "share": rounded(len(members) / len(customers)),
        "traits": [
            {
                "trait": trait.name,
                "mean": rounded(trait.mean),
                "overall": rounded(trait.overall),
                "distance": rounded(trait.distance),
            }
            for trait in segment.traits
        ],
        "topics": [
            {"topic": g.key[0], "label": context.taxonomy.title_of(g.key[0], args.language), "n": g.n}
            for g in topics
            if g.key[0]
        ][:3],
        "members": members[: args.members],
        "evidence": evidence_ids(inside, context, order="lowest_score", limit=2),
    }


def _label(segment: Segment, language: Language) -> str:
    words = _words()
    parts = [
        words["traits"][trait.name]["high" if trait.distance > 0 else "low"][language]
        for trait in segment.telling()
    ]
    if not parts:
        return str(words["ordinary"][language])
    return ("、" if language == "zh" else ", ").join(parts)


@cache
def _words() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
