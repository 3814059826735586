"""Hands moved over keys: told from words by rows of keys, missing vowels, repeats and rare characters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

_MARKS: Final = re.compile(r"[\W_]+")
_LATIN: Final = re.compile(r"[a-z]+")
_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
_REPEATED: Final = re.compile(r"^(.{1,6}?)\1{2,}.{0,5}$")
_RUNS: Final = re.compile(r"(.)\1+")
_VOWELS: Final = frozenset("aeiouy")
_INTERJECTIONS: Final = frozenset("嘎哈啊噶呃哦嗯呀哇呵嘿嘻咯啦几就")
# Above this share of a text's letters mash is what the text is.
_MOSTLY: Final = 0.6


@dataclass(frozen=True)
class MashWords:
    """The word lists of `noise.yaml`."""

    fragments: re.Pattern[str]
    words: frozenset[str]
    rows: tuple[str, ...]
    spoken: frozenset[str]
    said_often: frozenset[str]


def is_mash(text: str) -> bool:
    """Whether a text (in NFKC, not a long one) is mash or filler rather than words.

    Marks or digits alone; one sign over and over; fragments that input methods make of mash; mostly
    characters outside the commonest 3,755 (level 1 of GB 2312); Latin letters that run along a row of keys,
    or words of four letters and more without a vowel.
    """
    bare = _MARKS.sub("", text.lower())
    if not bare:
        return len(text.strip()) >= 6 and all(
            ord(sign) < 0x2190 or 0x3000 <= ord(sign) < 0xFFFF for sign in text
        )
    if bare.isdigit():
        return len(bare) >= 7 or (len(bare) >= 4 and len(set(bare)) == 1)
    return _repeats(bare) or _han_mash(bare) or _latin_mash(text.lower(), bare)


@cache
def _words() -> MashWords:
    loaded: Mapping[str, Any] = yaml.safe_load(
        Path(__file__).with_name("noise.yaml").read_text(encoding="utf-8")
    )["mash"]
    fragments = sorted((str(one) for one in loaded["fragments"]), key=len, reverse=True)
    rows = tuple(str(row) for row in loaded["rows"])
    return MashWords(
        fragments=re.compile("|".join(map(re.escape, fragments))),
        words=frozenset(str(one) for one in loaded["words"]),
        rows=rows + tuple(row[::-1] for row in rows),
        spoken=frozenset(str(one) for one in loaded["spoken"]),
        said_often=frozenset(loaded["said_often"]),
    )


def _repeats(bare: str) -> bool:
    words = _words()
    if len(set(bare)) == 1:
        # Cleaning cuts a long run of one sign down to three.
        least = 3 if bare[0] in _INTERJECTIONS else 5
        return len(bare) >= least and bare[0] not in words.said_often
    found = _REPEATED.match(bare)
    # 垃圾垃圾垃圾 means something; jkljkljkl and blahblahblah do not.
    return found is not None and len(found[1]) >= 3 and found[1].isascii() and _is_key_row(found[1])


def _han_mash(bare: str) -> bool:
    han = "".join(_HAN.findall(bare))
    if len(han) < 5 or len(han) < _MOSTLY * len(bare):
        return False
    covered = sum(len(found) for found in _words().fragments.findall(han))
    if covered >= 0.5 * len(han):
        return True
    if len(han) >= 8 and sum(sign in _INTERJECTIONS for sign in han) >= 0.9 * len(han):
        return True
    return len(han) >= 6 and sum(map(_is_rare, han)) >= 0.7 * len(han)


@cache
def _is_rare(sign: str) -> bool:
    try:
        return sign.encode("gb2312")[0] >= 0xD8
    except UnicodeEncodeError:
        # Traditional characters are not in it, and Taiwan and Hong Kong write them.
        try:
            return sign.encode("big5")[0] >= 0xC9
        except UnicodeEncodeError:
            return True


def _latin_mash(lowered: str, bare: str) -> bool:
    tokens = _LATIN.findall(lowered)
    letters = sum(map(len, tokens))
    if letters < 4 or letters < _MOSTLY * len(bare):
        return False
    mashed = sum(len(token) for token in tokens if _is_token_mash(token))
    return mashed >= _MOSTLY * letters


@cache
def _is_token_mash(token: str) -> bool:
    words = _words()
    if token in words.spoken or len(token) < 3:
        return False
    if len(set(token)) == 1:
        return token[0] not in "zwhmox"
    if len(token) < 4:
        return False
    if token in words.words or _is_key_row(token) or any(_runs_along(token, row) for row in words.rows):
        return True
    once = _RUNS.sub(r"\1", token)
    return len(once) >= 3 and not _VOWELS & set(once) and once not in words.spoken


def _is_key_row(token: str) -> bool:
    words = _words()
    return token in words.words or any(token in row for row in words.rows)


def _runs_along(token: str, row: str) -> bool:
    """Whether five neighbouring keys of a row stand in the token."""
    return any(row[at : at + 5] in token for at in range(len(row) - 4))
