"""Reads how people write spans of time, in Chinese and English, into what was said (not yet into dates)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, NamedTuple, get_args

from tools import period_shapes as shapes
from tools.period_points import Point, Reading, points
from tools.period_words import fold, number, unit_name, words

Form = Literal[
    "point", "range", "since", "after", "until", "before", "rolling", "complete", "to_date", "all", "vague"
]

_FORMS: Mapping[str, Form] = {form: form for form in get_args(Form)}


@dataclass(frozen=True)
class Phrase:
    """A whole expression: one point, a range of two, or a length (`count` of `unit`) that ends today."""

    form: Form
    first: Point | None = None
    second: Point | None = None
    unit: str = ""
    count: int = 1


class Found(NamedTuple):
    """Where a phrase stands in a text."""

    start: int
    end: int
    phrase: Phrase


def parse(text: str) -> Phrase | None:
    """Read a text that is one expression and nothing else; None where it is not."""
    folded = fold(text)
    lead, tail = shapes.mark("lead").match(folded), shapes.mark("tail").search(folded)
    start, end = (lead.end() if lead else 0), (tail.start() if tail else len(folded))
    for found in sorted(_Reader(folded, text, scanning=False).read(start), key=lambda f: -f.end):
        if folded[found.end : end].strip() == "":
            return found.phrase
    return None


def scan(text: str) -> Iterator[Found]:
    """Find expressions inside a sentence, from left to right, the longest at each place."""
    folded = fold(text)
    reader = _Reader(folded, text, scanning=True)
    position = 0
    for start in shapes.starts().finditer(folded):
        if start.start() < position:
            continue
        best = max(reader.read(start.start()), key=lambda f: f.end, default=None)
        if best is not None:
            yield best
            position = best.end


@cache
def _fixed() -> tuple[tuple[re.Pattern[str], Mapping[str, Phrase]], ...]:
    to_date = {
        word: Phrase("to_date", unit=entry["unit"]) for entry in words()["to_date"] for word in entry["words"]
    }
    vague = {word: Phrase("vague") for word in words()["vague"]}
    whole = {word: Phrase("all") for word in words()["all"]}
    return tuple((re.compile(shapes.either(table)), table) for table in (to_date, vague, whole))


def _length(form: str, match: re.Match[str]) -> Phrase | None:
    written, unit = match["count"], unit_name(match["unit"])
    if written is None:
        return Phrase("rolling", unit=unit) if form == "rolling" else None
    if written in ("半", "half a", "half"):
        halves = {"year": ("month", 6), "month": ("day", 15), "quarter": ("day", 45), "day": ("hour", 12)}
        if unit not in halves:
            return None
        unit, count = halves[unit]
        return Phrase(_FORMS[form], unit=unit, count=count)
    return Phrase(_FORMS[form], unit=unit, count=number(written))


class _Reader:
    """Reads expressions that begin at a given place of one text.

    `scanning`: inside a sentence, where a shape that is too easily something else is left alone.
    """

    def __init__(self, folded: str, original: str, *, scanning: bool) -> None:
        self._text, self._original, self._scanning = folded, original, scanning
        self._seen: dict[int, list[Reading]] = {}

    def read(self, at: int) -> list[Found]:
        """Every expression that begins here."""
        found: list[Found] = []
        # "all" and "ever" name a period only where nothing else is said.
        for pattern, table in _fixed()[: 2 if self._scanning else 3]:
            if match := pattern.match(self._text, at):
                found.append(Found(at, match.end(), table[match[0]]))
        for form, pattern in shapes.forms("lengths"):
            if (match := pattern.match(self._text, at)) and (phrase := _length(form, match)):
                found.append(Found(at, match.end(), phrase))
        found.extend(self._ranges(at))
        found.extend(self._led(at))
        found.extend(self._singles(at))
        if self._scanning and shapes.mark("compared").match(self._text, at):
            return []
        return found

    def _points(self, at: int) -> list[Reading]:
        if at not in self._seen:
            self._seen[at] = list(points(self._text, at))
        return self._seen[at]

    def _alone(self, at: int) -> Iterator[Reading]:
        """Points that stand without a second end."""
        for reading in self._points(at):
            if reading.shape in shapes.only_in_range() or (
                self._scanning and reading.shape in shapes.only_alone()
            ):
                continue
            yield reading

    def _singles(self, at: int) -> Iterator[Found]:
        for point, end, shape in self._alone(at):
            for form, pattern in shapes.forms("trailing"):
                if tail := pattern.match(self._text, end):
                    yield Found(at, tail.end(), Phrase(_FORMS[form], point))
            if self._scanning and not self._meant(at, point, shape):
                continue
            if point.grain == "day" and (tail := shapes.mark("week_tail").match(self._text, end)):
                yield Found(at, tail.end(), Phrase("point", replace(point, grain="week")))
            yield Found(at, self._through(shapes.mark("point_tail"), end), Phrase("point", point))
        if lead := shapes.mark("week_of").match(self._text, at):
            for point, end, _ in self._points(lead.end()):
                if point.grain == "day":
                    yield Found(at, end, Phrase("point", replace(point, grain="week")))

    def _meant(self, at: int, point: Point, shape: str) -> bool:
        """Tell a month from the word `may`, and a year from any four digits, by what stands before."""
        if shape not in ("bare_year", "en_month"):
            return True
        before = re.search(r"([a-z]+)[\s-]+$", self._text[max(0, at - 12) : at])
        cued = before is not None and before[1] in words()["month_cues"]
        if shape == "bare_year":
            # "the 2000 customers" counts them; "the 2014 reviews" are of that year.
            led = (
                before is not None and before[1] == "the" and point.year is not None and point.year % 100 > 0
            )
            return cued or led or self._beside_a_year(at)
        word = re.match(r"[a-z]+", self._text[at:])
        if word is None or word[0] not in words()["ambiguous_months"] or cued or point.year is not None:
            return True
        return (
            self._original[at].isupper() and at > 0 and self._original[:at].rstrip()[-1:] not in tuple(".!?")
        )

    def _beside_a_year(self, at: int) -> bool:
        """2014 vs 2013, 2014比2013."""
        return any(
            m.start() == at or m.end() - 4 == at for m in shapes.mark("year_beside_year").finditer(self._text)
        )

    def _ranges(self, at: int) -> Iterator[Found]:
        lead = shapes.mark("range_lead").match(self._text, at)
        begin = lead.end() if lead else at
        separators = shapes.mark("and") if lead and lead["between"] else shapes.mark("separator")
        for first, end, shape in self._points(begin):
            separator = separators.match(self._text, end)
            if separator is None:
                continue
            if (
                now := shapes.mark("now").match(self._text, separator.end())
            ) and shape not in shapes.only_in_range():
                yield Found(at, now.end(), Phrase("since", first))
            for second, stop, other in self._points(separator.end()):
                if "month_dot_day" in (shape, other) and not self._dotted(begin, shape, other):
                    continue
                if joined := _join(first, second):
                    yield Found(at, self._through(shapes.mark("range_tail"), stop), Phrase("range", *joined))

    def _dotted(self, begin: int, shape: str, other: str) -> bool:
        """10.1-10.15 is two days, unless it follows the word version."""
        before = self._text[max(0, begin - 8) : begin]
        return shape == other and re.search(r"(?:版本?|version|ver|v|分|score)\W*$", before) is None

    def _led(self, at: int) -> Iterator[Found]:
        if lead := shapes.mark("since_lead").match(self._text, at):
            for point, end, _ in self._alone(lead.end()):
                tail = shapes.mark("since_tail").match(self._text, end)
                if tail or lead["sure"]:
                    yield Found(at, tail.end() if tail else end, Phrase("since", point))
        for form, pattern in shapes.forms("leading"):
            if lead := pattern.match(self._text, at):
                for point, end, _ in self._alone(lead.end()):
                    stop = self._through(shapes.mark("until_tail"), end) if form == "until" else end
                    yield Found(at, stop, Phrase(_FORMS[form], point))

    def _through(self, tail: re.Pattern[str], at: int) -> int:
        match = tail.match(self._text, at)
        return match.end() if match and match[0].strip() else at


def _join(first: Point, second: Point) -> tuple[Point, Point] | None:
    """Let each end of a range lend the other what it leaves out; None where the two do not fit."""
    fitted = _open_end(first, second)
    if fitted is None:
        return None
    first, second = fitted
    if second.grain in ("day", "instant") and second.month is None and second.day is not None:
        if first.month is None and first.month_offset is None and first.day is None:
            return None
        second = replace(second, month=first.month, month_offset=first.month_offset)
    lacks_month = first.month is None and first.month_offset is None
    if first.grain in ("day", "instant") and lacks_month and first.day is not None:
        first = replace(first, month=second.month, month_offset=second.month_offset)
    if first.weekday and second.weekday and second.offset is None:
        second = replace(second, offset=first.offset)
    if first.offset is None and second.offset is None:
        if _has_year(first) and not _has_year(second):
            second = replace(second, year=first.year, year_offset=first.year_offset)
        elif _has_year(second) and not _has_year(first):
            first = replace(first, year=second.year, year_offset=second.year_offset)
    return first, second


def _open_end(first: Point, second: Point) -> tuple[Point, Point] | None:
    """Give a bare number (9-10月, Oct 1-15) the grain of the other end."""
    if second.grain == "bare":
        fits = first.grain == "day" and first.month is not None and not second.month and not second.year
        return (first, replace(first, day=second.day, clock=None)) if fits else None
    if first.grain != "bare":
        return first, second
    if second.grain == "day" and second.day is not None and (second.month or first.month):
        return replace(first, grain="day", month=first.month or second.month), second
    if second.grain == "month" and first.month is None and second.month is not None:
        return replace(first, grain="month", month=first.day, day=None), second
    if second.grain == "quarter" and first.month is None and second.number is not None:
        return replace(first, grain="quarter", number=first.day, day=None), second
    return None


def _has_year(point: Point) -> bool:
    return point.year is not None or point.year_offset is not None
