"""One look over a text: which rules its words and digits call for, and what those rules find."""

import re
import unicodedata
from functools import cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from pipeline.mask_addresses import find_addresses
from pipeline.mask_foreign_addresses import find_foreign_addresses
from pipeline.mask_free_names import find_free_names
from pipeline.mask_latin_names import find_latin_names
from pipeline.mask_names import find_chinese_names
from pipeline.mask_numbers import Cue, find_numbers
from pipeline.mask_rules import mask_rules
from pipeline.mask_spans import Found, mask_words

_CHINESE_DIGITS: Final = {
    sign: digit
    for digit, signs in enumerate(
        ("〇零", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for sign in signs
}
_SPOKEN: Final = re.compile(rf"(?:[{''.join(_CHINESE_DIGITS)}\d][ \-.,，、]?){{6,40}}")
_DIGIT: Final = re.compile(r"\d")
_NO_DIGIT: Final = re.compile(r"\D+")
_CAPITAL: Final = re.compile(r"[A-ZÀ-ÞĀ-Ž][\w'’.]")
_NAME_SIGN, _PLACE_SIGN, _PLACE_CUE = 1, 2, 4


class _Triggers(NamedTuple):
    """One automaton over every literal that can begin a rule, and what each literal begins."""

    automaton: AhoCorasick
    families: tuple[int, ...]
    cued: tuple[tuple[int, ...], ...]
    marked: tuple[tuple[int, ...], ...]
    word_begins: tuple[bool, ...]
    word_ends: tuple[bool, ...]


class _Narrow(dict[int, str]):
    """Sign to sign, worked out when first met: full-width and circled digits and letters become ASCII."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        digit = unicodedata.digit(sign, None)
        if code >= 0x80 and digit is not None:
            sign = str(digit)
        elif 0xFF01 <= code <= 0xFF5E and sign not in "，！？；：":
            sign = chr(code - 0xFEE0)
        self[code] = sign
        return sign


_NARROW: Final = _Narrow()


class _Called(NamedTuple):
    """What the words of a text call for: families, rules behind their cues, rules by their marks."""

    families: int
    cues: list[Cue]
    marked: set[int]


def find_personal(text: str) -> list[Found]:
    """Return what is personal in `text`: spans in order, none overlapping another or a placeholder."""
    plain = text if text.isascii() else _with_ascii_digits(text)
    called = _called(plain)
    digits = len(_NO_DIGIT.sub("", plain)) if _DIGIT.search(plain) else 0
    found: list[Found] = []
    if digits or called.cues or called.marked:
        rules = mask_rules()
        anywhere = [number for number in called.marked if rules[number].digits <= digits]
        if digits:
            anywhere += [number for number in _free_rules() if rules[number].digits <= digits]
        cues = [cue for cue in called.cues if rules[cue.rule].digits <= digits]
        if anywhere or cues:
            find_numbers(plain, rules, anywhere, cues, found.append)
    latin = _CAPITAL.search(plain) is not None
    if called.families & (_PLACE_SIGN | _PLACE_CUE):
        find_addresses(plain, found.append, told=bool(called.families & _PLACE_CUE))
    if latin and digits:
        find_foreign_addresses(plain, found.append)
    if called.families & _NAME_SIGN:
        find_chinese_names(plain, found.append)
    if not plain.isascii():
        find_free_names(plain, found.append, titled=bool(called.families & _NAME_SIGN))
    if latin or "my name" in plain:
        find_latin_names(plain, found.append)
    if found and "[" in text:
        held = [match.span() for match in placeholder().finditer(text)]
        found = [one for one in found if not any(one.start < end and start < one.end for start, end in held)]
    return settle(found) if found else found


@cache
def placeholder() -> re.Pattern[str]:
    """What stands for personal data in a masked text: `[PHONE]`, and `[PHONE_2]` where pseudonyms are on."""
    return re.compile(rf"\[({'|'.join(sorted(mask_words().grades))})(?:_(\d+))?\]")


def settle(found: list[Found]) -> list[Found]:
    """Merge overlapping finds; the one found first (most specific rule) names the type."""
    order = sorted(range(len(found)), key=lambda at: (found[at].start, -found[at].end))
    groups: list[tuple[int, int, int]] = []
    for at in order:
        one = found[at]
        if groups and one.start < groups[-1][1]:
            start, end, first = groups[-1]
            groups[-1] = (start, max(end, one.end), min(first, at))
        else:
            groups.append((one.start, one.end, at))
    return [Found(start, end, found[first].type) for start, end, first in groups]


@cache
def _triggers() -> _Triggers:
    words = mask_words()
    families: dict[str, int] = {}
    for flag, literals in (
        (_NAME_SIGN, words.name_signs),
        (_PLACE_SIGN, words.place_signs),
        (_PLACE_CUE, words.place_cues),
    ):
        for literal in literals:
            families[literal] = flag | families.get(literal, 0)
    cued: dict[str, list[int]] = {}
    marked: dict[str, list[int]] = {}
    for number, rule in enumerate(mask_rules()):
        for into, given in ((cued, rule.cues), (marked, rule.marks)):
            for literal in given:
                into.setdefault(literal, []).append(number)
    known = tuple(dict.fromkeys((*families, *cued, *marked)))
    return _Triggers(
        AhoCorasick(list(known)),
        tuple(families.get(literal, 0) for literal in known),
        tuple(tuple(cued.get(literal, ())) for literal in known),
        tuple(tuple(marked.get(literal, ())) for literal in known),
        tuple(_is_latin(literal[0]) for literal in known),
        tuple(_is_latin(literal[-1]) for literal in known),
    )


@cache
def _free_rules() -> tuple[int, ...]:
    return tuple(number for number, rule in enumerate(mask_rules()) if not rule.cues and not rule.marks)


def _called(plain: str) -> _Called:
    triggers = _triggers()
    families = 0
    cues: list[Cue] = []
    marked: set[int] = set()
    for index, start, end in triggers.automaton.find_matches_as_indexes(_lower(plain), overlapping=True):
        families |= triggers.families[index]
        behind = triggers.cued[index]
        # "pin" in "shopping" is no cue, nor is "fin" in "fine".
        if behind and not (
            (triggers.word_begins[index] and start and _is_latin(plain[start - 1]))
            or (triggers.word_ends[index] and _is_latin(plain[end : end + 1] or " "))
        ):
            cues += [Cue(number, end) for number in behind]
        if triggers.marked[index]:
            marked.update(triggers.marked[index])
    return _Called(families, cues, marked)


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalpha()


def _lower(text: str) -> str:
    """Lower case of the same length (a capital I with a dot has two signs in lower case)."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := sign.lower()) == 1 else sign for sign in text)


def _with_ascii_digits(text: str) -> str:
    """Same length, every written digit as ASCII: full-width, circled, and long spoken runs (一三八...)."""
    text = text.translate(_NARROW)
    if _SPOKEN.search(text):
        text = _SPOKEN.sub(_spoken, text)
    return text


def _spoken(run: re.Match[str]) -> str:
    """The digits of a run; 三 in 单号12345三天没更新 is no part of the number."""
    told = run.group()
    if sum(sign in _CHINESE_DIGITS for sign in told) == 1 and told[-1] in _CHINESE_DIGITS:
        return told
    return "".join(str(_CHINESE_DIGITS.get(sign, sign)) for sign in told)
