"""Personal data out, typed placeholders in: `[PHONE]`, `[NAME]`, `[BANK_CARD]` ...

Three grades (identity, account, transaction) say what kind of harm a disclosure does. Masking goes by shape
and context, is idempotent, and runs before anything is stored, embedded, shown to a model, or logged.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from pipeline.mask_find import find_personal, settle
from pipeline.mask_spans import Found, Grade, Span, mask_words

__all__ = ["ALL_GRADES", "Grade", "Masked", "Span", "mask", "mask_texts"]

ALL_GRADES: Final[frozenset[Grade]] = frozenset(("identity", "account", "transaction"))
_PIECE: Final = 2000
_CUTS: Final = "\n。！？!?；;"
_UNCUTTABLE: Final = re.compile(r"[\w@.+ ·\-]", re.ASCII)


class Masked(NamedTuple):
    """The text with placeholders, and what was hidden where: spans count code points of the text given."""

    text: str
    spans: tuple[Span, ...]


def mask_texts(texts: Sequence[str], grades: Collection[Grade] = ALL_GRADES) -> list[str]:
    """Mask each text; same length and order. Texts without any trigger are returned as they are."""
    return [mask(text, grades).text for text in texts]


def mask(text: str, grades: Collection[Grade] = ALL_GRADES) -> Masked:
    """Replace the personal data of `grades` by typed placeholders.

    Applied to its own result it changes nothing. Spans do not overlap and are in order.
    """
    if len(text) > _PIECE:
        return _mask_long(text, grades)
    spans = _find(text, grades)
    if not spans:
        return Masked(text, ())
    # A removed number may uncover another one beside it: repeat on the result until nothing is found.
    while True:
        masked, origin = _replace(text, spans)
        further = _find(masked, grades)
        if not further:
            break
        merged = spans + [Found(origin[one.start], origin[one.end - 1] + 1, one.type) for one in further]
        grown = settle(merged)
        if grown == spans:
            break
        spans = grown
    known = mask_words().grades
    return Masked(masked, tuple(Span(one.start, one.end, one.type, known[one.type]) for one in spans))


def _find(text: str, grades: Collection[Grade]) -> list[Found]:
    found = find_personal(text)
    if not found or len(grades) == len(ALL_GRADES):
        return found
    known = mask_words().grades
    return [one for one in found if known[one.type] in grades]


def _mask_long(text: str, grades: Collection[Grade]) -> Masked:
    """Mask piece by piece (whole sentences where there are any): some rules take the square of the length."""
    pieces: list[str] = []
    spans: list[Span] = []
    at = 0
    while at < len(text):
        end = min(at + _PIECE, len(text))
        if end < len(text):
            end = _cut(text, at, end)
        found = mask(text[at:end], grades)
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
