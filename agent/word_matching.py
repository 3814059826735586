"""Finds known words in a text; the words themselves are in vocabulary.yaml."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from agent.spelling import simplified

_FILE = Path(__file__).with_name("vocabulary.yaml")
_ASCII = re.compile(r"[A-Za-z0-9]")


class Hit(NamedTuple):
    """A word found in a question: where, and what it stands for."""

    start: int
    end: int
    tag: str


class ValueHit(NamedTuple):
    """A dimension value found in a question; `others`: columns where that word selects other rows."""

    start: int
    end: int
    dimension: str
    value: str
    others: tuple[str, ...] = ()


class Matcher:
    """Finds the longest known words of a set; Latin words only as whole words."""

    def __init__(self, words: Mapping[str, str]) -> None:
        """`words`: word to tag."""
        self._tags = {fold(word): tag for word, tag in words.items() if word.strip()}
        ordered = sorted(self._tags, key=len, reverse=True)
        self._pattern = re.compile("|".join(_word_pattern(word) for word in ordered)) if ordered else None

    def find(self, text: str) -> list[Hit]:
        """All words in order, not overlapping."""
        if self._pattern is None:
            return []
        return [Hit(*m.span(), self._tags[m.group()]) for m in self._pattern.finditer(fold(text))]


def fold(text: str) -> str:
    """Lower case, simplified characters, separators as spaces; keeps every position."""
    lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in simplified(text))
    return re.sub(r"[-_]", " ", lowered)


def _word_pattern(word: str) -> str:
    escaped = re.escape(word)
    left = r"(?<![a-z0-9])" if _ASCII.match(word[0]) else ""
    right = r"(?![a-z0-9])" if _ASCII.match(word[-1]) else ""
    return left + escaped + right


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """vocabulary.yaml as it is."""
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=32)
def matcher(*path: str) -> Matcher:
    """The matcher of one section of vocabulary.yaml; a list's words are tagged with its name."""
    section: Any = words()
    for key in path:
        section = section[key]
    if isinstance(section, list):
        return Matcher(dict.fromkeys(section, path[-1]))
    return Matcher({word: tag for tag, words in section.items() for word in words})


def plural(name: str) -> str:
    """The English plural of a dimension's name; anything else unchanged."""
    if not name.isascii() or not name[-1:].isalpha() or name.endswith("s"):
        return name
    return name[:-1] + "ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else name + "s"
