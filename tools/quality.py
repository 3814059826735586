"""How far the data can be trusted: what is filled in, what is doubled, what is one-sided."""

from collections.abc import Mapping
from typing import Any

from analytics.estimates import difference
from analytics.sums import Sums
from store.facts import Aggregate, Find, Selection
from tools.answers import answer
from tools.arguments import Language, SelectionArguments
from tools.caveats import SMALL_SAMPLE, caveat
from tools.context import ToolContext
from tools.dimensions import dimension_title
from tools.measures import rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats, undated_items

# Labels and near duplicates are judged on the newest items: the store keeps them by item, not as sums.
_SAMPLE = 2000
_UNSURE = 0.6
_ONE_CHANNEL = 0.8
_NOT_FIELDS = frozenset(
    ["nps_class", "topic_area", "labeller", "sentiment", "emotion", "intent", "priority", "theme"]
)


class QualityArguments(SelectionArguments):
    """Which data."""


def data_quality(args: QualityArguments, context: ToolContext) -> ToolResult:
    """How complete and how trustworthy the data is, before conclusions are drawn from it.

    Use for "how good is the data", "is anything missing". Gives completeness of every field and score,
    undated items, repeated and near-identical texts, languages, whether one channel dominates or differs
    from the others, label confidence, and what ingestion read, stored, refused.
    """
    chosen = choose(args, context)
    n = context.facts.count(chosen.selection)
    caveats = sample_caveats(chosen, n, context, args.language)
    channels, channel_doubts = _channels(chosen, n, args.language, context)
    labels, label_doubts = _labels(chosen, args.language, context)
    data: dict[str, Any] = {
        "items": n,
        "fields": _fields(chosen, n, args.language, context),
        "metrics": _metrics(chosen, n, context),
        "texts": _texts(chosen, n, context),
        "undated": undated_items(context),
        "languages": _shares(chosen.selection, "language", n, context),
        "channels": channels,
        "labels": labels,
        "ingestion": _ingestion(context),
        "customers": context.facts.catalogue().customers,
    }
    return answer(
        "data_quality",
        args,
        chosen,
        n=n,
        data=data,
        caveats=[*caveats, *channel_doubts, *label_doubts],
        chart=_chart(data["fields"]),
    )


def _fields(chosen: Chosen, n: int, language: Language, context: ToolContext) -> list[dict[str, Any]]:
    """Each dimension with how many items carry it, emptiest first."""
    rows = []
    for name, info in context.facts.catalogue().dimensions.items():
        if name in _NOT_FIELDS or name in context.facts.catalogue().metrics:
            continue
        filled = n - context.facts.count(chosen.also({name: (None,)})) if n else 0
        rows.append(
            {
                "field": name,
                "label": dimension_title(name, language),
                "filled": filled,
                "share": rounded(filled / n) if n else None,
                "distinct": info.distinct,
            }
        )
    return sorted(rows, key=lambda row: (row["filled"], row["field"]))


def _metrics(chosen: Chosen, n: int, context: ToolContext) -> list[dict[str, Any]]:
    rows = []
    for name, info in context.facts.catalogue().metrics.items():
        scored = context.facts.aggregate(Aggregate(name, chosen.selection))[0].n
        rows.append(
            {
                "metric": name,
                "n": scored,
                "share": rounded(scored / n) if n else None,
                "low": info.low,
                "high": info.high,
            }
        )
    return rows


def _texts(chosen: Chosen, n: int, context: ToolContext) -> dict[str, Any]:
    keys = context.facts.text_keys(chosen.selection)
    with_text = sum(count for _, count in keys)
    return {
        "with_text": with_text,
        "share": rounded(with_text / n) if n else None,
        "distinct": len(keys),
        "repeated": with_text - len(keys),
        "repeated_share": rounded((with_text - len(keys)) / with_text) if with_text else None,
    }


def _shares(selection: Selection, name: str, n: int, context: ToolContext) -> list[dict[str, Any]]:
    groups = context.facts.aggregate(Aggregate("volume", selection, group_by=(name,)))
    return [{"key": group.key[0], "n": group.n, "share": rounded(group.n / n)} for group in groups]


def _channels(
    chosen: Chosen, n: int, language: Language, context: ToolContext
) -> tuple[list[dict[str, Any]], list[str]]:
    """Channels by size, their negative share against that of all others, and the flags that follow."""
    rows = _shares(chosen.selection, "channel", n, context)
    moods = {
        group.key[0]: Sums(group.n, group.total, group.squares)
        for group in context.facts.aggregate(
            Aggregate("negative_share", chosen.selection, group_by=("channel",))
        )
    }
    total = sum(moods.values(), Sums(0, 0.0, 0.0))
    doubts = []
    for row in rows:
        row |= _against_rest(moods.get(row["key"]), total)
        if row["share"] >= _ONE_CHANNEL and n >= SMALL_SAMPLE:
            doubts.append(
                caveat("one_channel", language, share=f"{100 * row['share']:.0f}", channel=row["key"])
            )
        if row["differs"]:
            shown = {"value": f"{100 * row['negative_share']:.0f}", "rest": f"{100 * row['rest']:.0f}"}
            doubts.append(caveat("channel_gap", language, channel=row["key"], **shown))
    return rows, doubts


def _against_rest(mood: Sums | None, total: Sums) -> dict[str, Any]:
    if mood is None or not mood.n:
        return {"negative_share": None, "rest": None, "differs": False}
    rest = total - mood
    gap = difference("proportion", rest, mood)
    # A large feed makes any gap significant; a flag needs one that would mislead.
    differs = gap.significant and abs(gap.value or 0.0) >= 0.15
    return {
        "negative_share": rounded(mood.mean),
        "rest": rounded(rest.mean) if rest.n else None,
        "differs": differs,
    }


def _labels(chosen: Chosen, language: Language, context: ToolContext) -> tuple[dict[str, Any], list[str]]:
    sample = context.facts.find(Find(chosen.selection, with_text=True, limit=_SAMPLE))
    confidences = [one.labels.sentiment_confidence for one in sample if one.labels]
    near = sum(1 for one in sample if one.near_duplicate_of and one.near_duplicate_of != one.text_key)
    unsure = sum(1 for confidence in confidences if confidence < _UNSURE)
    share = unsure / len(confidences) if confidences else None
    found: dict[str, Any] = {
        "sample": len(sample),
        "labelled": len(confidences),
        "mean_confidence": rounded(sum(confidences) / len(confidences)) if confidences else None,
        "unsure": unsure,
        "unsure_share": rounded(share),
        "near_duplicates": near,
        "near_duplicate_share": rounded(near / len(sample)) if sample else None,
    }
    doubts = [caveat("low_confidence", language, share=f"{100 * share:.0f}")] if share and share > 0.3 else []
    return found, doubts


def _ingestion(context: ToolContext) -> dict[str, int]:
    batches = context.operations.batches()
    return {
        "batches": len(batches),
        "unfinished": sum(1 for batch in batches if batch.stage != "indexed"),
        "read": sum(batch.read for batch in batches),
        "stored": sum(batch.stored for batch in batches),
        "duplicates": sum(batch.duplicates for batch in batches),
        "rejected": sum(batch.rejected for batch in batches),
    }


def _chart(fields: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    drawn = [row for row in fields if row["share"] is not None]
    if not drawn:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "max": 1},
        "yAxis": {"type": "category", "data": [row["label"] for row in drawn]},
        "series": [{"type": "bar", "data": [row["share"] for row in drawn]}],
    }
