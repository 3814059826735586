"""Small readings of a question: how many are asked for, two ends of a range, two sides of a comparison."""

import re
from collections.abc import Iterable, Sequence

from agent.figures import find_figures, zh_number
from agent.word_matching import ValueHit

_LIMIT = re.compile(
    r"(?:前|top\s*|(?:列|列出|给|看|举)\s*)(\d{1,3})(?!\d)|(?<!\d)(\d{1,3})\s*(?:条|个例|examples?|quotes?|comments?|reviews?|verbatims?)",
    re.I,
)
_WORDED_LIMIT = re.compile(
    r"(?:前|给|来|贴|摘|最[\u4e00-\u9fff]{1,3}的?|给我看?|看|列|举|找)([二两三四五六七八九十]+)(?:个|名|条|大|位|家)"
    r"|\b(?:top|worst|best|lowest|highest)\s+(two|three|four|five|six|seven|eight|nine|ten)\b"
    r"|\b(two|three|four|five|six|seven|eight|nine|ten)\s+(?:\w+\s+)?"
    r"(?:lowest|highest|worst|best|biggest|quotes|comments|reviews|examples|narratives|verbatims|of them"
    r"|please)\b",
    re.IGNORECASE,
)
_ZH_HOUR = re.compile(
    r"(凌晨|早上|上午|中午|下午|傍晚|晚上|夜里)?(?<!\d)(\d{1,2}|[一二两三四五六七八九十]{1,2})点(?!\d|几|评|赞|击|个)(?:钟|整)?"
)
_EN_HOUR = re.compile(r"\b(1[0-2]|[1-9])\s?([ap])\.?m\b", re.IGNORECASE)
_TIME_LIKE = re.compile(
    r"(?:19|20)\d{2}年\s*\d{1,2}\s*月(?:\d{1,2}[日号]?)?|(?<![\d.])\d{1,4}\s*月(?!\d)(?:\d{1,2}[日号])?|(?:19|20)\d{2}年?(?![\d.%])|第?[五六七八九5-9]季度|\b[Qq][5-9]\b"
    r"|\bmonth\s+\d+\b|(?:(?:spring|summer|autumn|fall|winter)(?:\s+of)?\s+)(?:19|20)\d{2}",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?:从|自|由|\b(?:from|since|between))\s*$", re.IGNORECASE)
_UNTIL = re.compile(r"到|至|\b(?:to|through|until|till|thru)\b", re.IGNORECASE)
_SIDE_BY_SIDE = re.compile(
    r"[比和与跟对较]|\b(?:vs|versus|and|against|than|to|from|compared)\b", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d{2}|[今去前]年|(?:this|last) year", re.IGNORECASE)
# Two years, quarters or months; days make a span, not two things to compare.
_DAY = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)?\s+[A-Za-z]{3,}|[A-Za-z]{3,}\s+\d{1,2}\b(?!\d)")
_ENDS = re.compile(
    r"(?:between|from|从|自|在)?\s*((?:(?![日号]).)+?)\s*(?:\band\b|\bto\b|到|至|[-~—–])\s*((?:(?![日号\-/]).)+?)(?:期间|之间)?",
    re.IGNORECASE,
)


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with these spans as blanks; every position stays."""
    chars = list(text)
    for start, end in spans:
        chars[start:end] = " " * (end - start)
    return "".join(chars)


def overlaps(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    """Whether a span shares a place with one of the others."""
    return any(span[0] < end and start < span[1] for start, end in others)


def limit_of(text: str) -> int | None:
    """How many are asked for: top 5, 前三个, 给我看两条."""
    match = _LIMIT.search(text)
    if match:
        return int(match[1] or match[2])
    worded = _WORDED_LIMIT.search(text)
    if worded:
        figures = find_figures(f"{worded[1]}个" if worded[1] else worded[2] or worded[3])
        return round(figures[0].value) if figures else None
    return None


def limit_spans(text: str) -> list[tuple[int, int]]:
    """Where a text says how many."""
    return [match.span() for pattern in (_LIMIT, _WORDED_LIMIT) for match in pattern.finditer(text)]


def hours_of_day(text: str) -> list[ValueHit]:
    """Hours named as such (晚上8点, 8pm), as values 0-23 of `hour`; 几点 asks for one and is none."""
    found = []
    for match in _ZH_HOUR.finditer(text):
        hour = int(match[2]) if match[2].isdigit() else int(zh_number(match[2]))
        if match[1] and match[1] in "下午晚上傍晚夜里" and hour < 12:
            hour += 12
        if hour < 24:
            found.append(ValueHit(*match.span(), "hour", str(hour)))
    for match in _EN_HOUR.finditer(text):
        hour = int(match[1]) % 12 + (12 if match[2].lower() == "p" else 0)
        found.append(ValueHit(*match.span(), "hour", str(hour)))
    return found


def unread_period(text: str, values: Sequence[ValueHit]) -> str:
    """What looks like a time in a question whose periods are blanked: 13月, month 14, spring 2024."""
    for match in _TIME_LIKE.finditer(text):
        if not any(v.start < match.end() and match.start() < v.end for v in values):
            return match.group().strip()
    return ""


def side_by_side(text: str) -> bool:
    """Whether words hold two things against each other."""
    return _SIDE_BY_SIDE.search(text) is not None


def from_to(text: str, phrases: Sequence[str]) -> bool:
    """Whether a text runs from its first period to its second (from mid-August through September)."""
    first, second = text.find(phrases[0]), text.rfind(phrases[1])
    if first < 0 or second <= first:
        return False
    before, between = text[:first], text[first + len(phrases[0]) : second]
    return _FROM.search(before) is not None and _UNTIL.search(between) is not None


def ends_of(phrase: str) -> tuple[str, str] | None:
    """Both ends of "between 2012 and 2015", where each is written in the same way; else None."""
    match = _ENDS.fullmatch(phrase.strip())
    if match is None or bool(_YEAR.search(match[1])) != bool(_YEAR.search(match[2])):
        return None
    if any(_DAY.search(end) for end in match.groups()):
        return None
    return match[1], match[2]
