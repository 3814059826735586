"""Personal data out, typed placeholders in: `[PHONE]`, `[NAME]`, `[BANK_CARD]` ...

Three grades (identity, account, transaction) say what kind of harm a disclosure does. Masking goes by shape
and context, is idempotent, and runs before anything is stored, embedded, shown to a model, or logged.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from pipeline.mask_addresses import find_addresses, find_english_addresses
from pipeline.mask_names import find_names
from pipeline.mask_numbers import find_email, find_handles, find_numbers
from pipeline.mask_spans import Found, Grade, Span, mask_words

__all__ = ["Grade", "Masked", "Span", "mask", "mask_texts"]

_CHINESE_DIGITS: Final = {
    sign: digit
    for digit, signs in enumerate(
        ("〇零", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for sign in signs
}
_SPOKEN: Final = re.compile(rf"(?:[{''.join(_CHINESE_DIGITS)}\d][ \-.,，、]?){{7,40}}")
_ODD_DIGIT: Final = re.compile(r"[^\x00-\u00b1\u00b4-\u00b8\u3001-\u3020\u302a-\u321f\u3400-\u9fff]")
# Three digits close together: fewer make no number worth hiding (addresses have a test of their own).
_DIGITS: Final = re.compile(r"\d(?:[^\d\n]{0,2}\d){2}|\*{4}\d")
_ENGLISH_PLACE: Final = re.compile(r"\d[A-Za-z]?,? [A-Za-z]|\d[A-Z]{2}\b|(?i:box \d)")
_CHINESE_PLACE: Final = re.compile(
    r"[路街巷弄道村区园苑厦寓场心组]\D{0,8}[\d一二三四五六七八九十]|\d(?:栋|幢|号楼|座)"
)
_SECRET_CUE: Final = re.compile(r"\d\D{0,2}\d|[A-Z]{6}")
_PIECE: Final = 2000
_CUTS: Final = "\n。！？!?；;"
_UNCUTTABLE: Final = re.compile(r"[\w@.+ ·\-]", re.ASCII)
_AT_SIGN, _HANDLE, _PLACE, _TOLD_PLACE, _SECRET, _NAME = 1, 2, 4, 8, 16, 32
_TRIGGERS: Final = {
    _AT_SIGN: "@ (at) [at] 【at】",
    _HANDLE: "微信 薇信 威信 加v v信 wechat weixin wx vx qq 扣扣 抠抠 企鹅号 q号 q群",
    _PLACE: "路 街 巷 弄 道 村 小区 花园 家园 苑 厦 公寓 广场 中心 组 栋 幢 号楼 座 国际 宿舍 园",
    _TOLD_PLACE: "地址 住址 住在 我住 家住 寄到 送到 寄往 户籍所在地",
    _SECRET: (
        "密码 口令 码 尾号 末四位 后四位 pin passw passcode cvv cvc otp pnr ending last_four last_4 code pwd"
    ),
    _NAME: (
        "mr mrs ms miss mx dr prof sir madam mister professor doctor name i_am i'm this_is call_me"
        " regards sincerely dear called attn served_by helped_by spoke talked signed holder thanks,"
        " passenger guest contact_person it's"
    ),
}


class Masked(NamedTuple):
    """The text with placeholders, and what was hidden where: spans count code points of the text given."""

    text: str
    spans: tuple[Span, ...]


def mask_texts(texts: Sequence[str]) -> list[str]:
    """Mask each text; same length and order. Texts without any trigger are returned as they are."""
    return [mask(text).text for text in texts]


def mask(text: str) -> Masked:
    """Replace personal data by typed placeholders.

    Applied to its own result it changes nothing. Spans do not overlap and are in order.
    """
    if len(text) > _PIECE:
        return _mask_long(text)
    spans = _find(text)
    if not spans:
        return Masked(text, ())
    # A removed number may uncover another one beside it: repeat on the result until nothing is found.
    while True:
        masked, origin = _replace(text, spans)
        further = _find(masked)
        if not further:
            break
        merged = spans + [Found(origin[one.start], origin[one.end - 1] + 1, one.type) for one in further]
        grown = _settle(merged)
        if grown == spans:
            break
        spans = grown
    grades = mask_words().grades
    return Masked(masked, tuple(Span(one.start, one.end, one.type, grades[one.type]) for one in spans))


def _mask_long(text: str) -> Masked:
    """Mask piece by piece (whole sentences where there are any): some rules take the square of the length."""
    pieces: list[str] = []
    spans: list[Span] = []
    at = 0
    while at < len(text):
        end = min(at + _PIECE, len(text))
        if end < len(text):
            end = _cut(text, at, end)
        found = mask(text[at:end])
        pieces.append(found.text)
        spans += (one._replace(start=one.start + at, end=one.end + at) for one in found.spans)
        at = end
    return Masked("".join(pieces), tuple(spans))


def _cut(text: str, start: int, end: int) -> int:
    """Where a piece that may reach to `end` ends: after a sentence, else not inside a number or a word."""
    last = max(text.rfind(mark, start, end) for mark in _CUTS)
    if last >= 0:
        return last + 1
    for at in range(end, max(start, end - 200), -1):
        if not _UNCUTTABLE.match(text, at - 1):
            return at
    return end


@cache
def _triggers() -> tuple[AhoCorasick, tuple[int, ...]]:
    """One automaton over every literal that can begin a rule, and which rule family each belongs to."""
    words = mask_words()
    flags: dict[str, int] = {}
    for flag, literals in _TRIGGERS.items():
        for literal in literals.split():
            flags[literal.replace("_", " ")] = flag | flags.get(literal, 0)
    for literal in (*words.titles, *words.name_labels, *words.name_leads):
        flags[literal] = _NAME | flags.get(literal, 0)
    return AhoCorasick(list(flags)), tuple(flags.values())


def _find(text: str) -> list[Found]:
    plain = text if text.isascii() else _with_ascii_digits(text)
    automaton, flags = _triggers()
    told = 0
    for index, _, _ in automaton.find_matches_as_indexes(plain.lower(), overlapping=True):
        told |= flags[index]
    found: list[Found] = []
    if _DIGITS.search(plain) or (told & _SECRET and _SECRET_CUE.search(plain)):
        find_numbers(plain, found.append)
    if told & _AT_SIGN:
        find_email(plain, found.append)
    if told & _HANDLE:
        find_handles(plain, found.append)
    if told & _TOLD_PLACE or (told & _PLACE and _CHINESE_PLACE.search(plain)):
        find_addresses(plain, found.append)
    if _ENGLISH_PLACE.search(plain):
        find_english_addresses(plain, found.append)
    if told & _NAME:
        find_names(plain, found.append)
    if found and "[" in text:
        held = [match.span() for match in _placeholder().finditer(text)]
        found = [one for one in found if not any(one.start < end and start < one.end for start, end in held)]
    return _settle(found) if found else found


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(rf"\[(?:{'|'.join(sorted(mask_words().grades))})\]")


def _with_ascii_digits(text: str) -> str:
    """Same length, every written digit as ASCII: full-width, circled, and long spoken runs (一三八...)."""
    text = text.replace("（", "(").replace("）", ")")
    if _ODD_DIGIT.search(text):
        text = "".join(_ascii_sign(sign) for sign in text)
    if _SPOKEN.search(text):
        text = _SPOKEN.sub(
            lambda run: "".join(str(_CHINESE_DIGITS.get(sign, sign)) for sign in run.group()), text
        )
    return text


def _ascii_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    narrow = ord(sign) - 0xFEE0
    return chr(narrow) if 0x21 <= narrow <= 0x7E and sign not in "，！？；：（）" else sign


def _settle(found: list[Found]) -> list[Found]:
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


def _replace(text: str, spans: list[Found]) -> tuple[str, list[int]]:
    """Return the masked text and, for each of its code points, the position in `text` it stands for."""
    pieces: list[str] = []
    origin: list[int] = []
    at = 0
    for start, end, kind in spans:
        pieces += (text[at:start], f"[{kind}]")
        origin += range(at, start)
        origin += [start] * (len(kind) + 2)
        at = end
    pieces.append(text[at:])
    origin += range(at, len(text))
    return "".join(pieces), origin
