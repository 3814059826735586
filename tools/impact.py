"""Business priority of stored items, from what is known of their customers, themes and history."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pipeline.impact import Stake, load_impact
from store.facts import Aggregate, Selection, Voice
from store.records import LabelledFeedback
from tools.context import ToolContext

_NEGATIVE = ("negative",)
_NEWEST, _CONCERNS = 50, 5


def business_priorities(items: Sequence[LabelledFeedback], context: ToolContext) -> dict[str, dict[str, Any]]:
    """Level, points and their parts by feedback id, for the items that have labels."""
    rules = load_impact()
    customers = _known(items, context)
    reach = _reach(items, context)
    history = _history(items, context)
    found = {}
    for item in items:
        if item.labels is None:
            continue
        feedback = item.feedback
        mine = customers.get(feedback.customer_id or "")
        stake = Stake(
            tier=feedback.tier or (mine.tier if mine else None),
            lifetime_value=mine.lifetime_value if mine else None,
            reach=reach.get(item.theme_id or ""),
            earlier=_earlier(item, history, rules.repeated_days),
        )
        found[feedback.feedback_id] = rules.judge(item.labels, stake).shown()
    return found


def concerns(items: Sequence[LabelledFeedback], context: ToolContext) -> list[dict[str, Any]]:
    """The items of one customer that call for most, of the newest, the highest business priority first."""
    priorities = business_priorities(items[:_NEWEST], context)
    ranked = sorted(priorities.items(), key=lambda one: -int(one[1]["points"]))
    return [{"feedback_id": key, **one} for key, one in ranked[:_CONCERNS] if one["points"] > 0]


def _ids(items: Sequence[LabelledFeedback]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.feedback.customer_id for one in items if one.feedback.customer_id))


def _known(items: Sequence[LabelledFeedback], context: ToolContext) -> dict[str, Any]:
    ids = _ids(items)
    return {one.customer_id: one for one in context.facts.customers(ids)} if ids else {}


def _reach(items: Sequence[LabelledFeedback], context: ToolContext) -> dict[str, int]:
    """Negative items by theme, over the whole store."""
    themes = tuple(dict.fromkeys(one.theme_id for one in items if one.theme_id))
    if not themes:
        return {}
    selection = Selection(filters={"theme": themes, "sentiment": _NEGATIVE})
    groups = context.facts.aggregate(Aggregate("volume", selection, group_by=("theme",)))
    return {group.key[0]: group.n for group in groups if group.key[0] is not None}


def _history(items: Sequence[LabelledFeedback], context: ToolContext) -> list[Voice]:
    """Negative items of the customers among the items."""
    ids = _ids(items)
    if not ids:
        return []
    return context.facts.voices(Selection(filters={"sentiment": _NEGATIVE}), ids)


def _earlier(item: LabelledFeedback, history: Sequence[Voice], days: int) -> int:
    """Other negative items of the same customer in the days up to this one."""
    at, customer = item.feedback.occurred_at, item.feedback.customer_id
    if at is None or customer is None:
        return 0
    return sum(
        one.customer_id == customer
        and one.feedback_id != item.feedback.feedback_id
        and at - timedelta(days=days) <= one.occurred_at < at
        for one in history
    )
