"""One customer's risk: health, the tier of answer the policy asks for, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import TypedDict

from analytics.customer_history import History, Mood, Score, Signal
from analytics.health import Health, assess_health
from retention.behaviour import BehaviourReader
from retention.learnt_weights import calling, reweighed
from retention.policy import Policy
from retention.rules import RuleHit
from retention.wording import Language, is_named, name_of, sentence
from store.facts import Voice
from store.records import BehaviourEvent, Sentiment, Tier

LOW_HEALTH = "health"
# A signal in words has that name already.
_AS_CAUSE = {"silence": "went_silent"}
_GRAVITY = {Tier.YELLOW: 1, Tier.CALLBACK: 2, Tier.ORANGE: 3, Tier.RED: 4}


@dataclass(frozen=True)
class Trigger:
    """What calls for a tier: the cause (a key of `wording.yaml: signals`), when, and the ids it rests on."""

    tier: Tier
    cause: str
    at: datetime
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Risk:
    """What is to be feared of one customer. `triggers` are gravest first; none means no alert."""

    customer_id: str
    health: Health
    triggers: tuple[Trigger, ...]

    @property
    def tier(self) -> Tier | None:
        """The gravest tier called for."""
        return self.triggers[0].tier if self.triggers else None

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids behind triggers and lost points, gravest first, each once."""
        ids = [i for trigger in self.triggers for i in trigger.evidence]
        ids += [i for part in self.health.parts if part.points < 0 for i in part.evidence]
        return tuple(dict.fromkeys(ids))


class Reason(TypedDict):
    """One part of health in words."""

    part: str
    points: float
    date: str | None
    text: str
    evidence: list[str]


def gravity(tier: Tier | None) -> int:
    """Rank a tier: 0 for none, 4 for red."""
    return 0 if tier is None else _GRAVITY[tier]


def assess(
    customer_id: str,
    voices: Sequence[Voice],
    events: Sequence[BehaviourEvent],
    *,
    policy: Policy,
    behaviour: BehaviourReader,
    now: datetime,
    hits: Sequence[RuleHit] = (),
    renewal: date | None = None,
) -> Risk:
    """Assess one customer at `now` from what he said and did up to then.

    `renewal` is the day on which the contract ends. `hits` are items that the company's own rules hold of; a
    rule that a person wrote always calls.
    """
    voices = sorted((v for v in voices if v.occurred_at <= now), key=lambda v: v.occurred_at)
    deeds = _deeds(events, policy, behaviour, now)
    history = History(
        scores=_scores(voices, policy),
        moods=[
            Mood(v.occurred_at, v.sentiment is Sentiment.NEGATIVE, v.feedback_id)
            for v in voices
            if v.sentiment is not None
        ],
        signals=[
            Signal(v.occurred_at, name, policy.signal(name).points, v.feedback_id)
            for v in voices
            for name in v.risk_signals
        ],
        deeds=deeds,
        uses=behaviour.uses([event for event in events if event.occurred_at <= now]),
        renewal=renewal,
    )
    health = reweighed(assess_health(history, policy.health, now), policy)
    return Risk(customer_id, health, _triggers(customer_id, voices, deeds, health, policy, now, hits))


def reasons(health: Health, language: Language, zone: tzinfo) -> list[Reason]:
    """Put the parts of health into words, the most harmful first; dates are local to `zone`."""
    return [
        Reason(
            part=part.name,
            points=part.points,
            date=part.at.astimezone(zone).date().isoformat() if part.at else None,
            text=part_words(part.name, part.detail, part.figures, language),
            evidence=list(part.evidence),
        )
        for part in health.parts
    ]


def part_words(name: str, detail: str, figures: Mapping[str, float], language: Language) -> str:
    """A part of health, or of an alert's score, as a sentence without its points."""
    shown = {key: f"{value:.0%}" if key == "ratio" else f"{value:g}" for key, value in figures.items()}
    once = f"{name}_once" if figures.get("n") == 1 and is_named("reasons", f"{name}_once") else name
    names = "signals" if is_named("signals", detail) else "scores"
    return sentence("reasons", once, language, detail=name_of(names, detail, language), **shown)


def _scores(voices: Sequence[Voice], policy: Policy) -> list[Score]:
    found = []
    for voice in voices:
        for name, value in voice.scores.items():
            scale = policy.scores.get(name)
            if scale is not None and scale[0] <= value <= scale[1]:
                share = (value - scale[0]) / (scale[1] - scale[0])
                found.append(Score(voice.occurred_at, share, name, voice.feedback_id))
    return found


def _deeds(
    events: Sequence[BehaviourEvent], policy: Policy, behaviour: BehaviourReader, now: datetime
) -> list[Signal]:
    start = now - timedelta(days=policy.health.recent_days)
    read = [
        (name, event)
        for event in events
        if start < event.occurred_at <= now and (name := behaviour.signal(event)) in policy.behaviour
    ]
    seen = Counter(name for name, _ in read)
    return [
        Signal(event.occurred_at, name, rule.points, event.event_id)
        for name, event in read
        if name is not None and seen[name] >= (rule := policy.behaviour[name]).minimum
    ]


def _triggers(
    customer_id: str,
    voices: Sequence[Voice],
    deeds: Sequence[Signal],
    health: Health,
    policy: Policy,
    now: datetime,
    hits: Sequence[RuleHit],
) -> tuple[Trigger, ...]:
    start = now - timedelta(days=policy.triggers.signal_days)
    fresh = [voice for voice in voices if voice.occurred_at > start]
    found = [
        Trigger(policy.signal(name).tier, name, voice.occurred_at, (voice.feedback_id,))
        for voice in fresh
        for name in voice.risk_signals
    ]
    for deed in deeds:
        tier = policy.behaviour[deed.name].tier
        if tier is not None and deed.at > start:
            found.append(Trigger(tier, deed.name, deed.at, (deed.evidence,)))
    found += _mood_triggers(fresh, health, policy, now)
    if health.health < policy.health.threshold and health.items >= policy.triggers.minimum_items and voices:
        found.append(Trigger(Tier.CALLBACK, LOW_HEALTH, voices[-1].occurred_at, ()))
    score = 100 - health.health
    enough = [
        trigger
        for trigger in found
        if health.items + len(deeds) >= policy.tiers[trigger.tier].minimum_items
        and score >= policy.triggers.calls_from.get(trigger.cause, 0)
    ]
    # A low score as such explains nothing: a cause that does goes before it.
    return tuple(
        sorted(
            [*calling(_merged(enough), health, policy, customer_id, now), *_merged(_ruled(hits, now))],
            key=lambda t: (-_GRAVITY[t.tier], t.cause == LOW_HEALTH, -t.at.timestamp(), t.cause),
        )
    )


def _ruled(hits: Sequence[RuleHit], now: datetime) -> list[Trigger]:
    return [Trigger(hit.tier, hit.cause, hit.at, (hit.feedback_id,)) for hit in hits if hit.at <= now]


def _mood_triggers(fresh: Sequence[Voice], health: Health, policy: Policy, now: datetime) -> list[Trigger]:
    found = []
    rule = policy.triggers.repeated_negative
    upset = [
        v
        for v in fresh
        if v.sentiment is Sentiment.NEGATIVE and v.occurred_at > now - timedelta(days=rule.days)
    ]
    # Who always complains and still scores high needs no call for complaining again.
    if len(upset) >= rule.minimum and not health.loyal:
        ids = tuple(v.feedback_id for v in upset[-3:])
        found.append(Trigger(Tier.CALLBACK, "repeated_negative", upset[-1].occurred_at, ids))
    for part in health.parts:
        tier = policy.triggers.parts.get(part.name)
        if tier is not None and part.at is not None:
            found.append(Trigger(tier, _AS_CAUSE.get(part.name, part.name), part.at, part.evidence))
    usability = set(policy.triggers.usability_topics)
    for v in fresh:
        if v.sentiment is Sentiment.NEGATIVE and usability.intersection(v.topics):
            found.append(Trigger(Tier.YELLOW, "usability", v.occurred_at, (v.feedback_id,)))
    return found


def _merged(triggers: Sequence[Trigger]) -> list[Trigger]:
    """One trigger a cause: the latest time, the evidence of all (newest first)."""
    by_cause: dict[tuple[Tier, str], Trigger] = {}
    for trigger in sorted(triggers, key=lambda t: t.at):
        earlier = by_cause.get((trigger.tier, trigger.cause))
        ids = trigger.evidence + (earlier.evidence if earlier else ())
        by_cause[trigger.tier, trigger.cause] = Trigger(
            trigger.tier, trigger.cause, trigger.at, tuple(dict.fromkeys(ids))[:5]
        )
    return list(by_cause.values())
