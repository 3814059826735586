"""The newest feedback item of each of some texts."""

from collections.abc import Mapping, Sequence

from store.facts import FactStore, Find, Selection
from store.records import LabelledFeedback

_RARE = 5


def newest_items(
    facts: FactStore, selection: Selection, text_keys: Sequence[str], counts: Mapping[str, int]
) -> dict[str, LabelledFeedback]:
    """By text key; `counts` says how many items of the selection carry each.

    One question to the store for all rare texts, one each for stock phrases, which would crowd them out.
    """
    newest: dict[str, LabelledFeedback] = {}
    rare = tuple(key for key in text_keys if counts[key] <= _RARE)
    if rare:
        for item in facts.find(Find(selection, text_keys=rare, limit=sum(counts[key] for key in rare))):
            if item.text_key is not None:
                newest.setdefault(item.text_key, item)
    for key in text_keys:
        if counts[key] > _RARE:
            for item in facts.find(Find(selection, text_keys=(key,), limit=1)):
                newest[key] = item
    return newest
