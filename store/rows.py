"""Records to table rows and back."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from store.facts import Voice
from store.records import (
    BehaviourEvent,
    Customer,
    Feedback,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
    Theme,
)

_PLAIN: Final = [
    "feedback_id",
    "source",
    "text",
    "language",
    "customer_id",
    "conversation_id",
    "speaker",
    "region",
    "city",
    "product",
    "version",
    "org_unit",
    "customer_type",
    "tier",
    "media",
    "turn",
    "nps",
    "csat",
    "ces",
    "rating",
]
FIND_COLUMNS: Final = (
    *_PLAIN,
    "channel",
    "occurred_at",
    "metrics",
    "attributes",
    "labels",
    "text_key",
    "batch_id",
)
VOICE_COLUMNS: Final = [
    "customer_id",
    "feedback_id",
    "occurred_at",
    "sentiment",
    "topics",
    "risks",
    "nps",
    "csat",
    "ces",
    "rating",
    "metrics",
]


def utc(moment: datetime | None) -> datetime | None:
    """A time read from an engine, which may have dropped its zone, in UTC."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def wall_clock(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """What the clock on the wall of that zone shows, labelled UTC so that no engine moves it."""
    return None if moment is None else moment.astimezone(zone).replace(tzinfo=UTC)


def label_row(labels: Labels | None) -> dict[str, Any]:
    """The label columns of one item; multi-valued ones without repetition, in order."""
    if labels is None:
        blank = ["labels", "labeller", "sentiment", "emotion", "intent", "priority", "sentiment_confidence"]
        many = ["topics", "topic_areas", "risks", "competitors", "compliance"]
        return {**dict.fromkeys(blank), **{name: [] for name in many}}
    topics = list(dict.fromkeys(label.topic for label in labels.topics))
    return {
        "labels": labels.model_dump_json(),
        "labeller": labels.labeller,
        "sentiment": labels.sentiment.value,
        "emotion": labels.emotion.value,
        "intent": labels.intent.value,
        "priority": labels.priority.value,
        "sentiment_confidence": labels.sentiment_confidence,
        "topics": topics,
        "topic_areas": list(dict.fromkeys(topic.split("/", 1)[0] for topic in topics)),
        "risks": list(dict.fromkeys(labels.risk_signals)),
        "competitors": list(dict.fromkeys(labels.competitors)),
        "compliance": list(dict.fromkeys(labels.compliance_flags)),
    }


def feedback_row(item: LabelledFeedback, zone: ZoneInfo) -> dict[str, Any]:
    """One row of table `feedback`."""
    feedback = item.feedback
    row = {name: getattr(feedback, name) for name in _PLAIN}
    row["channel"] = feedback.channel.value
    row["occurred_at"] = utc(feedback.occurred_at)
    row["occurred_local"] = wall_clock(feedback.occurred_at, zone)
    row["metrics"] = feedback.metrics
    row["attributes"] = feedback.attributes
    row["text_key"] = item.text_key
    row["batch_id"] = item.batch_id
    row.update(label_row(item.labels))
    return row


def feedback_item(row: Mapping[str, Any], group_key: str | None, theme_id: str | None) -> LabelledFeedback:
    """The item of a row of FIND_COLUMNS."""
    feedback = Feedback(
        **{name: row[name] for name in _PLAIN},
        channel=row["channel"],
        occurred_at=utc(row["occurred_at"]),
        metrics=row["metrics"],
        attributes=row["attributes"],
    )
    return LabelledFeedback(
        feedback=feedback,
        labels=None if row["labels"] is None else Labels.model_validate_json(row["labels"]),
        text_key=row["text_key"],
        near_duplicate_of=group_key,
        batch_id=row["batch_id"],
        theme_id=theme_id,
    )


def voice(values: Sequence[Any]) -> Voice:
    """The voice of a row of VOICE_COLUMNS."""
    customer_id, feedback_id, occurred_at, sentiment, topics, risks, nps, csat, ces, rating, metrics = values
    given = {"nps": nps, "csat": csat, "ces": ces, "rating": rating}
    moment = utc(occurred_at)
    assert moment is not None
    return Voice(
        customer_id,
        feedback_id,
        moment,
        {**{name: value for name, value in given.items() if value is not None}, **metrics},
        None if sentiment is None else Sentiment(sentiment),
        tuple(topics),
        tuple(risks),
    )


def outcome_row(outcome: Outcome, zone: ZoneInfo) -> dict[str, Any]:
    """One row of table `outcome`; the same customer, time and outcome is the same row."""
    said = "\x1f".join((outcome.customer_id, utc_text(outcome.occurred_at), outcome.outcome))
    return {
        "outcome_id": hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        **outcome.model_dump(),
        "occurred_at": utc(outcome.occurred_at),
        "occurred_local": wall_clock(outcome.occurred_at, zone),
    }


def event_row(event: BehaviourEvent) -> dict[str, Any]:
    """One row of table `event`."""
    return {**event.model_dump(), "occurred_at": utc(event.occurred_at)}


def customer_row(customer: Customer) -> dict[str, Any]:
    """One row of table `customer`."""
    return customer.model_dump()


def theme_row(theme: Theme) -> dict[str, Any]:
    """One row of table `theme`."""
    return {"theme_id": theme.theme_id, "body": theme.model_dump_json()}


def utc_text(moment: datetime) -> str:
    """A time as ISO text in UTC."""
    return moment.astimezone(UTC).isoformat()


def named(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """A result row by column name."""
    return dict(zip(columns, values, strict=True))
