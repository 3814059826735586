"""The number lock's words (lock_words.yaml), compiled once: patterns that find any word of a list."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def lock_words() -> Mapping[str, Any]:
    """The whole file."""
    import yaml

    file = Path(__file__).with_name("lock_words.yaml")
    loaded: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=128)
def pattern(name: str) -> re.Pattern[str]:
    """A pattern of lock_patterns.yaml, in any case."""
    return re.compile(_patterns()[name], re.IGNORECASE)


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, str]:
    import yaml

    file = Path(__file__).with_name("lock_patterns.yaml")
    loaded: Mapping[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words, longer ones first.

    Words of Latin letters match whole, in any case; Chinese words match anywhere.
    """
    ordered = sorted({word for word in words if word}, key=len, reverse=True)
    return re.compile("|".join(_bounded(word) for word in ordered) or r"(?!)", re.IGNORECASE)


def _bounded(word: str) -> str:
    pattern = re.escape(word).replace(r"\ ", r"\s+")
    before = r"(?<![A-Za-z0-9_])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?![A-Za-z0-9_])" if word[-1].isascii() and word[-1].isalnum() else ""
    return before + pattern + after


@lru_cache(maxsize=128)
def words(*names: str) -> re.Pattern[str]:
    """The pattern of one or several lists of the file together."""
    return any_of(word for name in names for word in lock_words()[name])


@lru_cache(maxsize=1)
def measure_words() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """(measure, type of figure it governs, pattern) for every measure."""
    measures = lock_words()["measures"]
    return tuple((name, spec["type"], any_of(spec["words"])) for name, spec in measures.items())


@lru_cache(maxsize=1)
def concept_words() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """(concept, pattern) for every set of words of one meaning."""
    return tuple((name, any_of(spec)) for name, spec in lock_words()["concepts"].items())


@lru_cache(maxsize=1)
def hedge_words() -> tuple[tuple[tuple[str, re.Pattern[str]], ...], tuple[tuple[str, re.Pattern[str]], ...]]:
    """(kind, pattern) of hedges before a figure, and of those after one."""
    loaded = lock_words()
    before = tuple(
        (k, re.compile(rf"(?:{any_of(v).pattern})\s*(?:了|的|有|达)?\s*$", re.I))
        for k, v in loaded["hedges"].items()
    )
    after = tuple(
        (k, re.compile(rf"\s*(?:{any_of(v).pattern})", re.I)) for k, v in loaded["after_hedges"].items()
    )
    return before, after
