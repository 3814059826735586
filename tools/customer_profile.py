"""What is known of one customer, as results show it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from store.records import Customer, LabelledFeedback, Sentiment
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.results import PeriodResult

_SCORES = ("nps", "csat", "ces", "rating")


def profile_of(customer_id: str, profile: Customer | None) -> dict[str, Any]:
    """The profile without the name: who needs it looks it up where it is kept."""
    if profile is None:
        return {"customer_id": customer_id}
    return profile.model_dump(mode="json", exclude={"name"}, exclude_none=True)


def scores_of(items: Sequence[LabelledFeedback], context: ToolContext) -> list[dict[str, Any]]:
    """Scores over time, oldest first."""
    found = []
    for item in reversed(items):
        feedback = item.feedback
        given = {name: getattr(feedback, name) for name in _SCORES} | dict(feedback.metrics)
        found += [
            {
                "at": shown(feedback.occurred_at, context.zone),
                "metric": name,
                "value": value,
                "feedback_id": feedback.feedback_id,
            }
            for name, value in given.items()
            if value is not None
        ]
    return found


def sentiments_of(items: Sequence[LabelledFeedback]) -> dict[str, int]:
    """How many items carry each sentiment."""
    counts = Counter(item.labels.sentiment for item in items if item.labels)
    return {sentiment.value: counts[sentiment] for sentiment in Sentiment}


def topics_of(items: Sequence[LabelledFeedback]) -> list[dict[str, Any]]:
    """The ten topics with most negative items."""
    said: Counter[str] = Counter()
    negative: Counter[str] = Counter()
    for item in items:
        for topic in {label.topic for label in item.labels.topics} if item.labels else ():
            said[topic] += 1
            negative[topic] += item.labels is not None and item.labels.sentiment is Sentiment.NEGATIVE
    ranked = sorted(said, key=lambda topic: (-negative[topic], -said[topic], topic))
    return [{"topic": topic, "n": said[topic], "negative": negative[topic]} for topic in ranked[:10]]


def themes_of(items: Sequence[LabelledFeedback], context: ToolContext) -> list[dict[str, Any]]:
    """The ten themes most spoken of."""
    counts = Counter(item.theme_id for item in items if item.theme_id)
    if not counts:
        return []
    labels = {theme.theme_id: theme.label for theme in context.facts.themes()}
    return [{"theme_id": i, "label": labels.get(i, i), "n": n} for i, n in counts.most_common(10)]


def span_of(items: Sequence[LabelledFeedback], context: ToolContext) -> PeriodResult:
    """From the first to the last dated item."""
    times = [item.feedback.occurred_at for item in items if item.feedback.occurred_at]
    return PeriodResult(
        from_=shown(min(times, default=None), context.zone), to=shown(max(times, default=None), context.zone)
    )


def score_chart(scores: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """A line a metric; None without dated scores."""
    dated = [s for s in scores if s["at"]]
    if not dated:
        return None
    metrics = list(dict.fromkeys(s["metric"] for s in dated))
    return {
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value"},
        "series": [
            {"type": "line", "name": m, "data": [[s["at"], s["value"]] for s in dated if s["metric"] == m]}
            for m in metrics
        ],
    }
