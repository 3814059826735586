"""What a group or a period of a result may be called in an answer, in both languages."""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from agent.lock_words import lock_words
from agent.phrases import name

_MONTHS = list(calendar.month_name)
_WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")
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
        else:
            yield text
            yield from _said(dimension, text)


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
            f"第{zh}季度",
            f"{zh}季度",
            f"{y}年第{zh}季度",
        )
        yield from (f"{y}-Q{quarter}", f"{['first', 'second', 'third', 'fourth'][quarter - 1]} quarter")
    else:
        yield f"{first.isoformat()} 至 {last.isoformat()}"
        yield f"{first.isoformat()} to {last.isoformat()}"


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
