"""An alert in words: what happened, why it matters; in both languages."""

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import TypedDict

from analytics.health import Health
from retention.risk import LOW_HEALTH, part_words, reasons
from retention.wording import Language, is_named, name_of, sentence, shortened
from store.alerts import Alert

_REASONS = 3


class Reason(TypedDict):
    """One part of an alert's score in words, the most harmful first."""

    signal: str
    detail: str
    text: str
    points: float
    weight: float
    at: str | None
    evidence: list[str]


def alert_summary(
    alert: Alert,
    health: Health,
    language: Language,
    *,
    zone: tzinfo,
    quote: str = "",
    topics: Sequence[str] = (),
) -> str:
    """What happened, why it is feared, what it is about, in the customer's own words."""
    stop, comma = ("。", "；") if language == "zh" else (". ", "; ")
    listed = "、" if language == "zh" else ", "
    own = f"head_{alert.tier.value}"
    told = [
        sentence(
            "alert",
            own if is_named("alert", own) else "head",
            language,
            tier=name_of("tiers", alert.tier.value, language),
            customer_id=alert.customer_id,
            health=f"{health.health:g}",
            probability=f"{health.probability:.0%}",
        )
    ]
    told.append(_causes(alert, language, listed))
    lost = [one for one in reasons(health, language, zone) if one["points"] < 0 and one["part"] != "limit"]
    if lost:
        said = comma.join(_dated(one["text"], one["date"], language) for one in lost[:_REASONS])
        told.append(sentence("alert", "reasons", language, reasons=said))
    if topics:
        told.append(sentence("alert", "topics", language, topics=listed.join(topics)))
    if quote:
        told.append(sentence("task", "quote", language, text=shortened(quote)))
    return stop.join(told)


def _causes(alert: Alert, language: Language, listed: str) -> str:
    """The gravest cause, then the others; a low health score explains nothing where another cause does."""
    telling = [cause for cause in alert.causes if cause != LOW_HEALTH] or list(alert.causes)
    first, *others = (name_of("signals", cause, language) for cause in telling)
    if not others:
        return sentence("alert", "cause", language, cause=first)
    return sentence("alert", "causes", language, cause=first, others=listed.join(others))


def _dated(text: str, day: str | None, language: Language) -> str:
    if day is None:
        return text
    on = date.fromisoformat(day)
    return sentence("alert", "reason_on", language, text=text, month=on.month, day=on.day, date=day)


def alert_reasons(alert: Alert, language: Language, zone: tzinfo) -> list[Reason]:
    """The parts of an alert's score in words; their points add up to the score."""
    return [
        Reason(
            signal=part.signal,
            detail=part.detail,
            text=part_words(part.signal, part.detail, part.figures, language),
            points=part.points,
            weight=part.weight,
            at=part.at.astimezone(zone).isoformat() if part.at else None,
            evidence=list(part.evidence),
        )
        for part in sorted(alert.parts, key=lambda part: -part.points)
    ]
