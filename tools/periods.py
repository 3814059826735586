"""Spans of time: from what people write to half-open windows in UTC, and back to a label.

Weeks start on Monday. A day, month or year without its year means the latest that has begun. A length
("last 30 days") ends with today included. All calendar arithmetic is done on wall-clock time.
"""

from calendar import month_name
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from store.facts import Window
from tools.arguments import Language, PeriodArg
from tools.period_calendar import MONTHS, CalendarReader, Span, add_months, back
from tools.period_grammar import Phrase, parse, scan
from tools.period_words import fold, words
from tools.refusals import Refusal
from tools.results import PeriodResult


@dataclass(frozen=True)
class ResolvedPeriod:
    """A span as local wall-clock times (None: unbounded), its window in UTC and its name.

    `grain` says what it is made of (`day week month quarter half year hour`, `to_date:<unit>`, `all`):
    the period before it is found by it.
    """

    window: Window
    label: str
    start: datetime | None
    end: datetime | None
    grain: str

    @property
    def bounded(self) -> bool:
        """Whether both ends are known."""
        return self.start is not None and self.end is not None

    def result(self) -> PeriodResult:
        """The span as a tool reports it: ISO times in the configured zone."""
        return PeriodResult(
            from_=self.start.isoformat() if self.start else None,
            to=self.end.isoformat() if self.end else None,
        )


class Mention(NamedTuple):
    """A period phrase inside a text: its place (start, end) and its words."""

    span: tuple[int, int]
    phrase: str


def resolve(
    period: PeriodArg | str | None,
    *,
    now: datetime,
    zone: ZoneInfo,
    language: Language = "zh",
    near: ResolvedPeriod | None = None,
) -> ResolvedPeriod:
    """Turn an argument or a phrase into a window.

    `near` settles a missing year: the one closest to that period is meant, still not after `now`.
    Raises ToolInputError for words that are no period, for impossible dates and for reversed ends.
    """
    local = now.astimezone(zone).replace(tzinfo=None)
    reader = CalendarReader(local, zone, near.start.replace(tzinfo=None) if near and near.start else None)
    if period is None:
        span = Span(None, None, "all")
    elif isinstance(period, PeriodArg):
        span = reader.argument(period)
    else:
        phrase = parse(period) if period.strip() else Phrase("all")
        if phrase is None:
            raise Refusal("period_unread", period=period)
        span = reader.phrase(phrase, period[:80])
    return _period(span, zone, language)


def find_periods(text: str) -> list[Mention]:
    """Extract the period phrases of a question, left to right, not overlapping; dates are not checked."""
    return [Mention((f.start, f.end), text[f.start : f.end].strip()) for f in scan(text)]


def previous(period: ResolvedPeriod, *, language: Language = "zh") -> ResolvedPeriod:
    """The comparable period before: whole months for months, the same elapsed part for year to date,
    else the same length. Raises ToolInputError where the period has no beginning or no end.
    """
    start, end = _ends(period)
    if period.grain.startswith("to_date:"):
        unit = period.grain.partition(":")[2]
        if unit == "week":
            return _shifted(period, lambda at: at - timedelta(days=7), language)
        back = MONTHS[unit]
        return _shifted(period, lambda at: add_months(at, -back), language)
    months = _whole_months(start, end, period.grain)
    if months:
        return _shifted(period, lambda at: add_months(at, -months), language)
    length = end - start
    return _shifted(period, lambda at: at - length, language)


def year_earlier(period: ResolvedPeriod, *, language: Language = "zh") -> ResolvedPeriod:
    """The same period a year earlier; weeks go back 52 weeks, so that weekdays stay aligned."""
    _ends(period)
    if period.grain == "week":
        return _shifted(period, lambda at: at - timedelta(weeks=52), language)
    return _shifted(period, lambda at: add_months(at, -12), language)


def comparable(
    compare_to: PeriodArg | str | None,
    period: ResolvedPeriod,
    *,
    now: datetime,
    zone: ZoneInfo,
    language: Language = "zh",
) -> ResolvedPeriod:
    """The period to compare with: None or "previous", "same period last year", or any period.

    "the week before" counts from the period compared; and a phrase that names the compared period itself
    ("last week" against "the previous week") means the one before it.
    """
    if compare_to is None:
        return previous(period, language=language)
    if isinstance(compare_to, str):
        phrase = fold(compare_to).strip()
        if phrase in words()["previous"]:
            return previous(period, language=language)
        if phrase in words()["year_earlier"]:
            return year_earlier(period, language=language)
        for unit, names in words()["before_period"].items():
            if phrase in names:
                start, _ = _ends(period)
                return _period(Span(back(start, unit, 1), start, unit), zone, language)
    found = resolve(compare_to, now=now, zone=zone, language=language, near=period)
    if found.window == period.window:
        if not isinstance(compare_to, str):
            raise Refusal("period_same")
        return previous(period, language=language)
    return found


def _whole_months(start: datetime, end: datetime, grain: str) -> int:
    """How many months the span is made of; 0 where it is counted in days."""
    rolling = grain.startswith("rolling:")
    aligned = (
        start.day == 1 == end.day and start.time() == end.time() == time() and grain not in ("day", "hour")
    )
    if not (rolling or aligned):
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _ends(period: ResolvedPeriod) -> tuple[datetime, datetime]:
    if period.start is None or period.end is None:
        raise Refusal("period_unbounded")
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)


def _shifted(
    period: ResolvedPeriod, move: Callable[[datetime], datetime], language: Language
) -> ResolvedPeriod:
    start, end = _ends(period)
    zone = period.start.tzinfo if period.start else None
    assert isinstance(zone, ZoneInfo)
    return _period(Span(move(start), move(end), period.grain), zone, language)


def _period(span: Span, zone: ZoneInfo, language: Language) -> ResolvedPeriod:
    start = span.start.replace(tzinfo=zone) if span.start else None
    end = span.end.replace(tzinfo=zone) if span.end else None
    window = Window(start.astimezone(UTC) if start else None, end.astimezone(UTC) if end else None)
    return ResolvedPeriod(window, span_name(span.start, span.end, language), start, end, span.grain)


def span_name(start: datetime | None, end: datetime | None, language: Language) -> str:
    """Name a half-open span by its calendar shape; the last day is named, not the first after."""
    zh = language == "zh"
    if start is None and end is None:
        return "全部时间" if zh else "all time"
    if start is None or end is None:
        at = start or end
        assert at is not None
        if start:
            return f"{_day(start)} 起" if zh else f"from {_day(start)}"
        return f"{_day(at)} 之前" if zh else f"before {_day(at)}"
    months = (end.year - start.year) * 12 + end.month - start.month
    if start.day == end.day == 1 and start.time() == end.time() == time():
        if months == 12 and start.month == 1:
            return f"{start.year}年" if zh else str(start.year)
        if months == 3 and start.month % 3 == 1:
            quarter = start.month // 3 + 1
            return f"{start.year}年第{quarter}季度" if zh else f"Q{quarter} {start.year}"
        if months == 1:
            return f"{start.year}年{start.month}月" if zh else f"{month_name[start.month]} {start.year}"
    last = end - timedelta(days=1) if end.time() == time() else end
    if last == start:
        return _day(start)
    return f"{_day(start)} 至 {_day(last)}" if zh else f"{_day(start)} to {_day(last)}"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d" if at.time() == time() else "%Y-%m-%d %H:%M")
