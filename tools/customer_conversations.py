"""One customer's last conversations with the curve of his mood."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from pipeline.conversation_turns import conversation_turns
from pipeline.conversations import label_conversation
from store.facts import FactStore, Find, Selection
from store.records import LabelledFeedback

_TURNS = 2000


def last_conversations(
    facts: FactStore, items: Sequence[LabelledFeedback], *, limit: int, zone: tzinfo
) -> list[dict[str, Any]]:
    """Return the `limit` newest conversations of a customer's items (newest first), with agents' turns.

    An item without a conversation id is a conversation of its own. `curve` has a level a turn: -2 furious
    to 2 delighted; None for agents and turns without words. `break_turn` is the index in `turns` at which
    negative emotion breaks out, None where it does not; the other labels are those of
    `store.records.ConversationLabels`.
    """
    keys: dict[str, list[LabelledFeedback]] = {}
    for item in sorted(items, key=_time, reverse=True):
        key = item.feedback.conversation_id or f"\x00{item.feedback.feedback_id}"
        if key in keys or len(keys) < limit:
            keys.setdefault(key, []).append(item)
    ids = tuple(key for key in keys if not key.startswith("\x00"))
    if ids:
        filters = {"conversation_id": ids, "speaker": ("customer", "agent", None)}
        found = facts.find(Find(Selection(filters=filters), order="oldest", limit=_TURNS))
        for key in ids:
            keys[key] = [item for item in found if item.feedback.conversation_id == key] or keys[key]
    return [_conversation(turns, zone) for turns in keys.values()]


def _time(item: LabelledFeedback) -> float:
    return item.feedback.occurred_at.timestamp() if item.feedback.occurred_at else float("-inf")


def _conversation(items: Sequence[LabelledFeedback], zone: tzinfo) -> dict[str, Any]:
    labels = label_conversation(items)
    said = {item.feedback.feedback_id: item for item in items}
    turns = [said[turn.feedback_id] for turn in conversation_turns(items)]
    times = [t.feedback.occurred_at for t in turns if t.feedback.occurred_at]
    return {
        "conversation_id": turns[0].feedback.conversation_id,
        "channel": turns[0].feedback.channel.value,
        "from": shown(min(times, default=None), zone),
        "to": shown(max(times, default=None), zone),
        "turns": [
            {
                "feedback_id": item.feedback.feedback_id,
                "speaker": item.feedback.speaker or "customer",
                "text": item.feedback.text,
                "sentiment": item.labels.sentiment.value if item.labels else None,
            }
            for item in turns
        ],
        "curve": list(labels.curve),
        **labels.model_dump(
            mode="json",
            include={
                "break_turn",
                "lowest_turn",
                "end_level",
                "end_mood",
                "recovered",
                "resolution",
                "resolution_turn",
                "resolution_feedback_id",
                "resolution_reason",
                "effort",
                "pace",
            },
        ),
    }


def shown(at: datetime | None, zone: tzinfo) -> str | None:
    """A time as ISO text in `zone`."""
    return at.astimezone(zone).isoformat() if at else None
