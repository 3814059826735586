"""A running conversation: whether the customer is dissatisfied, what may be offered, what to say next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.classifier import Classifier
from pipeline.conversations import label_conversation
from pipeline.language import detect_language
from retention.compensation import Proposal, compensation_id, propose
from retention.live_mood import LiveSign, live_signs
from retention.policy import Policy
from retention.wording import name_of, sentence
from store.compensations import Compensation
from store.records import Channel, ConversationLabels, Feedback, LabelledFeedback, Tier
from tools.arguments import Language
from tools.context import ToolContext
from tools.what_to_say import say_to_customer


@dataclass(frozen=True)
class LiveTurn:
    """One turn of a running conversation, as it was written."""

    speaker: Literal["customer", "agent"]
    text: str


@dataclass(frozen=True)
class Listener:
    """Reads running conversations. Texts are masked before they are labelled, and none is stored."""

    classifier: Classifier
    mask: Callable[[Sequence[str]], Sequence[str]]

    def read(self, conversation_id: str, turns: Sequence[LiveTurn]) -> list[LabelledFeedback]:
        """The turns with their labels."""
        texts = list(self.mask([turn.text for turn in turns]))
        found = self.classifier.classify(texts)
        return [
            LabelledFeedback(
                feedback=Feedback(
                    feedback_id=f"live-{at}",
                    source="live",
                    channel=Channel.CHAT,
                    conversation_id=conversation_id,
                    turn=at,
                    speaker=turn.speaker,
                    text=text,
                    language=detect_language(text),
                ),
                labels=labels,
            )
            for at, (turn, text, labels) in enumerate(zip(turns, texts, found, strict=True))
        ]


def live_figures(
    conversation_id: str,
    customer_id: str | None,
    turns: Sequence[LabelledFeedback],
    language: Language,
    context: ToolContext,
) -> dict[str, Any]:
    """What is to be done now. An offer is kept under the conversation's id, and raised with the tier.

    Nothing is proposed to a customer who is not known: no limit could be kept.
    """
    policy = context.policy_of(customer_id) if customer_id else context.policy
    labels = label_conversation(turns, conversation_id)
    signs = live_signs(turns, labels, policy)
    tier = signs[0].tier if signs else None
    offer, why_not = _offer(conversation_id, customer_id, tier, policy, language, context)
    said = "" if not signs else turns[signs[0].turn].feedback.text
    return {
        "conversation_id": conversation_id,
        "customer_id": customer_id,
        "dissatisfied": bool(signs),
        "tier": tier and tier.value,
        "signs": [_sign(one, turns, language) for one in signs],
        **_mood(labels),
        "offer": offer,
        "no_offer_because": why_not,
        "what_to_say": []
        if tier is None or customer_id is None
        else say_to_customer(
            customer_id,
            tier,
            [one.name for one in signs],
            (),
            language,
            context,
            owner=name_of("roles", policy.tiers[tier].owner_role, language),
            due_at=policy.deadline(tier, context.clock.now(), context.zone),
            quote=said,
        ),
    }


def offer_row(kept: Compensation, asks: str | None, language: Language) -> dict[str, Any]:
    """An offer with the words to make it in."""
    kind = name_of("offers", kept.kind, language)
    named = kept.kind if kept.kind in ("plan", "apology") else "offer"
    if named == "offer" and not kept.amount:
        words = ""
    else:
        words = sentence(
            "live", named, language, kind=kind, amount=f"{kept.amount:g}", currency=kept.currency
        )
    shown = kept.model_dump(
        mode="json", include={"compensation_id", "kind", "amount", "currency", "status", "tier"}
    )
    return {**shown, "words": words, "asks": asks}


def _offer(
    conversation_id: str,
    customer_id: str | None,
    tier: Tier | None,
    policy: Policy,
    language: Language,
    context: ToolContext,
) -> tuple[dict[str, Any] | None, str | None]:
    if tier is None:
        return None, None
    if customer_id is None:
        return None, "unknown_customer"
    role, now, rules = context.asker.role, context.clock.now(), policy.authority
    offer_id = compensation_id(conversation_id, customer_id)
    decided: list[Proposal | str] = []

    def decide(every: Sequence[Compensation]) -> Compensation | None:
        before = next((one for one in every if one.compensation_id == offer_id), None)
        found = propose(tier, role, [one for one in every if one is not before], rules, now)
        decided.append(found)
        if isinstance(found, str) or (before is not None and before.status != "proposed"):
            return None
        made = Compensation(
            compensation_id=offer_id,
            customer_id=customer_id,
            conversation_id=conversation_id,
            tier=tier,
            kind=found.kind,
            amount=found.amount,
            currency=rules.currency,
            proposed_at=before.proposed_at if before else now,
            proposed_by=before.proposed_by if before else context.asker.user,
        )
        return None if made == before else made

    operations = context.operations
    operations.revise_compensation(customer_id, decide, actor=context.asker.user)
    kept = next(
        (
            one
            for one in operations.compensations(conversation_id=conversation_id)
            if one.customer_id == customer_id
        ),
        None,
    )
    found = decided[-1]
    if kept is None:
        return None, found if isinstance(found, str) else None
    return offer_row(kept, found.asks if isinstance(found, Proposal) else None, language), None


def _mood(labels: ConversationLabels) -> dict[str, Any]:
    return {
        "curve": list(labels.curve),
        "break_turn": labels.break_turn,
        "level": labels.end_level,
        "recovered": labels.recovered,
    }


def _sign(sign: LiveSign, turns: Sequence[LabelledFeedback], language: Language) -> dict[str, Any]:
    return {
        "sign": sign.sign,
        "name": sign.name,
        "text": name_of("signals", sign.name, language),
        "tier": sign.tier.value,
        "turn": sign.turn,
        "quote": turns[sign.turn].feedback.text,
    }
