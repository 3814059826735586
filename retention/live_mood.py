"""Dissatisfaction in a running conversation: which tier of answer it calls for by now, and on what."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from retention.policy import Policy
from retention.risk import gravity
from store.records import ConversationLabels, LabelledFeedback, Sentiment, Tier

USABILITY: Final = "usability"
Sign = Literal["signal", "break", "repeated_negative", "usability"]


class LiveSign(NamedTuple):
    """One sign of dissatisfaction: what it is, the tier it calls for, and the turn it is in (from 0)."""

    sign: Sign
    name: str
    tier: Tier
    turn: int


def live_signs(
    turns: Sequence[LabelledFeedback], labels: ConversationLabels, policy: Policy
) -> tuple[LiveSign, ...]:
    """Signs in what the customer said so far, gravest first; none where the conversation has recovered.

    A wish to leave or a threat stands whatever the mood is afterwards; mood alone is over once it is.
    """
    spoken = [(at, one) for at, one in enumerate(turns) if one.feedback.speaker != "agent" and one.labels]
    found = [
        LiveSign("signal", name, policy.signal(name).tier, at)
        for at, one in spoken
        if one.labels
        for name in one.labels.risk_signals
    ]
    if not (labels.end_level is not None and labels.end_level >= 0):
        upset = [at for at, one in spoken if one.labels and one.labels.sentiment is Sentiment.NEGATIVE]
        if labels.break_turn is not None:
            found.append(LiveSign("break", "break", Tier.CALLBACK, labels.break_turn))
        if len(upset) >= policy.triggers.repeated_negative.minimum:
            found.append(LiveSign("repeated_negative", "repeated_negative", Tier.CALLBACK, upset[-1]))
        found += [
            LiveSign("usability", USABILITY, Tier.YELLOW, at)
            for at, one in spoken
            if at in upset and one.labels and _names_usability(one, policy)
        ]
    first: dict[str, LiveSign] = {}
    for sign in sorted(found, key=lambda one: one.turn):
        first.setdefault(sign.name, sign)
    return tuple(sorted(first.values(), key=lambda one: (-gravity(one.tier), one.turn, one.name)))


def _names_usability(item: LabelledFeedback, policy: Policy) -> bool:
    topics = {topic.topic for topic in item.labels.topics} if item.labels else set()
    return not topics.isdisjoint(policy.triggers.usability_topics)
