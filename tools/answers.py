"""Putting a ToolResult together from what every tool has: arguments, selection, sample, evidence."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from store.facts import Find, Selection
from store.records import LabelledFeedback
from tools.arguments import Arguments
from tools.context import ToolContext
from tools.results import ToolResult
from tools.selection import Chosen

EVIDENCE = 5
_SCORES: Final[tuple[Literal["nps", "csat", "ces", "rating"], ...]] = ("nps", "csat", "ces", "rating")


def answer(
    tool: str,
    args: Arguments,
    chosen: Chosen,
    *,
    n: int,
    data: dict[str, Any],
    evidence: Sequence[str] = (),
    caveats: Sequence[str] = (),
    chart: dict[str, Any] | None = None,
) -> ToolResult:
    """A result; repeated evidence and caveats are said once."""
    return ToolResult(
        tool=tool,
        args=args.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        period=chosen.period.result(),
        filters=chosen.filters,
        n=n,
        data={"period_label": chosen.period.label, **data},
        evidence=list(dict.fromkeys(evidence)),
        caveats=list(dict.fromkeys(caveats)),
        chart=chart,
    )


def evidence_ids(
    selection: Selection,
    context: ToolContext,
    *,
    order: Literal["newest", "lowest_score"] = "newest",
    metric: str | None = None,
    limit: int = EVIDENCE,
) -> list[str]:
    """Ids of a few items with words that stand for a selection; `metric` is the score in question, if one."""
    score = next((name for name in _SCORES if name == metric), None)
    found = context.facts.find(Find(selection, with_text=True, order=order, score=score, limit=limit))
    return [item.feedback.feedback_id for item in found]


def item(found: LabelledFeedback, context: ToolContext) -> dict[str, Any]:
    """One piece of feedback as results show it: masked text, time in the configured zone, labels, scores."""
    feedback, labels = found.feedback, found.labels
    scores = {name: value for name in _SCORES if (value := getattr(feedback, name)) is not None}
    at = feedback.occurred_at
    return {
        "id": feedback.feedback_id,
        "text": feedback.text,
        "time": at.astimezone(context.zone).isoformat() if at else None,
        "channel": feedback.channel.value,
        "source": feedback.source,
        "customer_id": feedback.customer_id,
        "sentiment": labels.sentiment.value if labels else None,
        "topics": [topic.topic for topic in labels.topics] if labels else [],
        "scores": {**scores, **feedback.metrics},
        "dimensions": {
            name: value
            for name in ("region", "city", "product", "version", "org_unit")
            if (value := getattr(feedback, name)) is not None
        },
    }
