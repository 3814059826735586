"""Finds every figure in an answer: numbers, percentages, 万/亿, Chinese numerals with a unit, dates, times.

Pure text in, spans out; what a figure is bound to is decided in agent/number_lock.py.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["number", "percent", "points", "date", "time"]

_ZH_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_ZH_UNIT = {"十": 10, "百": 100, "千": 1000}
_ZH_BIG = {"万": 10_000, "亿": 100_000_000}
_ZH_NUMERAL = "零〇一二两三四五六七八九十百千万亿"
_COUNTED = "条|位|人|个|名|家|次|天|周|月|年|小时|分钟|分|项|起|件|类|成|倍|元|块|单|通|封|句|份"
# What stands right after a number and says what it counts; the unit's name in lock_words.yaml.
_UNITS = (
    ("money", r"元|块钱|人民币|yuan|rmb|cny|dollars?|usd|美元"),
    ("minutes", r"分钟|minutes?|mins?\b"),
    ("hours", r"个?小时|hours?|hrs?\b"),
    ("seconds", r"秒钟?|seconds?|secs?\b"),
    ("days", r"天|days?\b"),
    ("weeks", r"周(?![一二三四五六日末])|个星期|weeks?\b"),
    ("months", r"个月|months?\b"),
    ("years", r"岁|周岁|years?\b"),
    ("fold", r"倍|[x×]\b|times\s+(?:the|as|more|higher|larger)|-?fold\b"),
    ("score", r"分(?!之|别|组|类|布|析|钟|店|公)|points?\b|stars?\b|星"),
    (
        "count",
        r"[条位人名份起件通封句单处]|个(?!百分点|点|月|小时|星期)(?:[\u4e00-\u9fff])|"
        r"(?:feedback |negative |positive |survey |low-score |other )?"
        r"(?:items?|responses?|customers?|people|respondents?|comments?|reviews?|replies|users?|mentions?|"
        r"answers|promoters?|passives?|detractors?|complaints?|records?|tickets?|surveys?|shoppers?|entries)\b",
    ),
)
_UNIT_AFTER = tuple((name, re.compile(rf"\s*[-]?(?:{pattern})", re.IGNORECASE)) for name, pattern in _UNITS)
_MONEY_BEFORE = re.compile(r"(?:[¥￥$€]|rmb|cny)\s?$", re.IGNORECASE)
_SMALL = ("two three four five six seven eight nine ten", "eleven twelve thirteen fourteen fifteen sixteen")
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_EN_WORDS = {word: value for value, word in enumerate(" ".join(_SMALL).split(), start=2)}
_EN_WORDS |= {word: value * 10 for value, word in enumerate(_TENS.split(), start=2)}
_EN_WORDS |= {"twice": 2, "double": 2, "triple": 3, "half": 50}
_EN_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_EN_TIMES = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "nine": 9}

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_DATE = re.compile(
    r"\d{4}\s?年\s?\d{1,2}\s?月(?:份|\s?\d{1,2}\s?[日号]?(?!\d|[.,]\d|\s?[%条份]))?"
    r"|\d{4}[-/]\d{1,2}(?:[-/]\d{1,2})?(?!\d|\.\d)"
    r"|(?<!\d)\d{1,2}\s?月\s?\d{1,2}\s?[日号]?(?!\d|[.,]\d|\s?[%条份])"
    r"|(?<!\d)(?:1[0-2]|[1-9])\s?月(?!\d)"
    r"|(?:(?:19|20)\d{2}[\s年-]*)?(?<![A-Za-z])[QH][1-4](?:[\s,]+(?:19|20)\d{2})?(?!\d)"
    r"|(?<![\d.,])(?:19|20)\d{2}(?:\s?年|(?![\d%％]|\s?[年条位人名份个元]|[.,]\d))"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?:\d{4}|\d{1,2}(?!\d)(?:,?\s+\d{4})?)"
    r"|\b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:\s+\d{4})?",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<!\d)(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?!\d)"
    r"|(?<!\d)(?:[01]?\d|2[0-4])(?=点(?!\d)|时(?!间)|o'clock)"
)
_PLAIN = re.compile(
    r"(?P<sign>(?<![\w.)\]%])[-+−±])?"
    rf"(?P<num>{_NUMBER})\s?"
    r"(?P<scale>万亿|[万亿千百](?!分)|(?:k|m|bn)(?![A-Za-z])|thousand|million|billion)?\s?"
    r"(?P<unit>[%％‰]|个百分点|个点|percentage points?|percent|pp\b|points?\b)?",
    re.IGNORECASE,
)
_ZH_WORD = re.compile(
    rf"百分之(?P<pct>[{_ZH_NUMERAL}]+(?:点[{_ZH_NUMERAL}]+)?)"
    r"|(?P<whole>[二三四五六七八九十])分之(?P<part>[一二两三四五六七八九])"
    r"|(?P<tens>[一二两三四五六七八九])成半"
    r"|(?P<half>一半|过半(?!年)|近半(?!年|个?月|天|小时)|半数)"
    rf"|(?<![第统同唯万逐单每某])(?!十分(?!钟))(?P<num>[{_ZH_NUMERAL}]+)(?:多|余|几)?(?P<unit>个百分点|{_COUNTED})"
)
_EN_PART = re.compile(
    rf"\b(?P<times>{'|'.join(_EN_TIMES)})[\s-](?P<part>{'|'.join(_EN_PARTS)})s?\b(?!\s+(?:quarter|place|party))",
    re.IGNORECASE,
)
_EN_WORD = re.compile(rf"\b(?P<word>{'|'.join(_EN_WORDS)})\b", re.IGNORECASE)
_LIST_MARK = re.compile(r"(?m)^\s*(?:[-*]\s*)?(?:\*\*)?(\d{1,2})[.)、．]\s")
_SCALE = {"万": 1e4, "亿": 1e8, "万亿": 1e12, "千": 1e3, "百": 1e2, "k": 1e3, "m": 1e6, "bn": 1e9}
_SCALE |= {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_RANGE_JOINT = re.compile(r"\s*(?:到|至|~|–|—|-|to)\s*", re.IGNORECASE)
_ONE_IS_NO_FIGURE = 1.0
_LOOSE = 2.5  # points by which a fraction in words may be off: 一半 is 47.5 to 52.5


@dataclass(frozen=True)
class Figure:
    """One figure as written.

    `value` is in plain units (3.2万 is 32000; 45% is 45 with kind "percent"); `tolerance` is half a unit
    of the last digit shown; `signed` tells whether a sign was written; `unit` is a name of `units` in
    lock_words.yaml, empty where none is written.
    """

    start: int
    end: int
    text: str
    kind: Kind
    value: float
    tolerance: float
    signed: bool = False
    unit: str = ""


def zh_number(text: str) -> float:
    """Read a Chinese numeral such as 三百二十, 两万五千, 十, 三点五. Raises ValueError if it is none."""
    whole, _, decimals = text.partition("点")
    total = section = digit = 0
    for char in whole:
        if char in _ZH_DIGIT:
            digit = digit * 10 + _ZH_DIGIT[char] if digit and section == 0 else _ZH_DIGIT[char]
        elif char in _ZH_UNIT:
            section += (digit or 1) * _ZH_UNIT[char]
            digit = 0
        elif char in _ZH_BIG:
            unit = _ZH_BIG[char]
            if total >= unit:  # 一亿二千万: the smaller unit counts only what stands after the larger one
                total += (section + digit or 1) * unit
            else:
                total = (total + section + digit or 1) * unit
            section = digit = 0
        else:
            raise ValueError(f"not a Chinese numeral: {text}")
    value = float(total + section + digit)
    for place, char in enumerate(decimals, start=1):
        value += _ZH_DIGIT[char] / 10**place
    return value


def find_figures(text: str) -> list[Figure]:
    """All figures of a text in order, not overlapping; list markers and a bare 一个 / "one" are none."""
    taken = [match.span(1) for match in _LIST_MARK.finditer(text)]
    found: list[Figure] = []

    def add(figure: Figure) -> None:
        if not any(figure.start < end and start < figure.end for start, end in taken):
            taken.append((figure.start, figure.end))
            found.append(figure)

    for match in _DATE.finditer(text):
        add(Figure(*match.span(), match.group(), "date", 0.0, 0.0))
    for match in _TIME.finditer(text):
        hour, _, rest = match.group().partition(":")
        value = int(hour) + (int(rest[:2]) / 60 if rest else 0)
        add(Figure(*match.span(), match.group(), "time", value, 0.0))
    for match in _PLAIN.finditer(text):
        add(_plain(match))
    for match in _ZH_WORD.finditer(text):
        if figure := _zh_word(match):
            add(figure)
    for match in _EN_PART.finditer(text):
        value = 100.0 * _EN_TIMES[match["times"].lower()] / _EN_PARTS[match["part"].lower()]
        add(Figure(*match.span(), match.group(), "percent", value, _LOOSE))
    for match in _EN_WORD.finditer(text):
        add(_en_word(match))
    ordered = [_with_unit(figure, text) for figure in sorted(found, key=lambda figure: figure.start)]
    following = [*ordered[1:], None] if ordered else []
    return [_in_range(figure, after, text) for figure, after in zip(ordered, following, strict=True)]


def _in_range(figure: Figure, after: Figure | None, text: str) -> Figure:
    """The first end of a range has the unit of the second: 1.6 到 10.6 个百分点, 12 to 15%."""
    if after is None or figure.kind != "number" or figure.unit or after.kind not in ("percent", "points"):
        return figure
    joint = _RANGE_JOINT.fullmatch(text[figure.end : after.start])
    return replace(figure, kind=after.kind, unit=after.unit) if joint else figure


def _with_unit(figure: Figure, text: str) -> Figure:
    """The figure with what it counts; a percentage is its own unit."""
    if figure.kind == "points":
        # "3.5 points" may be a score as well as a difference of percentages.
        return replace(figure, unit="points")
    if figure.kind != "number":
        return replace(figure, unit="percent" if figure.kind == "percent" else figure.kind)
    if _MONEY_BEFORE.search(text, max(0, figure.start - 4), figure.start):
        return replace(figure, unit="money")
    written = next((name for name, word in _UNIT_AFTER if word.match(figure.text[-1:])), "")
    after = next((name for name, pattern in _UNIT_AFTER if pattern.match(text, figure.end)), "")
    inside = written if figure.text[:1] in _ZH_NUMERAL else ""
    if figure.text[-2:] in ("分钟", "小时"):
        inside = "minutes" if figure.text.endswith("分钟") else "hours"
    return replace(figure, unit=inside or after)


def _plain(match: re.Match[str]) -> Figure:
    digits = match["num"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale = _SCALE[match["scale"].lower()] if match["scale"] else 1.0
    unit = (match["unit"] or "").lower()
    kind: Kind = "number"
    if unit in ("%", "％", "percent"):
        kind = "percent"
    elif unit in ("个百分点", "个点", "pp") or unit.startswith(("percentage", "point")):
        kind = "points"
    elif unit == "‰":
        kind, scale = "percent", scale / 10
    value = float(digits) * scale * (-1 if match["sign"] in ("-", "−") else 1)
    raw = match.group().rstrip()
    signed = match["sign"] in ("-", "−", "+")
    return Figure(
        match.start(), match.start() + len(raw), raw, kind, value, 0.5 * 10**-decimals * scale, signed
    )


def _zh_word(match: re.Match[str]) -> Figure | None:
    start, end = match.span()
    if match["half"]:
        return Figure(start, end, match.group(), "percent", 50.0, _LOOSE)
    if match["whole"]:
        share = 100 * zh_number(match["part"]) / zh_number(match["whole"])
        return Figure(start, end, match.group(), "percent", share, _LOOSE)
    if match["tens"]:
        return Figure(start, end, match.group(), "percent", zh_number(match["tens"]) * 10 + 5, _LOOSE)
    if match["pct"]:
        return Figure(start, end, match.group(), "percent", zh_number(match["pct"]), 0.5)
    value, unit = zh_number(match["num"]), match["unit"]
    if unit == "成":
        return Figure(start, end, match.group(), "percent", value * 10, 5.0)
    if value <= _ONE_IS_NO_FIGURE and unit != "个百分点":
        return None
    return Figure(start, end, match.group(), "points" if unit == "个百分点" else "number", value, 0.5)


def _en_word(match: re.Match[str]) -> Figure:
    word = match["word"].lower()
    if word == "half":
        return Figure(*match.span(), match.group(), "percent", 50.0, _LOOSE)
    return Figure(*match.span(), match.group(), "number", float(_EN_WORDS[word]), 0.0)
