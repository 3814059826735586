"""Segments of customers by what they do and say."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import yaml
from pydantic import Field

from analytics.segments import LEAST_CUSTOMERS, Floats, Segment, Segmentation, find_segments
from store.customer_features import CustomerQuestion, CustomerTable, Trait
from store.facts import Voice
from store.records import Sentiment
from tools.answers import answer
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
_TRAITS = (
    Trait("negative_share", "negative_share"),
    Trait("nps", "nps"),
    Trait("csat", "csat"),
    Trait("rating", "rating"),
    Trait("complaint_share", "share:intent=complaint"),
    Trait("churn_intent_share", "share:intent=churn"),
)
# A trait known of fewer customers than this would be mostly made up.
_KNOWN = 0.5
_MEMBERS = 200
# Members of a segment whose items are read for its topics and its evidence.
_HEARD = 300
_DAY = 86400.0


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
    table = context.facts.customer_features(CustomerQuestion(_TRAITS, selection=chosen.selection))
    traits = _traits(table)
    found = find_segments(traits, logged=_LOGGED) if table.ids else None
    rows = []
    if found is None:
        if n:
            caveats.append(caveat("no_segments", args.language, n=len(table.ids), least=LEAST_CUSTOMERS))
    else:
        if found.silhouette < _WEAK:
            caveats.append(caveat("weak_segments", args.language, score=f"{found.silhouette:.2f}"))
        if found.fitted < len(table.ids):
            caveats.append(
                caveat("sampled_segments", args.language, n=found.fitted, customers=len(table.ids))
            )
        rows = _rows(found, table, chosen, args, context)
    return answer(
        "customer_segments",
        args,
        chosen,
        n=n,
        data={
            "customers": len(table.ids),
            "segments": rows,
            "silhouette": rounded(found.silhouette) if found else None,
            "fitted": found.fitted if found else None,
            "traits": list(traits),
        },
        evidence=[one for row in rows for one in row["evidence"]],
        caveats=caveats,
        chart=bars([row["label"] for row in rows], [row["n"] for row in rows]),
    )


def _traits(table: CustomerTable) -> dict[str, Floats]:
    """A column a trait, NaN where it is not known of a customer; those known of too few are left out."""
    columns = {"items": table.items}
    for trait in _TRAITS:
        given = table.n[trait.name]
        columns[trait.name] = np.where(given > 0, table.total[trait.name] / np.maximum(given, 1), np.nan)
    newest = np.nanmax(table.last, initial=-np.inf)
    columns["days_silent"] = np.floor((newest - table.last) / _DAY)
    columns["lifetime_value"] = table.lifetime_value
    least = _KNOWN * max(1, len(table.ids))
    return {name: column for name, column in columns.items() if np.isfinite(column).sum() >= least}


def _rows(
    found: Segmentation,
    table: CustomerTable,
    chosen: Chosen,
    args: SegmentArguments,
    context: ToolContext,
) -> list[dict[str, Any]]:
    """What each segment says is read of some of its members, evenly drawn: one query for all segments."""
    members = [sorted(table.ids[at] for at in one.members) for one in found.segments]
    heard = [ids[:: -(-len(ids) // _HEARD)] for ids in members]
    segment_of = {one: at for at, ids in enumerate(heard) for one in ids}
    said: list[list[Voice]] = [[] for _ in members]
    for voice in context.facts.voices(chosen.selection, list(segment_of)):
        said[segment_of[voice.customer_id]].append(voice)
    return [
        _row(one, ids, voices, len(table.ids), args, context)
        for one, ids, voices in zip(found.segments, members, said, strict=True)
    ]


def _row(
    segment: Segment,
    members: Sequence[str],
    voices: Sequence[Voice],
    customers: int,
    args: SegmentArguments,
    context: ToolContext,
) -> dict[str, Any]:
    topics = Counter(topic for voice in voices for topic in voice.topics)
    common = sorted(topics, key=lambda topic: (-topics[topic], topic))[:3]
    return {
        "label": _label(segment, args.language),
        "n": len(members),
        "share": rounded(len(members) / customers),
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
            {"topic": one, "label": context.taxonomy.title_of(one, args.language), "n": topics[one]}
            for one in common
        ],
        "heard": min(len(members), len({voice.customer_id for voice in voices})),
        "members": list(members[: args.members]),
        "evidence": [voice.feedback_id for voice in sorted(voices, key=_telling)[:2]],
    }


def _telling(voice: Voice) -> tuple[bool, bool, float, str]:
    """Words before bare scores, complaints before praise, low scores before high ones."""
    lowest = min(voice.scores.values(), default=math.inf)
    return voice.sentiment is None, voice.sentiment is not Sentiment.NEGATIVE, lowest, voice.feedback_id


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
