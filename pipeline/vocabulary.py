"""The words by which columns and their values are known (columns.yaml)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.headers import Cell

_FILE = Path(__file__).with_name("columns.yaml")
_PUNCTUATION = re.compile(r"[\W_]+")


@cache
def vocabulary() -> Mapping[str, Any]:
    """Return the parsed vocabulary (read once)."""
    loaded: dict[str, Any] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_loader())
    return loaded


def normal(header: str) -> str:
    """Return a header without case, width, spaces and punctuation."""
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", header).lower())


@cache
def names(*path: str) -> tuple[str, ...]:
    """Return the normalised words at a place of the vocabulary; none where it has no such place."""
    found: Any = vocabulary()
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return tuple(normal(str(word)) for word in found or ())


@cache
def _nulls() -> frozenset[str]:
    return frozenset(str(word) for word in vocabulary()["null_words"])


@lru_cache(maxsize=65_536)
def _says_nothing(text: str) -> bool:
    return text.strip().lower() in _nulls()


def is_empty(cell: Cell) -> bool:
    """Whether a cell says nothing: empty, or one of the words systems write for that."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return _says_nothing(cell) if len(cell) < 16 else cell.isspace()
    return isinstance(cell, float) and cell != cell


@cache
def _by_word(*path: str) -> Mapping[str, str]:
    found: Any = vocabulary()
    for step in path:
        found = found[step]
    return {normal(str(word)): str(key) for key, words in found.items() for word in words}


def meaning(value: str, *path: str) -> str | None:
    """Return the key under which the whole of `value` is listed as a word at a place of the vocabulary."""
    return _by_word(*path).get(normal(value))


@cache
def _channel_words() -> Sequence[tuple[str, str, bool]]:
    return [
        (channel, str(word).lower(), str(word).isascii())
        for channel, words in vocabulary()["channels"].items()
        for word in words
    ]


@lru_cache(maxsize=4096)
def channel_of(value: str) -> str:
    """Return the channel a word such as `微博` or `Live chat` stands for, `other` where none is known."""
    lowered = value.strip().lower()
    if lowered in vocabulary()["channels"]:
        return lowered
    for channel, word, latin in _channel_words():
        if re.search(rf"(?<![a-z0-9]){re.escape(word)}s?(?![a-z0-9])", lowered) if latin else word in lowered:
            return channel
    return "other"


def _loader() -> type[yaml.SafeLoader]:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
