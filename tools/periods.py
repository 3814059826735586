"""Spans of time: from what people write to half-open windows in UTC, and back to a label.

Weeks start on Monday. A day, month or year without its year means the latest that has begun. A length
("last 30 days") ends with today included. All calendar arithmetic is done on wall-clock time.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from store.errors import ToolInputError
from store.facts import Window
from tools.arguments import Language, PeriodArg
from tools.period_grammar import Phrase, Point, fold, parse, scan, words
from tools.results import PeriodResult

_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_FORMS = (
    '{"from": "2026-10-01", "to": "2026-11-01"} (half-open), "last 30 days", "last month", "October 2026", '
    '"Q3", "2026-10-01 to 2026-10-15", "since March", "上周", "近30天", "10月1日到10月15日"'
)


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
            from_=self.start.isoformat() if self.start else None, to=self.end.isoformat() if self.end else None
        )


class Mention(NamedTuple):
    """A period phrase inside a text: its place (start, end) and its words."""

    span: tuple[int, int]
    phrase: str


class _Span(NamedTuple):
    """Naive local start and end with the grain."""

    start: datetime | None
    end: datetime | None
    grain: str


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
    reader = _Reader(local, zone, near.start.replace(tzinfo=None) if near and near.start else None)
    if period is None:
        span = _Span(None, None, "all")
    elif isinstance(period, PeriodArg):
        span = reader.argument(period)
    else:
        phrase = parse(period) if period.strip() else Phrase("all")
        if phrase is None:
            raise ToolInputError(f"period {period[:80]!r} is not understood; write it as {_FORMS}")
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
        back = _MONTHS[unit]
        return _shifted(period, lambda at: _add_months(at, -back), language)
    months = _whole_months(start, end, period.grain)
    if months:
        return _shifted(period, lambda at: _add_months(at, -months), language)
    length = end - start
    return _shifted(period, lambda at: at - length, language)


def year_earlier(period: ResolvedPeriod, *, language: Language = "zh") -> ResolvedPeriod:
    """The same period a year earlier; weeks go back 52 weeks, so that weekdays stay aligned."""
    _ends(period)
    if period.grain == "week":
        return _shifted(period, lambda at: at - timedelta(weeks=52), language)
    return _shifted(period, lambda at: _add_months(at, -12), language)


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
                return _period(_Span(_back(start, unit, 1), start, unit), zone, language)
    found = resolve(compare_to, now=now, zone=zone, language=language, near=period)
    if found.window == period.window:
        if not isinstance(compare_to, str):
            raise ToolInputError("period and compare_to are the same span; give two different ones")
        return previous(period, language=language)
    return found


class _Reader:
    """Evaluates phrases against one moment."""

    def __init__(self, now: datetime, zone: ZoneInfo, near: datetime | None) -> None:
        self._now, self._zone, self._near = now, zone, near
        self._today = datetime.combine(now.date(), time())
        self._tomorrow = self._today + timedelta(days=1)

    def argument(self, period: PeriodArg) -> _Span:
        start, end = self._edge(period.from_, "from"), self._edge(period.to, "to")
        if start and end and start >= end:
            raise ToolInputError(
                f"period from {period.from_} to {period.to} is empty or reversed; `to` is the first day after it"
            )
        if start is None and end is None:
            return _Span(None, None, "all")
        whole_days = all(at is None or at.time() == time() for at in (start, end))
        return _Span(start, end, "span" if whole_days else "hour")

    def _edge(self, written: str | None, name: str) -> datetime | None:
        if written is None or not written.strip():
            return None
        phrase = parse(written)
        if phrase is None or phrase.form != "point" or phrase.first is None:
            raise ToolInputError(f"period.{name}: {written[:80]!r} is not a date; write 2026-10-01 or 2026-10-01T08:00")
        return self._point(phrase.first, written).start

    def phrase(self, phrase: Phrase, written: str) -> _Span:
        """Evaluate; `written` is what errors quote."""
        if phrase.form == "all":
            return _Span(None, None, "all")
        if phrase.form == "vague":
            return self._rolling("day", int(words()["vague_days"]))
        if phrase.form == "rolling":
            return self._rolling(phrase.unit, phrase.count)
        if phrase.form == "complete":
            end = self._now if phrase.unit == "hour" else _floor(self._now, phrase.unit)
            return _Span(_back(end, phrase.unit, phrase.count), end, phrase.unit)
        if phrase.form == "to_date":
            return _Span(_floor(self._now, phrase.unit), self._tomorrow, f"to_date:{phrase.unit}")
        assert phrase.first is not None
        if phrase.form == "range" and phrase.second is not None:
            return self._range(phrase.first, phrase.second, written)
        return self._edged(phrase, self._point(phrase.first, written), written)

    def _edged(self, phrase: Phrase, span: _Span, written: str) -> _Span:
        if phrase.form == "point":
            return span
        if phrase.form in ("until", "before"):
            return _Span(None, span.end if phrase.form == "until" else span.start, "span")
        start = span.start if phrase.form == "since" else span.end
        if start is None or start >= self._tomorrow:
            raise ToolInputError(f"period {written!r} begins after today ({self._today:%Y-%m-%d})")
        grain = f"to_date:{span.grain}" if phrase.form == "since" and span.end and span.end > self._now else "span"
        return _Span(start, self._tomorrow, grain if grain.partition(":")[2] in (*_MONTHS, "week") else "span")

    def _rolling(self, unit: str, count: int) -> _Span:
        if count < 1:
            raise ToolInputError("a period needs a length of at least 1")
        end = self._now if unit == "hour" else self._tomorrow
        grain = unit if unit in ("hour", "day", "week") else f"rolling:{unit}"
        return _Span(_back(end, unit, count), end, "day" if grain == "week" else grain)

    def _range(self, first: Point, second: Point, written: str) -> _Span:
        start = self._point(first, written)
        end = self._point(second, written)
        if start.start is None or end.end is None or end.start is None:
            raise ToolInputError(f"period {written!r} has no two ends")
        if end.start < start.start and not _dated(second) and second.month != first.month:
            later = self._point(replace(second, year=end.start.year + 1), written)
            if not _dated(first) and later.start is not None and later.start > self._now:
                start, later = self._point(replace(first, year=start.start.year - 1), written), end
            end = later
        elif not _dated(first) and not _dated(second) and second.month is not None and start.start.year < self._now.year:
            # 10月到12月 asked in November: the end of the same year, begun or not.
            same = self._point(replace(second, year=start.start.year), written)
            end = same if same.start is not None and same.start >= start.start else end
        stop = end.start if second.grain == "instant" else end.end
        assert start.start is not None
        if stop is None or stop <= start.start:
            raise ToolInputError(f"period {written!r} is reversed: it ends before it begins")
        return _Span(start.start, stop, start.grain if start.grain == end.grain else "span")

    def _point(self, point: Point, written: str) -> _Span:
        if point.ambiguous:
            raise ToolInputError(f"the day and month of {written!r} cannot be told apart; write YYYY-MM-DD")
        if point.offset is not None and point.weekday is None and point.grain != "weekend":
            return self._relative(point.grain, point.offset)
        if point.grain in ("day", "weekend") and (point.weekday or point.grain == "weekend"):
            return self._weekday(point)
        return self._year_chosen(point, written)

    def _relative(self, unit: str, offset: int) -> _Span:
        start = _floor(self._now, unit)
        start = _back(start, unit, -offset)
        return _Span(start, _back(start, unit, -1), unit)

    def _weekday(self, point: Point) -> _Span:
        monday = _floor(self._now, "week") + timedelta(weeks=point.offset or 0)
        if point.grain == "weekend":
            start = monday + timedelta(days=5)
            if point.last and start > self._now:
                start -= timedelta(weeks=1)
            return _Span(start, start + timedelta(days=2), "day")
        assert point.weekday is not None
        start = monday + timedelta(days=point.weekday - 1)
        if point.offset is None and (start > self._today or (point.last and start == self._today)):
            start -= timedelta(weeks=1)
        return _Span(start, start + timedelta(days=1), "day")

    def _year_chosen(self, point: Point, written: str) -> _Span:
        if point.year is not None:
            return self._dated(point, point.year, written)
        if point.year_offset is not None:
            return self._dated(point, self._now.year + point.year_offset, written)
        if point.month_offset is not None:
            month = _add_months(_floor(self._now, "month"), point.month_offset)
            return self._dated(replace(point, month=month.month), month.year, written)
        if point.grain == "day" and point.month is None:
            return self._day_only(point, written)
        return self._latest(point, written)

    def _day_only(self, point: Point, written: str) -> _Span:
        month = _floor(self._now, "month")
        for back in range(3):
            candidate = _add_months(month, -back)
            last = calendar.monthrange(candidate.year, candidate.month)[1]
            if point.day and point.day <= last and candidate + timedelta(days=point.day - 1) <= self._now:
                return self._dated(replace(point, month=candidate.month), candidate.year, written)
        raise ToolInputError(f"there is no such day as in {written!r}")

    def _latest(self, point: Point, written: str) -> _Span:
        base = (self._near or self._now).year
        options, problem = [], None
        for year in range(base - 5, base + 2):
            try:
                options.append(self._dated(point, year, written))
            except ToolInputError as error:
                problem = error
        limit = _floor(self._now, "month") if point.last else self._now
        begun = [span for span in options if span.start and (span.start < limit if point.last else span.start <= limit)]
        if not begun:
            raise problem or ToolInputError(f"period {written!r} has not begun yet")
        if self._near is None:
            return begun[-1]
        near = self._near
        return min(begun, key=lambda span: abs(span.start - near) if span.start else timedelta.max)

    def _dated(self, point: Point, year: int, written: str) -> _Span:
        if not 1900 <= year <= 2200:
            raise ToolInputError(f"the year of {written!r} is outside 1900-2200")
        try:
            return _built(point, year, self._zone)
        except (ValueError, OverflowError) as error:
            raise ToolInputError(f"{written!r} is not a possible date") from error


def _built(point: Point, year: int, zone: ZoneInfo) -> _Span:
    """The span of a point whose year is known; ValueError where there is no such date."""
    if point.grain == "year":
        return _Span(datetime(year, 1, 1), datetime(year + 1, 1, 1), "year")
    if point.grain == "holiday":
        return _holiday(point.number or 0, year)
    if point.grain in ("half", "quarter"):
        size = _MONTHS[point.grain]
        start = datetime(year, (point.number or 0) * size - size + 1, 1)
        return _Span(start, _add_months(start, size), point.grain)
    if point.grain == "part":
        start = datetime(year, point.month or 0, 1)
        ends = (start + timedelta(days=10), start + timedelta(days=20), _add_months(start, 1))
        index = (point.number or 1) - 1
        return _Span(start + timedelta(days=10 * index), ends[index], "day")
    if point.grain == "month":
        start = datetime(year, point.month or 0, 1)
        return _Span(start, _add_months(start, 1), "month")
    day = datetime(year, point.month or 0, point.day or 0)
    if point.grain == "week":
        monday = _floor(day, "week")
        return _Span(monday, monday + timedelta(weeks=1), "week")
    if point.clock is None:
        return _Span(day, day + timedelta(days=1), "day")
    hour, minute, second = point.clock
    at = day + timedelta(days=hour == 24) + timedelta(hours=hour % 24 if hour <= 24 else 0)
    if hour > 24 or minute > 59 or second > 59:
        raise ValueError("no such time of day")
    at += timedelta(minutes=minute, seconds=second)
    if point.utc_offset is not None:
        at = (at - timedelta(minutes=point.utc_offset)).replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return _Span(at, at + timedelta(hours=1), "hour")


def _holiday(index: int, year: int) -> _Span:
    entry = words()["holidays"][index]
    if "first" in entry:
        month, day = (int(part) for part in entry["first"].split("-"))
        start = datetime(year, month, day)
    else:
        days = [date.fromisoformat(text) for text in entry["dates"] if text.startswith(str(year))]
        if not days:
            raise ValueError("the date of this holiday in that year is not known")
        start = datetime.combine(days[0], time()) - timedelta(days=entry["lead"])
    return _Span(start, start + timedelta(days=entry["days"]), "day")


def _dated(point: Point) -> bool:
    """Whether the point itself says which year."""
    return any(part is not None for part in (point.year, point.year_offset, point.offset, point.month_offset)) or bool(
        point.weekday
    )


def _floor(at: datetime, unit: str) -> datetime:
    day = datetime.combine(at.date(), time())
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit in _MONTHS:
        size = _MONTHS[unit]
        return day.replace(month=(day.month - 1) // size * size + 1, day=1)
    return day


def _back(at: datetime, unit: str, count: int) -> datetime:
    if unit in _MONTHS:
        return _add_months(at, -count * _MONTHS[unit])
    hours = {"hour": 1, "day": 24, "week": 168}[unit]
    try:
        return at - timedelta(hours=hours * count)
    except OverflowError as error:
        raise ToolInputError("the period reaches outside the calendar") from error


def _add_months(at: datetime, months: int) -> datetime:
    index = at.year * 12 + at.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise ToolInputError("the period reaches outside the calendar")
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def _whole_months(start: datetime, end: datetime, grain: str) -> int:
    """How many months the span is made of; 0 where it is counted in days."""
    rolling = grain.startswith("rolling:")
    aligned = start.day == 1 == end.day and start.time() == end.time() == time() and grain not in ("day", "hour")
    if not (rolling or aligned):
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _ends(period: ResolvedPeriod) -> tuple[datetime, datetime]:
    if period.start is None or period.end is None:
        raise ToolInputError("there is no period before an unbounded one; give `period` a beginning and an end")
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)


def _shifted(
    period: ResolvedPeriod, move: Callable[[datetime], datetime], language: Language
) -> ResolvedPeriod:
    start, end = _ends(period)
    zone = period.start.tzinfo if period.start else None
    assert isinstance(zone, ZoneInfo)
    return _period(_Span(move(start), move(end), period.grain), zone, language)


def _period(span: _Span, zone: ZoneInfo, language: Language) -> ResolvedPeriod:
    start = span.start.replace(tzinfo=zone) if span.start else None
    end = span.end.replace(tzinfo=zone) if span.end else None
    window = Window(start.astimezone(UTC) if start else None, end.astimezone(UTC) if end else None)
    return ResolvedPeriod(window, _label(span, language), start, end, span.grain)


def _label(span: _Span, language: Language) -> str:
    """Name a span by its calendar shape; the last day is named, not the first after."""
    start, end = span.start, span.end
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
            return f"{start.year}年{start.month}月" if zh else f"{calendar.month_name[start.month]} {start.year}"
    last = end - timedelta(days=1) if end.time() == time() else end
    if last == start:
        return _day(start)
    return f"{_day(start)} 至 {_day(last)}" if zh else f"{_day(start)} to {_day(last)}"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d" if at.time() == time() else "%Y-%m-%d %H:%M")
