"""The vocabulary of time expressions, and how numbers are written in them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def words() -> Mapping[str, Any]:
    """The vocabulary of `period_words.yaml`."""
    loaded: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "period_words.yaml").read_text(encoding="utf-8")
    )
    return loaded


def fold(text: str) -> str:
    """Lower case and half width, one character for one, so that positions stay true."""
    out = []
    for character in text:
        code = ord(character)
        if 0xFF01 <= code <= 0xFF5E:
            character = chr(code - 0xFEE0)
        elif code == 0x3000:
            character = " "
        lower = character.lower()
        out.append(lower if len(lower) == 1 else character)
    return "".join(out)


def number(word: str) -> int:
    """Read a whole number in digits, Chinese numerals up to 99, or English words."""
    if word.isdigit():
        return int(word)
    if word in words()["numbers"]:
        return int(words()["numbers"][word])
    digits = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2}
    if "十" in word:
        tens, _, ones = word.partition("十")
        return (digits.get(tens, 1) if tens else 1) * 10 + (digits.get(ones, 0) if ones else 0)
    value = 0
    for character in word:
        value = value * 10 + digits[character]
    return value


@cache
def relative() -> Mapping[str, tuple[str, int]]:
    """Phrase to calendar unit and how many units back (negative) it lies."""
    return {
        word: (entry["unit"], entry["offset"]) for entry in words()["relative"] for word in entry["words"]
    }


@cache
def holidays() -> Mapping[str, int]:
    """Name to the index of its entry."""
    return {str(word): index for index, entry in enumerate(words()["holidays"]) for word in entry["words"]}


@cache
def month_names() -> Mapping[str, int]:
    """English month name to 1-12."""
    return {name: int(month) for month, names in words()["months"].items() for name in names}


def unit_name(word: str) -> str:
    """The unit a word stands for; KeyError where it is none."""
    for unit, names in words()["units"].items():
        if word in names:
            return str(unit)
    raise KeyError(word)
