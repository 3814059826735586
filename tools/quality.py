"""How far the data can be trusted: what is filled in, what is doubled, what is one-sided."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from pipeline.stale_labels import stale_items
from store.facts import Aggregate, Find, Selection
from store.records import LabelledFeedback
from tools.answers import answer
from tools.arguments import Language, SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.dimensions import dimension_title
from tools.measures import rounded
from tools.quality_channels import channels, contradictions
from tools.quality_check import Check
from tools.quality_noise import noise, repeats
from tools.quality_values import dates, outliers, score_text
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats, undated_items

# Labels and near duplicates are judged on the newest items: the store keeps them by item, not as sums.
_SAMPLE = 5000
_UNSURE = 0.6
_NOT_FIELDS = frozenset(
    ["nps_class", "topic_area", "labeller", "sentiment", "emotion", "intent", "priority", "theme"]
)


class QualityArguments(SelectionArguments):
    """Which data."""


def data_quality(args: QualityArguments, context: ToolContext) -> ToolResult:
    """How complete and how trustworthy the data is, before conclusions are drawn from it.

    Use for "how good is the data", "is anything missing", "is there spam", "do the channels contradict".
    Gives completeness of every field and score, undated, future and stale items, repeated and copied texts,
    noise (advertising, gibberish, templates, tests), suspected brushing, outliers, scores that contradict
    their words, channels against each other and against behaviour, label confidence, and what ingestion
    read, stored, refused. Nothing is left out of any figure.
    """
    chosen = choose(args, context)
    n = context.facts.count(chosen.selection)
    caveats = sample_caveats(chosen, n, context, args.language)
    sample = context.facts.find(Find(chosen.selection, limit=_SAMPLE))
    keys = context.facts.text_keys(chosen.selection)
    checks = [
        channels(chosen, n, args.language, context),
        contradictions(chosen, args.language, context),
        _labels(sample, args.language),
        _labellers(chosen, args.language, context),
        noise(keys, chosen, args.language, context),
        repeats(sample, args.language, context),
        outliers(sample, args.language),
        score_text(chosen, args.language, context),
        dates(chosen, args.language, context),
    ]
    data: dict[str, Any] = {
        "items": n,
        "fields": _fields(chosen, n, args.language, context),
        "metrics": _metrics(chosen, n, context),
        "texts": _texts(keys, n),
        "undated": undated_items(context),
        "languages": _shares(chosen.selection, "language", n, context),
        "sample": len(sample),
        **{name: value for check in checks for name, value in check.data.items()},
        "ingestion": _ingestion(context),
        "customers": context.facts.catalogue().customers,
    }
    return answer(
        "data_quality",
        args,
        chosen,
        n=n,
        data=data,
        evidence=[one for check in checks for one in check.evidence],
        caveats=[*caveats, *(doubt for check in checks for doubt in check.caveats)],
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


def _texts(keys: Sequence[tuple[str, int]], n: int) -> dict[str, Any]:
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


def _labels(items: Sequence[LabelledFeedback], language: Language) -> Check:
    sample = [one for one in items if one.feedback.text]
    confidences = [one.labels.sentiment_confidence for one in sample if one.labels]
    near = sum(1 for one in sample if one.near_duplicate_of and one.near_duplicate_of != one.text_key)
    unsure = sum(1 for confidence in confidences if confidence < _UNSURE)
    abstained = sum(1 for one in sample if one.labels and one.labels.abstained)
    share = unsure / len(confidences) if confidences else None
    found: dict[str, Any] = {
        "sample": len(sample),
        "labelled": len(confidences),
        "mean_confidence": rounded(sum(confidences) / len(confidences)) if confidences else None,
        "unsure": unsure,
        "unsure_share": rounded(share),
        "abstained": abstained,
        "near_duplicates": near,
        "near_duplicate_share": rounded(near / len(sample)) if sample else None,
    }
    doubts = [caveat("low_confidence", language, share=f"{100 * share:.0f}")] if share and share > 0.3 else []
    return Check({"labels": found}, doubts)


def _labellers(chosen: Chosen, language: Language, context: ToolContext) -> Check:
    """Items whose labels are older than the taxonomy, the lexicon or the model in use."""
    if context.labellers is None:
        return Check({"stale_labels": None}, [])
    stale = stale_items(context.facts, context.labellers(), chosen.selection)
    return Check({"stale_labels": stale}, [caveat("stale_labels", language, count=stale)] if stale else [])


def batches_seen(context: ToolContext) -> Hashable:
    """What a result of data_quality is made from besides the facts."""
    labellers = None if context.labellers is None else context.labellers()
    return tuple((_ingestion(context) or {}).items()), labellers


def _ingestion(context: ToolContext) -> dict[str, int] | None:
    """What the files held; None from within a scope, for a file belongs to no org unit."""
    if context.asker.scope:
        return None
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
