"""Addresses in Latin letters: streets of many countries, boxes, field post, several lines to one address."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.mask_latin_words import alternatives, fold, latin_words
from pipeline.mask_shapes import read_shapes
from pipeline.mask_spans import Found

_FILE: Final = Path(__file__).with_name("mask_places.yaml")
_UPPER: Final = "A-Z" + "".join(chr(sign) for sign in range(0xC0, 0x250) if chr(sign).isupper()) + "Α-ΩΆ-Ώ"
# A number beside a word that could be a street or a box; without one there is no address.
_CALL: Final = re.compile(
    rf"\d[A-Za-z.]?,?\s[>?]*\s?[{_UPPER}a-z(]|[{_UPPER}\w.]\s#?\d|\d[A-Z]{{2}}\b|(?i:box)"
)
_DIGIT: Final = re.compile(r"\d")
_MOST_LINES: Final = 8


class _Patterns(NamedTuple):
    street: re.Pattern[str]
    lead: re.Pattern[str]
    tail: re.Pattern[str]
    postal: re.Pattern[str]


def find_foreign_addresses(text: str, add: Callable[[Found], None]) -> None:
    """Report addresses in Latin letters, with the lines that belong to them, and postcodes told as such."""
    if not _CALL.search(text):
        return
    patterns = _patterns()
    for match in patterns.street.finditer(text):
        if _is_place(match.group()):
            add(Found(match.start(), _with_tail(text, match.end(), patterns.tail), "ADDRESS"))
    for match in patterns.lead.finditer(text):
        start, end = match.start("place"), _with_tail(text, match.end("place"), patterns.tail)
        if _is_place(match["place"]) and _DIGIT.search(text, start, end):
            add(Found(start, end, "ADDRESS"))
    for match in patterns.postal.finditer(text):
        add(Found(match.start("code"), match.end("code"), "ADDRESS"))


def _is_place(found: str) -> bool:
    no_places = latin_words().not_places
    return not any(fold(word.strip(".,")) in no_places for word in found.split()[:3])


def _with_tail(text: str, end: int, tail: re.Pattern[str]) -> int:
    for _ in range(_MOST_LINES):
        match = tail.match(text, end)
        if match is None or match.end() == end:
            return end
        end = match.end()
    return end


@cache
def _patterns() -> _Patterns:
    shapes = read_shapes(_FILE, _word_macros())
    return _Patterns(**{name: shapes[name] for name in _Patterns._fields})


def _word_macros() -> dict[str, str]:
    words = latin_words()
    return {
        "UPPER": _UPPER,
        "UNITS": alternatives(words.units),
        "MILITARY": alternatives(words.military),
        "LEAD": alternatives(words.lead),
        "NOT_PLACES": alternatives(tuple(words.not_places)),
        "POSTAL_CUES": alternatives(words.postal_cues),
        "STREETS": alternatives(tuple(_capital(word) for word in words.streets)),
        "STREET_WORDS": alternatives(tuple(_capital(word) for word in words.street_words)),
        "SMALL_STREET_WORDS": alternatives(words.small_street_words),
        "STREET_ENDINGS": alternatives(words.street_endings),
    }


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
