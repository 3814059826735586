"""The words and names behind the rules for Latin letters: `mask_latin.yaml` and `mask_gazetteer.txt`."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from store.errors import ConfigError

_WORDS: Final = Path(__file__).with_name("mask_latin.yaml")
_NAMES: Final = Path(__file__).with_name("mask_gazetteer.txt")
_PLAIN: Final = dict(zip("łøđðı’ßæþœ", ("l", "o", "d", "d", "i", "'", "ss", "ae", "th", "oe"), strict=True))
_LETTERS: Final = {ord(letter): plain for letter, plain in _PLAIN.items()}


@dataclass(frozen=True)
class LatinWords:
    """Look-up tables; names are in the form that `fold` gives."""

    titles: frozenset[str]
    firm_labels: tuple[str, ...]
    introductions: tuple[str, ...]
    weak_labels: tuple[str, ...]
    after: frozenset[str]
    strong_after: frozenset[str]
    no_persons: frozenset[str]
    not_before: frozenset[str]
    place_begins: frozenset[str]
    not_names: frozenset[str]
    organisations: frozenset[str]
    particles: frozenset[str]
    streets: tuple[str, ...]
    street_words: tuple[str, ...]
    small_street_words: tuple[str, ...]
    street_endings: tuple[str, ...]
    units: tuple[str, ...]
    military: tuple[str, ...]
    lead: tuple[str, ...]
    not_places: frozenset[str]
    postal_cues: tuple[str, ...]


@dataclass(frozen=True)
class Gazetteer:
    """Known names (given ones common in English or not, family, also words, also places), and other words."""

    common: frozenset[str]
    given: frozenset[str]
    family: frozenset[str]
    doubtful: frozenset[str]
    wordlike: frozenset[str]
    places: frozenset[str]
    ordinary: frozenset[str]
    chinese_given: frozenset[str]


@cache
def latin_words() -> LatinWords:
    """Read `mask_latin.yaml` once. Raises ConfigError where it is not as it should be."""
    try:
        data: dict[str, Any] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
        lists = {name: _words(text) for name, text in data.items()}
        return LatinWords(
            **{
                name: frozenset(words) if field.type == "frozenset[str]" else words
                for name, field in LatinWords.__dataclass_fields__.items()
                for words in (lists[name],)
            }  # type: ignore[arg-type]
        )
    except (OSError, KeyError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"The word list {_WORDS.name} cannot be used: {error!r}") from error


@cache
def gazetteer() -> Gazetteer:
    """Read `mask_gazetteer.txt` once. Raises ConfigError where it is not as it should be."""
    try:
        lines = _NAMES.read_text(encoding="utf-8").splitlines()
        lists = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
        return Gazetteer(**{name: frozenset(lists[name].split()) for name in Gazetteer.__dataclass_fields__})
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"The list of names {_NAMES.name} cannot be used: {error!r}") from error


def fold(word: str) -> str:
    """Return a word in lower case without accents, as names are looked up."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.lower().translate(_LETTERS))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def alternatives(words: tuple[str, ...]) -> str:
    """Return a regular expression of the words, longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.replace("_", " ").strip() for word in text.split()))
