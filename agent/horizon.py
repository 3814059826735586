"""How far ahead a question looks: 未来两周, 下个月, the next 10 days."""

import re
from typing import NamedTuple

from agent.figures import zh_number

_DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "季度": 90, "季": 90, "年": 365}
_EN_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
_EN_COUNTS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ZH = re.compile(
    r"(?:未来|接下来|今后|往后|后面|以后|之后|后)的?(?P<n>\d{1,3}|[一二两三四五六七八九十]{1,3}|几)?个?(?P<unit>天|日|周|星期|礼拜|月|季度|季|年)"
    r"|(?:下个?|下一个?)(?P<next>周|星期|礼拜|月|季度|季)|(?P<tomorrow>明天|后天)|(?P<year>明年)"
)
_EN = re.compile(
    rf"\b(?:the )?(?:next|coming|upcoming|following)\s+(?P<n>\d{{1,3}}|few|{'|'.join(_EN_COUNTS)})?\s*"
    r"(?P<unit>day|week|month|quarter|year)s?\b|\b(?P<tomorrow>tomorrow)\b",
    re.IGNORECASE,
)
_FEW = 3


class Horizon(NamedTuple):
    """The words that look ahead, and how many days they reach."""

    start: int
    end: int
    days: int


def horizon(text: str) -> Horizon | None:
    """The first stretch of time ahead that a question names; a month counts 30 days, a quarter 90."""
    found = [one for one in (_chinese(text), _english(text)) if one]
    return min(found) if found else None


def _chinese(text: str) -> Horizon | None:
    match = _ZH.search(text)
    if match is None:
        return None
    if match["tomorrow"]:
        days = 1 if match["tomorrow"] == "明天" else 2
    elif match["year"]:
        days = 365
    elif match["next"]:
        days = _DAYS[match["next"]]
    else:
        days = _count(match["n"]) * _DAYS[match["unit"]]
    return Horizon(*match.span(), days)


def _english(text: str) -> Horizon | None:
    match = _EN.search(text)
    if match is None:
        return None
    days = 1 if match["tomorrow"] else _count(match["n"]) * _EN_DAYS[match["unit"].lower()]
    return Horizon(*match.span(), days)


def _count(word: str | None) -> int:
    if word is None:
        return 1
    if word.isdigit():
        return int(word)
    if word in ("几", "few"):
        return _FEW
    lowered = word.lower()
    return _EN_COUNTS.index(lowered) + 1 if lowered in _EN_COUNTS else int(zh_number(word))
