"""Reads how people write spans of time, in Chinese and English, into what was said (not yet into dates).

The words are in `period_words.yaml`; here are the shapes they are put together in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

Grain = Literal[
    "instant", "day", "weekend", "week", "part", "month", "quarter", "half", "year", "holiday", "bare"
]
Form = Literal[
    "point", "range", "since", "after", "until", "before", "rolling", "complete", "to_date", "all", "vague"
]


@dataclass(frozen=True)
class Point:
    """One instant, day, week, month ... as written; what was not written is None.

    `year_offset` is relative to this year, `offset` counts units of `grain` from the current one, `number`
    is the third of a month (1-3), the quarter, the half, or the holiday's index. `last` asks for the latest
    one wholly before the current. `clock` is (hour, minute, second), `utc_offset` minutes.
    """

    grain: Grain
    year: int | None = None
    year_offset: int | None = None
    number: int | None = None
    month: int | None = None
    month_offset: int | None = None
    day: int | None = None
    weekday: int | None = None
    offset: int | None = None
    last: bool = False
    clock: tuple[int, int, int] | None = None
    utc_offset: int | None = None
    ambiguous: bool = False


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


def parse(text: str) -> Phrase | None:
    """Read a text that is one expression and nothing else; None where it is not."""
    folded = fold(text)
    start, end = len(_LEAD.match(folded)[0]), len(folded) - len(_TAIL.search(folded)[0])  # type: ignore[index]
    for candidate in sorted(_parse_at(folded, start, scanning=False), key=lambda f: -f.end):
        if folded[candidate.end : end].strip() == "":
            return candidate.phrase
    return None


def scan(text: str) -> Iterator[Found]:
    """Find expressions inside a sentence, from left to right, the longest at each place."""
    folded = fold(text)
    position = 0
    for start in _starts().finditer(folded):
        if start.start() < position:
            continue
        best = max(_parse_at(folded, start.start(), scanning=True, original=text), key=lambda f: f.end, default=None)
        if best is not None:
            yield best
            position = best.end


_LEAD = re.compile(r"\s*(?:(?:在|于|during|within|throughout|over|in|for|on|of)\s*(?=\S))?(?:the\s+(?!day before|week before|month before|quarter before|year before|previous|period|same|current|first|second|third|fourth|last|past))?")
_TAIL = re.compile(r"(?:的|数据|期间|内|里)?\s*[.,?。，？]?\s*$")
_ZH_NUMBER = "零一二三四五六七八九十两"
_N = rf"(?:\d{{1,4}}|[{_ZH_NUMBER}]{{1,3}})"
_YEAR = r"(?:(?P<year>(?:19|20)\d{2}|(?<!\d)\d{2})\s*年|(?P<yearword>今年|本年|去年|上年|前年))\s*的?\s*"
_MONTH = rf"(?<![\d.第{_ZH_NUMBER}])(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])\s*月(?:份)?"
_DAY = rf"(?P<day>\d{{1,2}}|[{_ZH_NUMBER}]{{1,3}})\s*[日号](?![线店楼门柜窗馆机厅仓])"
_PART = r"(?P<part>上旬|中旬|下旬|初|底|末)"
_TIME = (
    r"(?:(?:t|\s+)(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(?P<zone>z|[+-]\d{2}:?\d{2})?"
    r"|\s*(?P<hour>\d{1,2})\s*(?:点|时(?!间)))?"
)
_EN_YEAR = r"(?:,?\s*(?:of\s+|in\s+|/)?\s*(?:(?P<year>(?:19|20)\d{2})(?!\d)|'(?P<yy>\d{2})|(?P<yearword>this year|last year)))"
_EN_YEAR_FIRST = r"(?:(?:(?P<year>(?:19|20)\d{2})|(?P<yearword>this year|last year))(?:'s|\s*年)?\s*[-/]?\s*)"
_ORDINAL = r"(?P<day>\d{1,2})(?!\d|:|%)(?:st|nd|rd|th)?"
# 上周一共 is "last week in all", not "last Monday".
_WEEKDAY = r"(?P<weekday>[一二三四五六日天末])(?![共个家大条种类次位款些下直样起成均活报常志天半方])"


@cache
def _atoms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    vocabulary = words()
    months = _either(name for names in vocabulary["months"].values() for name in names)
    weekdays = _either(name for names in vocabulary["weekdays"].values() for name in names)
    holidays = _either(name for entry in vocabulary["holidays"] for name in entry["words"])
    relative = _either(name for entry in vocabulary["relative"] for name in entry["words"])
    count, unit = _count(), _unit()
    month_name = rf"(?P<monthname>{months})\.?"
    sources = {
        "iso": rf"(?<![\d.])(?P<year>(?:19|20)\d{{2}})(?P<s>[-/.])(?P<month>\d{{1,2}})(?:(?P=s)(?P<day>\d{{1,2}}))?(?!\d){_TIME}",
        "compact": r"(?<!\d)(?P<year>20\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?!\d)",
        "us": r"(?<!\d)(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<year>(?:19|20)\d{2})(?!\d)",
        "zh_day": rf"(?:{_YEAR})?{_MONTH}\s*的?\s*{_DAY}{_TIME}",
        "zh_part": rf"(?:{_YEAR})?{_MONTH}\s*的?\s*{_PART}",
        "zh_month": rf"(?:{_YEAR})?{_MONTH}",
        "zh_month_day": rf"(?P<monthword>本月|这个月|上上个?月|上个?月)\s*的?\s*(?:{_PART}|{_DAY})",
        "zh_quarter": rf"(?:{_YEAR})?(?:第\s*(?P<quarter>[一二三四1-4])\s*季度?|(?<![\d{_ZH_NUMBER}近])(?P<quarter2>[一二三四1-4])\s*季度)",
        "zh_half": rf"(?:{_YEAR})?(?P<half>上半年|下半年)",
        "zh_q": rf"{_YEAR}(?P<quarter>q[1-4]|h[12])(?![a-z\d])",
        "zh_year": r"(?<!\d)(?P<year>(?:19|20)\d{2})\s*年度?(?!\s*\d)",
        "q_year": rf"(?<![a-z\d])(?P<quarter>q[1-4]|h[12])(?![a-z\d]){_EN_YEAR}?",
        "year_q": rf"(?<!\d){_EN_YEAR_FIRST}(?P<quarter>q[1-4]|h[12])(?![a-z\d])",
        "en_quarter": rf"(?:the\s+)?(?P<quarter>first|second|third|fourth|last|1st|2nd|3rd|4th)\s+quarter\s+of(?:\s+the\s+year|{_EN_YEAR})"

        "en_quarter_bare": rf"(?:the\s+)?(?P<quarter>first|second|third|fourth|1st|2nd|3rd|4th)\s+quarter(?![a-z]){_EN_YEAR}?",
        "en_half": rf"(?:the\s+)?(?P<half>first|second|1st|2nd)\s+half(?:\s+of(?:\s+the\s+year)?)?(?![a-z])(?!\s+of\s+{month_name.replace('?P<monthname>', '?:')}){_EN_YEAR}?",
        "en_month_day": rf"{month_name}\s+(?:the\s+)?{_ORDINAL}(?![a-z]){_EN_YEAR}?",
        "en_day_month": rf"(?<![\d.])(?:the\s+)?{_ORDINAL}\s+(?:of\s+)?{month_name}{_EN_YEAR}?",
        "en_month": rf"(?<![a-z])(?:(?P<enpart>early|mid|late)[-\s]+)?(?:(?P<last>last|this)\s+)?{month_name}{_EN_YEAR}?",
        "zh_weekday": rf"(?P<weekword>上上|上|本|这)(?:一|个)?(?:周|星期|礼拜){_WEEKDAY}",
        "en_weekday": rf"(?<![a-z])(?P<enweekword>last|this|on)\s+(?P<enweekday>{weekdays}|weekend)(?![a-z])",
        "ago": rf"(?<![\d.a-z{_ZH_NUMBER}近去])(?P<count>{count})\s*(?P<unit>{unit})\s*(?:以前|之前|前(?![一二三四五六七八九十两\d])|\s+ago)",
        "holiday": rf"(?:{_YEAR})?(?<![a-z\d])(?P<holiday>{holidays})(?![a-z\d])(?:假期|大促|活动)?{_EN_YEAR}?".replace(
            _EN_YEAR, _EN_YEAR.replace("year>", "year2>").replace("yearword>", "yearword2>")
        ),
        "relative": rf"(?P<relative>{relative})",
        "bare_year": r"(?<![\d.\-/])(?P<year>(?:19|20)\d{2})(?![\d%]|[-/.]\d)",
        "month_dot_day": r"(?<![\d./v])(?P<month>1[0-2]|0?[1-9])[./](?P<day>3[01]|[12]\d|0?[1-9])(?![\d/%]|\.\d)",
        "zh_day_only": _DAY,
        "en_day_only": r"(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)(?![a-z])",
        "zh_weekday_only": rf"(?:周|星期|礼拜){_WEEKDAY}",
        "en_weekday_only": rf"(?<![a-z])(?P<enweekday>{weekdays})(?![a-z])",
        "open": rf"(?:{_YEAR})?(?:{_MONTH}\s*的?\s*)?(?P<bare>\d{{1,2}}|[{_ZH_NUMBER}]{{1,3}})(?![\da-z.%:])",
        "en_open": rf"{month_name}\s+(?P<bare>\d{{1,2}})(?![\d%:])",
    }
    return tuple((name, re.compile(source)) for name, source in sources.items())


# In a sentence these are too easily something else (a score, a version, a weekday in general).
_ONLY_ALONE = frozenset({"us", "month_dot_day", "zh_day_only", "en_day_only", "zh_weekday_only", "en_weekday_only"})
_ONLY_IN_RANGE = frozenset({"open", "en_open"})
_SEPARATOR = re.compile(r"\s*(?:直?到|至|~|～|—+|–|-|\.\.+|\bto\b|\buntil\b|\btill\b|\bthrough\b|\bthru\b)\s*(?:了)?")
_AND = re.compile(r"\s*(?:和|与|到|至|-|~|\band\b)\s*")
_NOW = re.compile(r"(?:现在|目前|如今|今(?!天|日|年)|now(?![a-z])|present(?![a-z])|date(?![a-z]))")
_RANGE_LEAD = re.compile(r"(?:从|自|在|(?P<between>\bbetween\s+)|\bfrom\s+)\s*")
_RANGE_TAIL = re.compile(r"\s*(?:期间|之间|为止|这段时间)?")
_POINT_TAIL = re.compile(r"\s*(?:整个?月|全[月年]|一整[月年]|期间|假期)?")
_SINCE_LEAD = re.compile(
    r"(?P<sure>自从|自(?=[\d一-鿿])|\bsince\s+|\bstarting\s+(?:from|in|on)?\s*|\bfrom\s+(?=.{1,40}\bon(?:wards?)?\b))"
    r"\s*(?:the\s+(?:start|beginning)\s+of\s+)?|(?:从|打)\s*"
)
_SINCE_TAIL = re.compile(r"\s*(?:以来|至今|到现在|到今天|到目前|起(?![来床])|开始|之后至今|onwards?\b|on\b|to date\b|to now\b)")
_UNTIL_LEAD = re.compile(r"(?:截至|截止到?|直到|(?<![a-z])(?:until|till|up to|as of)\s+)\s*(?:the end of\s+)?")
_UNTIL_TAIL = re.compile(r"\s*(?:为止|止|底)?")
_BEFORE_LEAD = re.compile(r"(?<![a-z])(?:before|prior to)\s+")
_BEFORE_TAIL = re.compile(r"\s*(?:之前|以前|前(?![一二三四五六七八九十两几\d]))")
_AFTER_LEAD = re.compile(r"(?<![a-z])after\s+")
_AFTER_TAIL = re.compile(r"\s*(?:之后|以后)(?!至今)")
_WEEK_OF = re.compile(r"(?:the\s+)?week\s+(?:of|starting|beginning)\s+")
_WEEK_TAIL = re.compile(r"\s*(?:那一?周|所在的?周|当周|那个星期)")


def _either(names: Any) -> str:
    """An alternation, longest first; a Latin word must stand alone, a Chinese one may touch anything."""
    return "|".join(
        ("(?<![a-z])" if name[0].isascii() and name[0].isalpha() else "")
        + re.escape(name)
        + ("(?![a-z])" if name[-1].isascii() and name[-1].isalpha() else "")
        for name in sorted(map(str, names), key=lambda name: (-len(name), name))
    )


def _count() -> str:
    return rf"{_N}|{_either(words()['numbers'])}"


def _unit() -> str:
    return _either(name for names in words()["units"].values() for name in names)


@cache
def _starts() -> re.Pattern[str]:
    return re.compile(
        r"\d|[零一二三四五六七八九十两近最过前这上本当今昨大去自从打截直第春国双五元中端清圣劳年月季全所历有下在半]|(?<![a-z])[a-z]"
    )


@cache
def _lengths() -> tuple[tuple[Form, re.Pattern[str]], ...]:
    count, unit = _count(), _unit()
    zh = rf"(?:的\s*)?\s*(?P<count>{count}|半)\s*(?P<unit>{unit})(?!之?前|以前|[度日月份号])(?:以来|之?内|里|来|间)?"
    en = rf"\s+(?:(?P<count>{count}|half a|half)\s+)?(?:full\s+|whole\s+|complete\s+|calendar\s+)?(?P<unit>{unit})(?![a-z])"
    return (
        ("rolling", re.compile(rf"(?:最近|近|过去|过往|前|这)\s*{zh}")),
        ("complete", re.compile(rf"(?<!以)(?:上|此前)\s*{zh}")),
        ("rolling", re.compile(rf"(?<![a-z])(?:the\s+)?(?:last|past|recent|most recent|trailing|latest){en}")),
        ("complete", re.compile(rf"(?<![a-z])(?:the\s+)?(?:previous|prior|preceding){en}")),
    )


@cache
def _fixed() -> tuple[tuple[re.Pattern[str], Mapping[str, Phrase]], ...]:
    to_date = {word: Phrase("to_date", unit=entry["unit"]) for entry in words()["to_date"] for word in entry["words"]}
    whole = {word: Phrase("all") for word in words()["all"]}
    vague = {word: Phrase("vague") for word in words()["vague"]}
    return tuple(
        (re.compile(_either(table)), table) for table in (to_date, vague, whole)
    )


def _parse_at(text: str, at: int, *, scanning: bool, original: str = "") -> list[Found]:
    found: list[Found] = []
    fixed = _fixed()[:2] if scanning else _fixed()
    for pattern, table in fixed:
        if match := pattern.match(text, at):
            found.append(Found(at, match.end(), table[match[0]]))
    for form, pattern in _lengths():
        if (match := pattern.match(text, at)) and (phrase := _length(form, match)):
            found.append(Found(at, match.end(), phrase))
    found.extend(_ranges(text, at, scanning))
    found.extend(_edges(text, at, scanning))
    found.extend(_singles(text, at, scanning, original))
    return found


def _length(form: Form, match: re.Match[str]) -> Phrase | None:
    written, unit = match["count"], _unit_name(match["unit"])
    if written is None:
        return Phrase("rolling", unit=unit) if form == "rolling" else None
    if written in ("半", "half a", "half"):
        halves = {"year": ("month", 6), "month": ("day", 15), "quarter": ("day", 45), "day": ("hour", 12)}
        if unit not in halves:
            return None
        unit, count = halves[unit]
        return Phrase(form, unit=unit, count=count)
    return Phrase(form, unit=unit, count=number(written))


def _singles(text: str, at: int, scanning: bool, original: str) -> Iterator[Found]:
    for point, end, name in _points(text, at):
        if name in _ONLY_IN_RANGE or (scanning and name in _ONLY_ALONE):
            continue
        if scanning and not _meant(text, at, point, name, original):
            continue
        if point.grain == "day" and (tail := _WEEK_TAIL.match(text, end)):
            yield Found(at, tail.end(), Phrase("point", replace(point, grain="week")))
        yield Found(at, _POINT_TAIL.match(text, end).end(), Phrase("point", point))  # type: ignore[union-attr]
    if lead := _WEEK_OF.match(text, at):
        for point, end, _ in _points(text, lead.end()):
            if point.grain == "day":
                yield Found(at, end, Phrase("point", replace(point, grain="week")))


def _meant(text: str, at: int, point: Point, name: str, original: str) -> bool:
    """Tell a month from the word `may`, and a year from any four digits, by what stands before."""
    if name not in ("bare_year", "en_month"):
        return True
    before = re.search(r"([a-z]+)[\s-]+$", text[max(0, at - 12) : at])
    cued = before is not None and before[1] in words()["month_cues"]
    if name == "bare_year":
        return cued
    word = re.match(r"[a-z]+", text[at:])
    if word is None or word[0] not in words()["ambiguous_months"] or cued or point.year is not None:
        return True
    return original[at : at + 1].isupper() and at > 0 and original[at - 2 : at - 1] not in ".!?"


def _ranges(text: str, at: int, scanning: bool) -> Iterator[Found]:
    lead = _RANGE_LEAD.match(text, at)
    begin = lead.end() if lead else at
    separator_pattern = _AND if lead and lead["between"] else _SEPARATOR
    for first, end, name in _points(text, begin):
        separator = separator_pattern.match(text, end)
        if separator is None:
            continue
        if now := _NOW.match(text, separator.end()):
            if name not in _ONLY_IN_RANGE:
                yield Found(at, now.end(), Phrase("since", first))
            continue
        for second, stop, second_name in _points(text, separator.end()):
            if scanning and "month_dot_day" in (name, second_name) and not _dotted_dates(text, begin, name, second_name):
                continue
            if joined := _join(first, second):
                tail = _RANGE_TAIL.match(text, stop)
                yield Found(at, tail.end() if tail else stop, Phrase("range", *joined))


def _dotted_dates(text: str, begin: int, name: str, second: str) -> bool:
    """10.1-10.15 is two days, unless it follows the word version."""
    before = text[max(0, begin - 8) : begin]
    return name == second and re.search(r"(?:版本?|version|ver|v|分|score)\W*$", before) is None


def _edges(text: str, at: int, scanning: bool) -> Iterator[Found]:
    def points(start: int) -> Iterator[tuple[Point, int]]:
        for point, end, name in _points(text, start):
            if name not in _ONLY_IN_RANGE and not (scanning and name in _ONLY_ALONE):
                yield point, end

    if lead := _SINCE_LEAD.match(text, at):
        for point, end in points(lead.end()):
            tail = _SINCE_TAIL.match(text, end)
            if tail or lead["sure"]:
                yield Found(at, tail.end() if tail else end, Phrase("since", point))
    if lead := _UNTIL_LEAD.match(text, at):
        for point, end in points(lead.end()):
            yield Found(at, _UNTIL_TAIL.match(text, end).end(), Phrase("until", point))  # type: ignore[union-attr]
    for leading, form in ((_BEFORE_LEAD, "before"), (_AFTER_LEAD, "after")):
        if lead := leading.match(text, at):
            for point, end in points(lead.end()):
                yield Found(at, end, Phrase(form, point))  # type: ignore[arg-type]
    for point, end in points(at):
        for tail_pattern, form in ((_SINCE_TAIL, "since"), (_BEFORE_TAIL, "before"), (_AFTER_TAIL, "after")):
            if (tail := tail_pattern.match(text, end)) and not text[end : tail.end()].strip().startswith("on"):
                yield Found(at, tail.end(), Phrase(form, point))  # type: ignore[arg-type]
            elif (tail := tail_pattern.match(text, end)) and text[end : tail.end()].strip().startswith("onward"):
                yield Found(at, tail.end(), Phrase(form, point))  # type: ignore[arg-type]


def _join(first: Point, second: Point) -> tuple[Point, Point] | None:
    """Let each end of a range lend the other what it leaves out."""
    if first.grain == "bare" and second.grain == "bare":
        return None
    if second.grain == "bare":
        if first.grain != "day" or first.month is None or second.month or second.year:
            return None
        second = replace(first, day=second.day, clock=None)
    elif first.grain == "bare":
        if second.grain == "day" and second.month is not None and second.day is not None:
            first = replace(first, grain="day", month=first.month or second.month)
        elif second.grain == "month" and first.month is None and second.month is not None:
            first = replace(first, grain="month", month=first.day, day=None)
        elif second.grain == "quarter" and first.month is None and second.number is not None:
            first = replace(first, grain="quarter", number=first.day, day=None)
        else:
            return None
    if second.grain == "day" and second.month is None and second.day is not None:
        if first.month is None and first.month_offset is None and first.day is None:
            return None
        second = replace(second, month=first.month, month_offset=first.month_offset)
    if first.grain == "day" and first.month is None and first.day is not None and first.month_offset is None:
        first = replace(first, month=second.month, month_offset=second.month_offset)
    if first.weekday and second.weekday and second.offset is None:
        second = replace(second, offset=first.offset)
    has_year = (first.year is not None or first.year_offset is not None, second.year is not None or second.year_offset is not None)
    dated = first.offset is None and second.offset is None
    if dated and has_year == (True, False):
        second = replace(second, year=first.year, year_offset=first.year_offset)
    elif dated and has_year == (False, True):
        first = replace(first, year=second.year, year_offset=second.year_offset)
    return first, second


def _points(text: str, at: int) -> Iterator[tuple[Point, int, str]]:
    for name, pattern in _atoms():
        if (match := pattern.match(text, at)) and (point := _point(name, match)):
            yield point, match.end(), name


def _point(name: str, match: re.Match[str]) -> Point | None:
    said = {key: value for key, value in match.groupdict().items() if value is not None}
    if "relative" in said:
        unit, offset = _relative()[said["relative"]]
        return Point(unit, offset=offset)
    if name == "ago":
        unit = _unit_name(said["unit"])
        return None if unit == "hour" else Point(unit, offset=-number(said["count"]))  # type: ignore[arg-type]
    if "weekday" in said or "enweekday" in said:
        return _weekday(said)
    if name == "us":
        return _slashed(int(said["a"]), int(said["b"]), int(said["year"]))
    year, year_offset = _year(said)
    if "holiday" in said:
        return Point("holiday", year=year, year_offset=year_offset, number=_holidays()[said["holiday"]])
    month = number(said["month"]) if "month" in said else _month_names().get(said.get("monthname", ""))
    point = Point("year", year=year, year_offset=year_offset, month=month, last=said.get("last") == "last")
    if "monthword" in said:
        point = replace(point, month_offset=-said["monthword"].count("上"))
    if "bare" in said:
        return replace(point, grain="bare", day=number(said["bare"]))
    if "half" in said or said.get("quarter", "").startswith("h"):
        return replace(point, grain="half", number=_half(said))
    if "quarter" in said or "quarter2" in said:
        return replace(point, grain="quarter", number=_ordinal(said.get("quarter") or said["quarter2"]))
    if "part" in said or "enpart" in said:
        return replace(point, grain="part", number=_PARTS[said.get("part") or said["enpart"]])
    if "day" in said:
        return _with_clock(replace(point, grain="day", day=number(said["day"])), said)
    return replace(point, grain="month") if month is not None else point


_PARTS = {"上旬": 1, "初": 1, "early": 1, "中旬": 2, "mid": 2, "下旬": 3, "底": 3, "末": 3, "late": 3}


def _with_clock(point: Point, said: Mapping[str, str]) -> Point:
    if "hour" in said:
        return replace(point, grain="instant", clock=(int(said["hour"]), 0, 0))
    if "clock" not in said:
        return point
    parts = [int(part) for part in said["clock"].split(":")] + [0]
    zone, offset = said.get("zone"), None
    if zone == "z":
        offset = 0
    elif zone:
        digits = zone[1:].replace(":", "")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    return replace(point, grain="instant", clock=(parts[0], parts[1], parts[2]), utc_offset=offset)


def _weekday(said: Mapping[str, str]) -> Point:
    if "weekday" in said:
        offset = {"上上": -2, "上": -1, "本": 0, "这": 0}.get(said.get("weekword", ""))
        if said["weekday"] == "末":
            return Point("weekend", offset=offset or 0, last="weekword" not in said)
        return Point("day", weekday="一二三四五六日".find(said["weekday"].replace("天", "日")) + 1, offset=offset)
    if said["enweekday"] == "weekend":
        return Point("weekend", offset=-1 if said["enweekword"] == "last" else 0)
    offset = 0 if said.get("enweekword") == "this" else None
    names = {name: day for day, spellings in words()["weekdays"].items() for name in spellings}
    return Point("day", weekday=names[said["enweekday"]], offset=offset, last=True)


def _slashed(a: int, b: int, year: int) -> Point:
    if a > 12:
        return Point("day", year=year, month=b, day=a)
    return Point("day", year=year, month=a, day=b, ambiguous=b <= 12 and a != b)


def _year(said: Mapping[str, str]) -> tuple[int | None, int | None]:
    if word := said.get("yearword") or said.get("yearword2"):
        return None, {"今年": 0, "本年": 0, "this year": 0, "去年": -1, "上年": -1, "last year": -1, "前年": -2}[word]
    written = said.get("year") or said.get("year2") or said.get("yy")
    if written is None:
        return None, None
    return (2000 + int(written) if len(written) == 2 else int(written)), None


def _ordinal(word: str) -> int:
    return {"first": 1, "second": 2, "third": 3, "fourth": 4}.get(word) or number(re.sub(r"^q|st$|nd$|rd$|th$", "", word))


def _half(said: Mapping[str, str]) -> int:
    word = said.get("half") or said["quarter"]
    return 1 if word in ("上半年", "first", "1st", "h1") else 2


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
def _relative() -> Mapping[str, tuple[Grain, int]]:
    return {word: (entry["unit"], entry["offset"]) for entry in words()["relative"] for word in entry["words"]}


@cache
def _holidays() -> Mapping[str, int]:
    return {str(word): index for index, entry in enumerate(words()["holidays"]) for word in entry["words"]}


@cache
def _month_names() -> Mapping[str, int]:
    return {name: int(month) for month, names in words()["months"].items() for name in names}


def _unit_name(word: str) -> str:
    for unit, names in words()["units"].items():
        if word in names:
            return str(unit)
    raise KeyError(word)
