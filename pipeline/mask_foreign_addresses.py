"""Addresses in Latin letters: streets of many countries, boxes, field post, several lines to one address."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from pipeline.mask_latin_words import alternatives, fold, latin_words
from pipeline.mask_spans import Found

_UPPER: Final = "A-Z" + "".join(chr(sign) for sign in range(0xC0, 0x250) if chr(sign).isupper()) + "Α-ΩΆ-Ώ"
_CAP: Final = rf"(?:[{_UPPER}][\w'’.\-]*|\d{{1,3}}(?:st|nd|rd|th)\b)"
_SMALL: Final = (
    r"(?:of|the|de|da|do|das|dos|del|della|di|du|des|la|le|les|l'|van|von|der|den|zum|zur|am|an|im|al|y|e|og)"
)
_GAP: Final = r"(?:[ ]{1,4}|,[ ]{0,3})"
_LINE: Final = r"(?:\s{0,4},?\s{1,8}[>?]*[ ]?|[ ]?,[ ]{0,3})"
_POSTCODE: Final = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|(?:[A-Z]{1,2}[\- ])?\d{5}(?:-\d{4})?|\d{4} ?[A-Z]{2}"
    r"|\d{2}-\d{3}|\d{5}-\d{3}|\d{3} \d{2}|\d{3}-\d{4}|\d{4,6})(?!\d)"
)


class _Patterns(NamedTuple):
    street: re.Pattern[str]
    lead: re.Pattern[str]
    tail: re.Pattern[str]
    postal: re.Pattern[str]
    unit: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    words = latin_words()
    units = alternatives(words.units)
    unit = rf"(?i:(?:{units})\b\.? ?#?[\w\-]+|# ?\d+\w?)"
    kind = rf"(?:{alternatives(tuple(_capital(word) for word in words.streets))})\b\.?"
    word = rf"(?:{alternatives(tuple(_capital(word) for word in words.street_words))})\b\.?"
    small = rf"(?:{alternatives(words.small_street_words)})\b\.?"
    ending = rf"[{_UPPER}][\w\-]{{2,}}(?:{alternatives(words.street_endings)})"
    name = rf"{_CAP}(?: (?:{_SMALL} ?)?{_CAP}){{0,3}}"
    number = r"\d{1,6}[A-Za-z]?(?:[\-/]\d{1,4}[A-Za-z]?)?\.?"
    free = r"(?<![\w.$£€#\-/:])"
    military = rf"(?i:{alternatives(words.military)}) \d{{2,5}},? (?:Box|BOX) \d{{1,5}}|US(?:NS|S|CGC|NV) {_CAP}(?=\s+[ADF]PO)"
    # 12 Oak Street; 6750 Koskikatu 25; Rue de Virton 38; Villacher Strasse 89; 19902 Dobrovskeho 1394 Apt. 066
    numbered = rf"\d{{1,6}}[A-Za-z]?(?:-\d{{1,4}})?,? (?:\d{{1,4}} )?(?:[NSEW]\.? |(?:North|South|East|West) )?(?:{_CAP} (?:{_SMALL} )?){{1,4}}?{kind}(?! (?:[a-z]+ed|was|were|is)\b)"
    numbers = r"(?:\d{1,6} ){0,2}"
    worded = rf"{numbers}(?:(?:{_CAP} ){{0,3}}?{word} (?:{_SMALL} ?)?(?:{name} ?)?|(?:{_CAP} ){{1,3}}?{small} ){number}"
    ended = rf"(?:\d{{1,6}} )?(?:{_CAP} ){{0,2}}{ending} {number}"
    lower = r"\b\d{1,6} [a-z]+ (?:street|avenue|boulevard|blvd|ave)\b"
    boxed = rf"(?:\d{{1,6}} )?(?i:p\.? ?o\.? ?box|postbox|postboks|postfach|apartado|casella postale|boîte postale|bp) ?\d{{1,6}}\b"
    united = rf"\d{{1,6}} (?:{name}|\d{{1,5}}[ ,]+{name})(?: {number})?(?={_LINE}{unit})"
    corner = rf"(?i:corner of) (?:\d{{1,5}} )?{name}(?: \d{{1,5}})? and (?:\d{{1,5}} )?{name}"
    posted = rf"\d{{1,6}} {name}(?: {number})?(?={_LINE}{name}(?:{_LINE}|[ ])(?:[A-Z]{{2}}\b,? ?)?\d{{5}}\b)"
    street = re.compile(
        rf"{free}(?:{military}|{boxed}|{numbered}|{worded}|{ended}|{lower}|{united}|{posted})|\b{corner}|\b[A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}}\b"
        rf"|(?<=[a-z] ){name} (?:Street|St\.|Avenue|Ave\.|Road|Rd\.|Lane|Drive|Boulevard|Blvd\.?) \d{{1,5}}\b"
    )
    lead = re.compile(
        rf"(?i:\b(?:{alternatives(words.lead)}))[ \n]*(?P<place>(?:(?i:the corner of|flat|apt\.?|unit|room|no\.?) )*"
        rf"(?=[^\n.!?]{{0,60}}\d)(?:\d{{1,6}}[A-Za-z]?,? ){{0,2}}(?!(?i:{alternatives(tuple(words.not_places))})\b)"
        rf"(?:{name}|[a-z]+ [a-z]+(?=,))(?: {number})?)"
    )
    # A city or a country goes with an address only after a comma or on a new line, or before a postcode.
    tail = re.compile(
        rf"{_GAP}{unit}|(?:{_LINE}|[ ])(?:[ADF]PO A[AEP]|[A-Z]{{2,3}})? ?{_POSTCODE}|{_LINE}(?:nan|[A-Z]{{1,2}}|\d{{1,2}})(?=\s*(?:\n|,|$|[ ]\d))"
        rf"|(?:\s{{0,4}},\s{{0,8}}|\s*\n\s*[>?]*[ ]?)(?:{unit}|{name}(?: \({_CAP}\))?(?:[ ]{{1,3}}{_POSTCODE})?)"
        rf"|(?<=\d)[ ]{name}(?=[ ]{_POSTCODE})|(?<=\d)[ ]{name}(?:[ ]{name}|[ ]nan)?(?=\s*(?:$|\n|\.|\?| and | in | for | last ))"
    )
    postal = re.compile(
        rf"(?i:(?<!\w)(?:{alternatives(words.postal_cues)}))[ :：]*(?P<code>(?=[A-Z\- ]{{0,3}}\d)[A-Z0-9]{{2,5}}(?:[ \-][A-Z0-9]{{2,5}})?)(?!\w)"
    )
    return _Patterns(street, lead, tail, postal, re.compile(unit))


def find_foreign_addresses(text: str, add: Callable[[Found], None]) -> None:
    """Report addresses in Latin letters, with the lines that belong to them, and postcodes told as such."""
    patterns = _patterns()
    if not _CALL.search(text):
        return
    reached = 0
    for pattern in (patterns.street, patterns.lead):
        for match in pattern.finditer(text):
            start, end = match.span("place" if pattern is patterns.lead else 0)
            if not _is_place(match.group() if pattern is patterns.street else match["place"]):
                continue
            end = _with_tail(text, end, patterns)
            reached = max(reached, end)
            add(Found(start, end, "ADDRESS"))
    for match in patterns.postal.finditer(text):
        add(Found(match.start("code"), match.end("code"), "ADDRESS"))


# A number beside a word that could be a street, a box, or one of the words that announce a place.
_CALL: Final = re.compile(
    rf"\d[A-Za-z.]?,?\s[>?]*\s?[{_UPPER}a-z(]|[{_UPPER}\w.]\s#?\d|\d[A-Z]{{2}}\b|(?i:box)"
)


def _is_place(found: str) -> bool:
    no_places = latin_words().not_places
    return not any(fold(word.strip(".,")) in no_places for word in found.split()[:3])


def _with_tail(text: str, end: int, patterns: _Patterns) -> int:
    for _ in range(8):
        match = patterns.tail.match(text, end)
        if match is None or match.end() == end:
            return end
        end = match.end()
    return end


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
