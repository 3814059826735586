"""Labels of whole conversations, from the labels of their turns."""

from collections.abc import Mapping, Sequence

from pipeline.conversation_cues import load_cues
from pipeline.conversation_effort import effort
from pipeline.conversation_mood import break_turn, curve, mood
from pipeline.conversation_resolution import resolution
from pipeline.conversation_times import pace
from pipeline.conversation_turns import conversation_turns
from store.errors import InputError
from store.facts import FactStore, Find, Selection
from store.records import ConversationLabels, LabelledFeedback

_VERSION = "conversation-1"
_TURNS = 2_000


def label_conversation(items: Sequence[LabelledFeedback], conversation_id: str = "") -> ConversationLabels:
    """Label one conversation from its turns in any order; agents' turns are context.

    `conversation_id` is taken from the items where it is not given. Raises ValueError for no turns at all.
    """
    if not items:
        raise ValueError("a conversation has at least one turn")
    turns = conversation_turns(items)
    first = items[0].feedback
    levels = curve(turns)
    at = break_turn(levels)
    felt = [(value, index) for index, value in enumerate(levels) if value is not None]
    end = felt[-1][0] if felt else None
    lowest = min(felt, default=None)
    settled = resolution(turns, levels)
    return ConversationLabels(
        conversation_id=conversation_id or first.conversation_id or first.feedback_id,
        turns=len(turns),
        curve=levels,
        break_turn=at,
        break_feedback_id=turns[at].feedback_id if at is not None else None,
        lowest_turn=lowest[1] if lowest else None,
        lowest_level=lowest[0] if lowest else None,
        end_level=end,
        end_mood=mood(end),
        recovered=at is not None and end is not None and end >= 0,
        resolution=settled.state,
        resolution_turn=settled.turn,
        resolution_feedback_id=turns[settled.turn].feedback_id if settled.turn is not None else None,
        resolution_reason=settled.reason,
        effort=effort(turns, first.channel),
        pace=pace(turns),
        labeller=_labeller(items),
    )


def stored_conversations(
    facts: FactStore, conversation_ids: Sequence[str]
) -> Mapping[str, list[LabelledFeedback]]:
    """Return the turns of stored conversations, agents' included, in the order of the ids.

    Raises InputError for an id that no item carries.
    """
    found: dict[str, list[LabelledFeedback]] = {one: [] for one in conversation_ids}
    if found:
        filters = {"conversation_id": tuple(found), "speaker": ("customer", "agent", None)}
        for item in facts.find(Find(Selection(filters=filters), order="oldest", limit=_TURNS * len(found))):
            found[item.feedback.conversation_id or ""].append(item)
    for conversation_id, turns in found.items():
        if not turns:
            raise InputError(
                f"there is no conversation {conversation_id!r}",
                hint="list them: voiceloop conversations list",
            )
    return found


def _labeller(items: Sequence[LabelledFeedback]) -> str:
    names = sorted({item.labels.labeller for item in items if item.labels})
    return "/".join([f"{_VERSION}+{load_cues().fingerprint}", *names])
