"""When an alert is raised, joined or raised higher: a pure decision over one customer's risk and file.

What a customer has open is one issue, whoever calls deals with all of it: so new evidence joins the open
alert, however many items say it, and may raise its tier. Once it is closed only evidence that it did not rest
on raises another. Within the cooldown only something graver does; the rest waits until the cooldown is over,
so a cooldown delays and never loses.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.health import Part
from retention.alert_words import alert_summary
from retention.learnt_weights import TIMES
from retention.policy import Policy
from retention.risk import Risk, Trigger, gravity
from store.alert_operations import CustomerFile
from store.alerts import Alert, AlertPart, NoticeKind

# An alert keeps so many ids of evidence; the first ones tell what it was raised for.
_EVIDENCE = 200
BASE = "base"


@dataclass(frozen=True)
class Situation:
    """What is known of one customer at `now`: the risk, and of the words it rests on a quote and the topics.

    `topic_names` names topics by language and path.
    """

    risk: Risk
    policy: Policy
    now: datetime
    zone: ZoneInfo
    quote: str = ""
    topics: tuple[str, ...] = ()
    topic_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """An alert as it should stand now, and what observers are told of it: None where evidence only joins."""

    alert: Alert
    notice: NoticeKind | None


def find_alert(situation: Situation, file: CustomerFile) -> Finding | None:
    """What a customer's file should say; None where it says it already or there is nothing to say."""
    triggers = situation.risk.triggers
    if not triggers:
        return None
    standing = next((alert for alert in file.alerts if alert.status == "open"), None)
    if standing is not None:
        return _joined(situation, standing)
    new = [trigger for trigger in triggers if _is_new(trigger, file.alerts)]
    if file.alerts:
        last = file.alerts[0]
        cooldown = timedelta(days=situation.policy.tiers[last.tier].cooldown_days)
        if situation.now < last.raised_at + cooldown:
            new = [trigger for trigger in new if gravity(trigger.tier) > gravity(last.tier)]
    return _opened(situation, new, file.alerts) if new else None


def _opened(situation: Situation, triggers: Sequence[Trigger], before: Sequence[Alert]) -> Finding:
    tier, now = triggers[0].tier, situation.now
    rule = situation.policy.tiers[tier]
    alert = Alert(
        alert_id=_alert_id(situation.risk.customer_id, triggers, before),
        customer_id=situation.risk.customer_id,
        tier=tier,
        score=_score(situation.risk),
        parts=_parts(situation),
        causes=_causes(triggers),
        topics=situation.topics,
        evidence=_evidence((), triggers, situation.risk),
        summary={},
        owner_role=rule.owner_role,
        due_at=situation.policy.deadline(tier, now, situation.zone),
        created_at=now,
        raised_at=now,
        updated_at=now,
        evidence_until=max(trigger.at for trigger in triggers),
        policy_version=situation.policy.version,
    )
    return Finding(_worded(alert, situation), "opened")


def _joined(situation: Situation, standing: Alert) -> Finding | None:
    triggers, now = situation.risk.triggers, situation.now
    graver = gravity(triggers[0].tier) > gravity(standing.tier)
    if not graver and not any(_is_new(trigger, (standing,)) for trigger in triggers):
        return None
    tier = triggers[0].tier if graver else standing.tier
    due = situation.policy.deadline(tier, now, situation.zone) if graver else standing.due_at
    causes = _causes(triggers)
    alert = standing.model_copy(
        update={
            "tier": tier,
            "score": _score(situation.risk),
            "parts": _parts(situation),
            "causes": (*causes, *(cause for cause in standing.causes if cause not in causes)),
            "topics": situation.topics or standing.topics,
            "evidence": _evidence(standing.evidence, triggers, situation.risk),
            "owner_role": situation.policy.tiers[tier].owner_role,
            "due_at": min(due, standing.due_at),
            "raised_at": now if graver else standing.raised_at,
            "updated_at": now,
            "evidence_until": max(standing.evidence_until, *(trigger.at for trigger in triggers)),
            "policy_version": situation.policy.version,
        }
    )
    joins = next(
        (one for one in causes if one not in standing.causes and _tells(situation.policy, one)), None
    )
    return Finding(_worded(alert, situation), "raised" if graver else "ruled" if joins else None)


def _tells(policy: Policy, cause: str) -> bool:
    rule = policy.rule(cause)
    return rule is not None and bool(rule.tell)


def _worded(alert: Alert, situation: Situation) -> Alert:
    names = situation.topic_names
    summary = {
        language: alert_summary(
            alert,
            situation.risk.health,
            language,
            zone=situation.zone,
            quote=situation.quote,
            topics=[names.get(language, {}).get(topic, topic) for topic in alert.topics],
        )
        for language in ("zh", "en")
    }
    return alert.model_copy(update={"summary": summary})


def _is_new(trigger: Trigger, alerts: Sequence[Alert]) -> bool:
    """Whether it rests on something that none of these alerts has; one without ids is new by its time."""
    if not trigger.evidence:
        return all(trigger.at > alert.evidence_until for alert in alerts)
    return bool(_unknown(trigger, alerts))


def _unknown(trigger: Trigger, alerts: Sequence[Alert]) -> list[str]:
    known = {one for alert in alerts for one in alert.evidence}
    return [one for one in trigger.evidence if one not in known]


def _alert_id(customer_id: str, triggers: Sequence[Trigger], before: Sequence[Alert]) -> str:
    """The same wherever the same evidence is found: of the customer and the first thing that is new in it.

    What earlier alerts rested on may be part of it too, and must not give this one an earlier one's id.
    """
    first = min(triggers, key=lambda trigger: (trigger.at, trigger.cause))
    anchor = _unknown(first, before)[-1] if first.evidence else first.at.isoformat()
    key = f"{customer_id}\x1f{anchor}"
    return "alert-" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _causes(triggers: Sequence[Trigger]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(trigger.cause for trigger in triggers))


def _evidence(before: tuple[str, ...], triggers: Sequence[Trigger], risk: Risk) -> tuple[str, ...]:
    found = [*before, *(one for trigger in triggers for one in trigger.evidence), *risk.evidence]
    return tuple(dict.fromkeys(found))[:_EVIDENCE]


def _score(risk: Risk) -> float:
    return round(100.0 - risk.health.health, 1)


def _parts(situation: Situation) -> tuple[AlertPart, ...]:
    """What adds up to the score: where everybody starts, then the points that health lost, and won back."""
    health = situation.risk.health
    start = AlertPart(signal=BASE, weight=round(100 - health.base, 1), points=round(100 - health.base, 1))
    lost = [
        AlertPart(
            signal=part.name,
            detail=part.detail,
            weight=_weight(part, situation.policy),
            points=-part.points,
            at=part.at,
            evidence=part.evidence,
            figures=part.figures,
        )
        for part in health.parts
    ]
    return (start, *lost)


def _weight(part: Part, policy: Policy) -> float:
    """The most that the policy lets a part count, with what was learnt of it."""
    return _base_weight(part, policy) * part.figures.get(TIMES, 1.0)


def _base_weight(part: Part, policy: Policy) -> float:
    health = policy.health
    if part.name == "signal":
        repeats = 1 + health.signals.repeat * health.signals.most_repeats
        return -policy.signal(part.detail).points * repeats
    if part.name == "behaviour":
        return -policy.behaviour[part.detail].points
    worst = {
        "score_level": health.score_level.worst,
        "score_trend": health.score_trend.worst,
        "baseline_break": health.baseline_break.points,
        "negative_share": health.negative_share.excess + health.negative_share.level,
        "usage_fall": health.usage_fall.worst,
        "silence": health.silence.points,
        "confirmed": health.confirmed.points,
        "price_and_rival": health.price_and_rival.points,
        "renewal": health.renewal.worst,
    }
    return -worst[part.name] if part.name in worst else abs(part.points) / part.figures.get(TIMES, 1.0)
