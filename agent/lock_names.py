"""What a group or a period of a result may be called in an answer, in both languages."""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from agent.lock_values import folded
from agent.lock_words import any_of, lock_words
from agent.phrases import name

_MONTHS = list(calendar.month_name)
_WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+")
_SCORE_WORD = re.compile(r"\b(?:rating|score|index|ind|count|value|name|id)\b", re.IGNORECASE)
_NOISY = frozenset({"speaker", "priority", "sentiment", "emotion", "intent", "metric"})


@lru_cache(maxsize=1)
def _aliases() -> Mapping[str, Mapping[str, list[str]]]:
    from tools.dimensions import vocabulary

    known: Mapping[str, Mapping[str, list[str]]] = vocabulary()["values"]
    return known


def value_names(dimension: str, value: Any) -> Iterator[str]:
    """Names of a dimension's value: its own, ours, what people say, a place in the other language."""
    if value is None:
        yield from ("未填写", "(not given)", "not given")
        return
    for one in value if isinstance(value, list) else [value]:
        text = str(one)
        if dimension == "hour" and text.isdigit():
            yield from (
                f"{text}点",
                f"{text} 点",
                f"{int(text):02d}:00",
                f"{text}:00",
                f"{text}时",
                f"{text} o'clock",
            )
        elif dimension == "weekday" and text.isdigit():
            day = _WEEKDAYS[int(text) - 1]
            yield from (f"周{day}", f"星期{day}", f"礼拜{day}", calendar.day_name[int(text) - 1])
        elif dimension in ("day", "date"):
            first = date.fromisoformat(text[:10])
            yield from period_names(text, (first + timedelta(days=1)).isoformat())
        elif dimension == "month" and re.fullmatch(r"\d{4}-\d{2}", text):
            first = date.fromisoformat(f"{text}-01")
            yield from period_names(
                first.isoformat(), (first + timedelta(days=32)).replace(day=1).isoformat()
            )
        elif span := _calendar_span(dimension, text):
            yield text
            yield from period_names(span[0].isoformat(), span[1].isoformat())
        else:
            yield text
            yield from column_names(text)
            yield from _said(dimension, text)


def column_names(text: str) -> Iterator[str]:
    """What a column like `wifi_connectivity_rating` is called: its words, without the one for a score."""
    if _COLUMN.fullmatch(text):
        bare = _SCORE_WORD.sub("", text.replace("_", " ")).strip()
        if bare and bare.lower() not in lock_words()["column_fillers"]:
            yield bare
        first = bare.partition(" ")[0]
        if len(first) > 3 and first.lower() not in lock_words()["column_fillers"]:
            yield first


def column_unit(text: str) -> str:
    """The unit that a column's name tells, "any" where it tells none."""
    for unit, told in lock_words()["column_units"].items():
        if any_of(told).search(folded(text)):
            return str(unit)
    return "any"


def _calendar_span(dimension: str, text: str) -> tuple[date, date] | None:
    """The half-open span of a quarter ("2026-Q3") or a year that is a group of a result."""
    if dimension == "quarter" and (match := re.fullmatch(r"(\d{4})-?Q([1-4])", text)):
        year, month = int(match[1]), 3 * int(match[2]) - 2
        return date(year, month, 1), date(year + month // 10, (month + 2) % 12 + 1, 1)
    if dimension == "year" and re.fullmatch(r"(?:19|20)\d{2}", text):
        return date(int(text), 1, 1), date(int(text) + 1, 1, 1)
    return None


def _said(dimension: str, text: str) -> Iterator[str]:
    if dimension not in _NOISY:
        for language in ("zh", "en"):
            yield name(f"value_{dimension}_{text}", "zh" if language == "zh" else "en", text)
        yield from (word for word in _aliases().get(dimension, {}).get(text, ()) if len(word) > 1)
    for place, other in lock_words()["places"].items():
        if place == text:
            yield from other


def period_names(start: str, end: str) -> Iterator[str]:
    """Names of a half-open span: a day, a month, a quarter, a year, or its two ends."""
    first, last = date.fromisoformat(start[:10]), date.fromisoformat(end[:10]) - timedelta(days=1)
    y, m = first.year, first.month
    if first == last:
        yield from _day_names(first)
    elif first.day == 1 and last == _month_end(y, m):
        en, short = _MONTHS[m], _MONTHS[m][:3]
        yield from (
            f"{y}年{m}月",
            f"{y}-{m:02d}",
            f"{m}月份",
            f"{m}月",
            f"{m} 月",
            f"{y} 年 {m} 月",
            f"{y}/{m:02d}",
            f"{en} {y}",
            f"{short} {y}",
            en,
        )
        yield from (short, f"{short}.") if m != 5 else ()
    elif first.day == 1 and m % 3 == 1 and last == _month_end(y, m + 2):
        quarter = (m + 2) // 3
        zh = "一二三四"[quarter - 1]
        yield from (
            f"Q{quarter}",
            f"{y}Q{quarter}",
            f"Q{quarter} {y}",
            f"{y} Q{quarter}",
            f"{y}年Q{quarter}",
            f"{y}年{zh}季度",
            f"第{zh}季度",
            f"{zh}季度",
            f"{y}年第{zh}季度",
        )
        yield from (f"{y}-Q{quarter}", f"{['first', 'second', 'third', 'fourth'][quarter - 1]} quarter")
    elif (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        yield from _year_names(y, last.year)
    else:
        yield f"{first.isoformat()} 至 {last.isoformat()}"
        yield f"{first.isoformat()} to {last.isoformat()}"


def _year_names(first: int, last: int) -> Iterator[str]:
    if first == last:
        yield from (str(first), f"{first}年", f"{first} 年")
        return
    for joint in ("-", "–", "—", "~", " to ", "至", "到", " 至 ", " 到 "):
        yield f"{first}{joint}{last}"
    yield f"{first}-01-01 至 {last}-12-31"
    yield f"{first}-01-01 to {last}-12-31"


def _day_names(day: date) -> Iterator[str]:
    y, m, d = day.year, day.month, day.day
    en, short = _MONTHS[m], _MONTHS[m][:3]
    yield from (
        day.isoformat(),
        f"{y}年{m}月{d}日",
        f"{m}月{d}日",
        f"{m}月{d}号",
        f"{en} {d}",
        f"{short} {d}",
        f"{d} {en}",
    )
    yield from (f"{m}/{d}", f"{d} {short}", f"{day:%m-%d}")


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
