"""Themes as the texts of a scope tell of them: they were found and named over everything."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from store.facts import Aggregate, FactStore, Selection
from store.records import Theme

_PARTS: Final = re.compile(r"[、,，/]")
_SAID_BY: Final = ("customer", "agent", None)
_NAMED: Final = 2


def themes_within(themes: Sequence[Theme], facts: FactStore) -> list[Theme]:
    """The themes with a text in a scoped store, without what only texts outside it could have told.

    Words of labels and keywords stay where a text of the theme within the scope holds them, and exemplars
    that lie within it. How a theme came about (its dates, sizes and relatives), how often it is put in which
    way, and names that a model chose were drawn from all its texts, and are left out.
    """
    said = _said(facts)
    stored = facts.existing_ids(list({one for theme in themes for one in theme.exemplars}))
    return [_within(theme, said[theme.theme_id], stored) for theme in themes if theme.theme_id in said]


def _said(facts: FactStore) -> dict[str, str]:
    """All that is said of each theme within the scope, folded."""
    everyone = Selection(filters={"speaker": _SAID_BY})
    keys: dict[str, list[str]] = defaultdict(list)
    for group in facts.aggregate(Aggregate("volume", everyone, group_by=("theme", "text_key"))):
        theme_id, key = group.key
        if theme_id is not None and key is not None:
            keys[theme_id].append(key)
    texts = facts.texts([key for held in keys.values() for key in held]) if keys else {}
    return {
        theme_id: "\n".join(fold(texts[key]) for key in held if key in texts)
        for theme_id, held in keys.items()
    }


def _within(theme: Theme, said: str, stored: frozenset[str]) -> Theme:
    keywords = tuple(word for word in theme.keywords if fold(word) in said)
    label = "" if theme.named_by else _told(theme.label, said)
    return theme.model_copy(
        update={
            "label": label or "、".join(keywords[:_NAMED]) or theme.theme_id,
            "keywords": keywords,
            "exemplars": tuple(one for one in theme.exemplars if one in stored),
            "wordings": (),
            "area": _told(theme.area or "", said) or None,
            "born_at": None,
            "parent_id": None,
            "lineage": (),
            "named_by": None,
        }
    )


def _told(label: str, said: str) -> str:
    """The label where its words stand in the texts, else those of its parts that do."""
    if label and fold(label) in said:
        return label
    parts = [part.strip() for part in _PARTS.split(label)]
    return "、".join(part for part in parts if part and fold(part) in said)


def fold(text: str) -> str:
    """Compatibility form, lower case, letters and digits only."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).lower() if char.isalnum())
