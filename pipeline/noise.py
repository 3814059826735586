"""Texts that are no feedback: advertising, keyboard mash, templates, test rows, nothing at all.

Marked, never dropped: a flag is a doubt about an item, and every count stays as it is.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from pipeline.noise_mash import is_mash
from store.errors import ConfigError

_FILE: Final = Path(__file__).with_suffix(".yaml")
_HIDDEN: Final = re.compile(r"\[[A-Z_]{2,}\]")
_MARKS: Final = re.compile(r"[\W_]+")
# Longer texts may hold a link or an offer, but a template, a test or mash they are not.
_LONGEST_TEMPLATE: Final = 90


class Noise(StrEnum):
    """Why a text is doubted."""

    ADVERTISING = "advertising"
    GIBBERISH = "gibberish"
    TOO_SHORT = "too_short"
    TEMPLATE = "template"
    TEST = "test"


@dataclass(frozen=True)
class NoiseRules:
    """The patterns of `noise.yaml`, compiled."""

    strong: re.Pattern[str]
    lure: re.Pattern[str]
    contact: re.Pattern[str]
    told: re.Pattern[str]
    template: re.Pattern[str]
    test: re.Pattern[str]
    nothing: frozenset[str]
    meaning_short: frozenset[str]


def find_noise(texts: Sequence[str]) -> list[Noise | None]:
    """Return the flag of each (masked) text, None for feedback; same length and order.

    A text gets the first that fits of: template, test, too short, gibberish, advertising. Each distinct text
    is judged once.
    """
    found: dict[str, Noise | None] = {}
    for text in texts:
        if text not in found:
            found[text] = _judge(text)
    return [found[text] for text in texts]


@cache
def load_noise() -> NoiseRules:
    """Load the rules. Raises ConfigError where the file is not what it should be."""
    try:
        loaded: Mapping[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
        ads = loaded["advertising"]
        return NoiseRules(
            strong=_any(ads["strong"]),
            lure=_any(ads["lure"]),
            contact=_any(ads["contact"]),
            told=_any(ads["told"]),
            template=_any(loaded["template"]),
            test=_any(loaded["test"]),
            nothing=frozenset(_MARKS.sub(" ", str(word)).strip() for word in loaded["nothing"]),
            meaning_short=frozenset(str(word) for word in loaded["meaning_short"]),
        )
    except (yaml.YAMLError, re.error, KeyError, TypeError) as error:
        raise ConfigError(f"{_FILE.name} is wrong: {error}") from error


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)


def _judge(text: str) -> Noise | None:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    rules = load_noise()
    if len(plain) <= _LONGEST_TEMPLATE:
        words = _MARKS.sub(" ", plain.lower()).strip()
        # A system writes "Customer didn't"; the apostrophe must not part it.
        said = _MARKS.sub(" ", plain.lower().replace("'", "").replace("’", "")).strip()
        tight = words if words.isascii() else words.replace(" ", "")
        if rules.template.search(tight) or rules.template.search(said.replace("didnt", "didn't")):
            return Noise.TEMPLATE
        if rules.test.search(tight) or rules.test.search(words):
            return Noise.TEST
        if _says_nothing(plain, tight, rules):
            return Noise.TOO_SHORT
        if is_mash(plain):
            return Noise.GIBBERISH
    return Noise.ADVERTISING if _advertises(plain, rules) else None


def _says_nothing(plain: str, tight: str, rules: NoiseRules) -> bool:
    if _HIDDEN.sub("", plain).strip(" ,.，。") == "" and plain.strip():
        # Nothing but a number or a name that masking took out.
        return True
    if not tight:
        # Marks alone; a picture (👍) is an opinion, and a long row of marks is mash.
        return len(plain.strip()) < 6 and not any(
            unicodedata.category(sign) in ("So", "Sk") for sign in plain
        )
    if tight in rules.nothing:
        return True
    if tight.isdigit():
        return len(tight) < 4
    return tight.isascii() and len(tight) < 3 and tight not in rules.meaning_short


def _advertises(plain: str, rules: NoiseRules) -> bool:
    strong = rules.strong.search(plain) is not None
    if not strong and not (rules.contact.search(plain) and rules.lure.search(plain)):
        return False
    return rules.told.search(plain) is None
