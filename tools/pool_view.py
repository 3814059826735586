"""The high-risk pool as results show it: who, why, since when, who cares for them."""

from collections.abc import Hashable, Sequence
from typing import Any

from retention.wording import name_of, sentence
from store.pool import PoolEntry, PoolReason
from tools.arguments import Language
from tools.context import ToolContext
from tools.customer_conversations import shown


def pool_row(entry: PoolEntry, language: Language, context: ToolContext) -> dict[str, Any]:
    """One stay in words of one language; times in the configured zone."""
    return {
        "customer_id": entry.customer_id,
        "entered_at": shown(entry.entered_at, context.zone),
        "days": ((entry.left_at or context.clock.now()) - entry.entered_at).days,
        "carer": entry.carer,
        "reasons": [
            {
                **one.model_dump(mode="json"),
                "at": shown(one.at, context.zone),
                "text": _words(one, language, context),
            }
            for one in entry.reasons
        ],
        "left_at": shown(entry.left_at, context.zone),
        "left_because": entry.left_because,
    }


def in_pool(
    customer_ids: Sequence[str], language: Language, context: ToolContext
) -> dict[str, dict[str, Any]]:
    """The rows of those of these customers who are in the pool now."""
    wanted = frozenset(customer_ids)
    return {
        one.customer_id: pool_row(one, language, context)
        for one in context.operations.pool()
        if one.customer_id in wanted
    }


def pool_seen(context: ToolContext) -> Hashable:
    """The pool as results show it."""
    return tuple((one.entry_id, one.carer, len(one.reasons)) for one in context.operations.pool())


def _words(reason: PoolReason, language: Language, context: ToolContext) -> str:
    day = reason.at.astimezone(context.zone).date().isoformat()
    if reason.kind == "manual":
        return sentence("pool", "manual", language, why=reason.name, day=day)
    if reason.kind == "alert":
        tier = name_of("tiers", reason.name, language)
        return sentence("pool", "alert", language, tier=tier, day=day)
    score = name_of("scores", reason.name, language)
    return sentence("pool", "low_score", language, score=score, value=f"{reason.value or 0:g}", day=day)
