"""Dates as people and systems write them, with the day/month order decided from the whole column."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from pipeline.headers import Cell

Order = Literal["ymd", "dmy", "mdy"]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL_EPOCH = datetime(1899, 12, 30)
_DAY_FIRST_REGIONS = ("Europe/", "Africa/", "Australia/", "Pacific/Auckland", "Asia/Kolkata", "Asia/Dubai")

_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YMD = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*(?:[-/.月]\s*(\d{1,2})(?:\s*[日号]|(?!\d))|月)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?$")
_SHORT = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})(?!\d)")
_DAY_MONTH = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th)?[\s\-/]*(?:of\s+)?{_MONTH}\.?[\s,\-/]*(\d{{4}}|\d{{2}})(?!\d)"
)
_MONTH_DAY = re.compile(rf"{_MONTH}\.?\s*(\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(\d{{4}})(?!\d)")
_WEEKDAY = re.compile(
    r"^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?\s*,?\s+)|[(（]?(?:星期|周)[一二三四五六日天][)）]?"
)
_TIME = re.compile(
    r"^[T,\s]*(?:at\s+)?(上午|下午|凌晨|早上|中午|晚上|am|pm)?\s*(\d{1,2})\s*[:：时点]\s*(\d{1,2})?\s*分?"
    r"(?:[:：]?(\d{1,2})秒?)?(?:[.,](\d{1,9}))?\s*([ap]\.?m\.?)?\s*(z|utc|gmt|(?:utc|gmt)?[+-]\d{1,2}:?\d{0,2})?"
    r"(?:\s*\([^)]*\))?$",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d+(?:\.\d+)?$")


class UnreadableDate(ValueError):
    """A value is no date, or a date that cannot be; the message says which."""


@dataclass(frozen=True)
class DateFormat:
    """How the dates of one column are read.

    `name` states it for people, such as `DD-MM-YYYY`; `reason` says what decided the order of day and
    month. `serial` allows bare numbers to be Excel day counts.
    """

    name: str
    order: Order
    reason: str
    serial: bool = False


@dataclass
class DateProfile:
    """What is seen of a column's dates; `add` every value, then `decide`."""

    styles: Counter[str] = field(default_factory=Counter)
    day_first: int = 0
    month_first: int = 0
    values: int = 0

    def add(self, cell: Cell) -> bool:
        """Count one value; return whether it looks like a date (an impossible one too)."""
        self.values += 1
        style = _style(cell)
        if style is None:
            return False
        self.styles[style] += 1
        if style.startswith("short") and isinstance(cell, str):
            found = _SHORT.match(_bare(cell))
            if found:
                first, second = int(found[1]), int(found[3])
                self.day_first += 12 < first <= 31 and second <= 12
                self.month_first += 12 < second <= 31 and first <= 12
        return True

    @property
    def share(self) -> float:
        """The part of the values that look like dates, 0 to 1; bare numbers do not count as dates."""
        dated = sum(n for style, n in self.styles.items() if style != "number")
        return dated / self.values if self.values else 0.0

    def decide(self, zone: ZoneInfo) -> DateFormat:
        """State the format. Where no part above 12 tells day from month, the custom of the zone does."""
        short = {style: n for style, n in self.styles.items() if style.startswith("short")}
        common = self.styles.most_common(1)[0][0] if self.styles else "iso"
        serial = self.styles["number"] > 0 and self.styles["number"] >= 0.5 * self.values
        if not short:
            return DateFormat(_NAMES.get(common, "YYYY-MM-DD"), "ymd", "the year comes first", serial)
        order, reason = self._order(zone, max(short, key=lambda style: short[style]))
        separator = common[-1] if common in short else next(iter(short))[-1]
        names = {"dmy": ("DD", "MM", "YYYY"), "mdy": ("MM", "DD", "YYYY")}
        return DateFormat(separator.join(names[order]), order, reason, serial)

    def _order(self, zone: ZoneInfo, style: str) -> tuple[Order, str]:
        if self.day_first and self.day_first >= self.month_first:
            against = f", {self.month_first} the other way" if self.month_first else ""
            return "dmy", f"the first part is above 12 in {self.day_first} values{against}"
        if self.month_first:
            against = f", {self.day_first} the other way" if self.day_first else ""
            return "mdy", f"the second part is above 12 in {self.month_first} values{against}"
        if style.endswith("."):
            return "dmy", "no part is above 12; dotted dates are day first by custom"
        if zone.key.startswith(_DAY_FIRST_REGIONS):
            return "dmy", f"no part is above 12; day first by the custom of {zone.key}"
        return "mdy", f"no part is above 12; month first by the custom of {zone.key}"


_NAMES: Mapping[str, str] = {
    "iso": "YYYY-MM-DD",
    "chinese": "YYYY年M月D日",
    "compact": "YYYYMMDD",
    "month-name": "D Month YYYY",
    "epoch": "Unix time",
    "number": "Excel day number",
    "typed": "YYYY-MM-DD",
}


def parse_date(cell: Cell, form: DateFormat, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment a value means, in UTC; a time without an offset is in `zone`.

    A date without a time is its first moment, a month its first day. Raises UnreadableDate for a value
    that is no date, for a day that does not exist, and outside 1970 .. `now` + 1 year.
    """
    try:
        moment = _moment(cell, form)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, UnreadableDate):
            raise
        raise UnreadableDate(f"impossible date {str(cell)[:40]!r}") from error
    # Zones east of Greenwich see the first hours of 1970 before it.
    if not EARLIEST - timedelta(days=1) <= moment <= now + timedelta(days=366):
        raise UnreadableDate(f"date {str(cell)[:40]!r} is outside 1970 to a year from now")
    return moment


def has_clock(cell: Cell) -> bool:
    """Whether a value names a time of day and not only a day."""
    if isinstance(cell, datetime):
        return cell.time() != time()
    if isinstance(cell, str):
        return bool(re.search(r"\d[:：时点]", cell)) or (
            len(cell.strip()) in (10, 13, 14) and cell.strip().isdigit()
        )
    return isinstance(cell, int | float) and cell % 1 != 0


def _style(cell: Cell) -> str | None:
    if isinstance(cell, bool) or cell is None or isinstance(cell, time):
        return None
    if isinstance(cell, date):
        return "typed"
    if isinstance(cell, int | float):
        return _number_style(float(cell))
    if len(cell) > 60 or not _DIGIT.search(cell):
        return None
    text = _bare(cell)
    if _NUMBER.match(text):
        if len(text) in (8, 12, 14) and (found := _COMPACT.match(text)) and "19" <= found[1][:2] <= "20":
            return "compact"
        return _number_style(float(text))
    if found := _YMD.match(text):
        rest = text[found.end() :]
        if rest and not _TIME.match(rest):
            return None
        return "chinese" if "年" in text else "iso"
    if found := _SHORT.match(text):
        rest = text[found.end() :]
        return "short" + found[2] if not rest or _TIME.match(rest) else None
    if _COMPACT.match(text):
        return "compact"
    return "month-name" if _DAY_MONTH.match(text) or _MONTH_DAY.match(text) else None


def _number_style(number: float) -> str | None:
    if 631_152_000 <= number < 4_102_444_800 or 631_152_000_000 <= number < 4_102_444_800_000:
        return "epoch"
    return "number" if 20_000 <= number < 80_000 else None


def _bare(text: str) -> str:
    return _WEEKDAY.sub("", text.strip().lower(), count=1).strip()


def _moment(cell: Cell, form: DateFormat) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _of_number(float(cell), form, str(cell))
    text = _bare(str(cell))
    if _NUMBER.match(text) and not (len(text) in (8, 12, 14) and _style(text) == "compact"):
        return _of_number(float(text), form, text)
    if found := _COMPACT.match(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, second)
    if found := _YMD.match(text):
        return _with_time(int(found[1]), int(found[2]), int(found[3] or 1), text[found.end() :])
    if found := _SHORT.match(text):
        first, second, year = int(found[1]), int(found[3]), _full_year(found[4])
        day, month = (second, first) if form.order == "mdy" else (first, second)
        return _with_time(year, month, day, text[found.end() :])
    if found := _DAY_MONTH.match(text):
        return _with_time(_full_year(found[3]), _month(found[2]), int(found[1]), text[found.end() :])
    if found := _MONTH_DAY.match(text):
        return _with_time(int(found[3]), _month(found[1]), int(found[2]), text[found.end() :])
    raise UnreadableDate(f"{str(cell)[:40]!r} is not a date")


def _of_number(number: float, form: DateFormat, shown: str) -> datetime:
    style = _number_style(number)
    if style == "epoch":
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    if style == "number" and form.serial:
        return _EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))
    raise UnreadableDate(f"{shown[:40]!r} is not a date")


def _month(name: str) -> int:
    return _MONTH.index(name) // 4 + 1


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    return year + (2000 if year < 70 else 1900)


def _with_time(year: int, month: int, day: int, rest: str) -> datetime:
    moment = datetime(year, month, day)
    if not rest.strip():
        return moment
    found = _TIME.match(rest)
    if not found:
        raise UnreadableDate(f"{rest.strip()[:40]!r} is not a time of day")
    before, hours, minutes, seconds, fraction, after, offset = found.groups()
    hour = int(hours)
    half = (before or after or "").lower().replace(".", "")
    if (half in ("下午", "晚上", "pm") and hour < 12) or (half == "中午" and hour < 3):
        hour += 12
    elif half in ("am", "上午", "凌晨") and hour == 12:
        hour = 0
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    # 24:00 is how some systems write the end of a day.
    if hour == 24 and not int(minutes or 0):
        return moment + timedelta(days=1)
    moment = moment.replace(hour=hour, minute=int(minutes or 0), second=int(seconds or 0), microsecond=micro)
    return moment.replace(tzinfo=_offset(offset)) if offset else moment


def _offset(text: str) -> timezone:
    digits = re.sub(r"^(?:utc|gmt|z)", "", text.lower())
    if not digits:
        return UTC
    sign = -1 if digits[0] == "-" else 1
    hours, _, minutes = digits[1:].partition(":")
    if not minutes and len(hours) > 2:
        hours, minutes = hours[:-2], hours[-2:]
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))
