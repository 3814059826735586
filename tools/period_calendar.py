"""From a phrase to a calendar span, on the wall clock of one moment."""

import calendar
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from store.errors import ToolInputError
from tools.arguments import PeriodArg
from tools.period_grammar import Phrase, parse
from tools.period_points import Point, told_by
from tools.period_words import words
from tools.refusals import Refusal

MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
"""Units made of whole months."""


class Span(NamedTuple):
    """Naive local start and end (None: unbounded) and what the span is made of."""

    start: datetime | None
    end: datetime | None
    grain: str


class Bounded(NamedTuple):
    """A span with both ends."""

    start: datetime
    end: datetime
    grain: str


class CalendarReader:
    """Evaluates phrases against one moment; `near` is where a missing year is looked for first."""

    def __init__(self, now: datetime, zone: ZoneInfo, near: datetime | None) -> None:
        self._now, self._zone, self._near = now, zone, near
        self._today = datetime.combine(now.date(), time())
        self._tomorrow = self._today + timedelta(days=1)

    def argument(self, period: PeriodArg) -> Span:
        """Evaluate explicit ends; ToolInputError where they are reversed or no dates."""
        start, end = self._edge(period.from_, "from"), self._edge(period.to, "to")
        if start and end and start >= end:
            raise Refusal("period_reversed_ends", first=period.from_, last=period.to)
        if start is None and end is None:
            return Span(None, None, "all")
        whole_days = all(at is None or at.time() == time() for at in (start, end))
        return Span(start, end, "span" if whole_days else "hour")

    def _edge(self, written: str | None, name: str) -> datetime | None:
        if written is None or not written.strip():
            return None
        phrase = parse(written)
        if phrase is None or phrase.form != "point" or phrase.first is None:
            raise Refusal("period_edge", name=name, written=written)
        return self._point(phrase.first, written).start

    def phrase(self, phrase: Phrase, written: str) -> Span:
        """Evaluate; `written` is what errors quote."""
        if phrase.form == "all":
            return Span(None, None, "all")
        if phrase.form == "vague":
            return self._rolling("day", int(words()["vague_days"]))
        if phrase.form == "rolling":
            return self._rolling(phrase.unit, phrase.count)
        if phrase.form == "complete":
            end = self._now if phrase.unit == "hour" else floor(self._now, phrase.unit)
            return Span(back(end, phrase.unit, phrase.count), end, phrase.unit)
        if phrase.form == "to_date":
            return Span(floor(self._now, phrase.unit), self._tomorrow, f"to_date:{phrase.unit}")
        assert phrase.first is not None
        if phrase.form == "range" and phrase.second is not None:
            return self._range(phrase.first, phrase.second, written)
        return self._edged(phrase, self._point(phrase.first, written), written)

    def _edged(self, phrase: Phrase, span: Bounded, written: str) -> Span:
        if phrase.form == "point":
            return Span(*span)
        if phrase.form in ("until", "before"):
            return Span(None, span.end if phrase.form == "until" else span.start, "span")
        start = span.start if phrase.form == "since" else span.end
        if start >= self._tomorrow:
            raise Refusal("period_ahead", written=written, today=f"{self._today:%Y-%m-%d}")
        grain = (
            f"to_date:{span.grain}"
            if phrase.form == "since" and span.end and span.end > self._now
            else "span"
        )
        return Span(start, self._tomorrow, grain if grain.partition(":")[2] in (*MONTHS, "week") else "span")

    def _rolling(self, unit: str, count: int) -> Span:
        if count < 1:
            raise Refusal("period_length")
        end = self._now if unit == "hour" else self._tomorrow
        grain = unit if unit in ("hour", "day", "week") else f"rolling:{unit}"
        return Span(back(end, unit, count), end, "day" if grain == "week" else grain)

    def _range(self, first: Point, second: Point, written: str) -> Span:
        first, second = told_by(first, second), told_by(second, first)
        start, end = self._point(first, written), self._point(second, written)
        free = not _dated(first), not _dated(second)
        if (
            end.start < start.start
            and free[1]
            and (first.month, first.number) != (second.month, second.number)
        ):
            # 12月到1月: the end is in the year after, or the beginning in the year before.
            later = self._point(replace(second, year=end.start.year + 1), written)
            if free[0] and later.start > self._now:
                start = self._point(replace(first, year=start.start.year - 1), written)
            else:
                end = later
        elif all(free) and second.month and start.start.year < self._now.year:
            # 10月到12月 asked in November: the end of the same year, begun or not.
            same = self._point(replace(second, year=start.start.year), written)
            end = same if same.start >= start.start else end
        stop = end.start if second.grain == "instant" else end.end
        if stop <= start.start:
            raise Refusal("period_reversed", written=written)
        return Span(start.start, stop, start.grain if start.grain == end.grain else "span")

    def _point(self, point: Point, written: str) -> Bounded:
        if point.ambiguous:
            raise Refusal("period_ambiguous", written=written)
        if point.offset is not None and point.weekday is None and point.grain != "weekend":
            return self._relative(point.grain, point.offset)
        if point.grain in ("day", "weekend") and (point.weekday or point.grain == "weekend"):
            return self._weekday(point)
        return self._year_chosen(point, written)

    def _relative(self, unit: str, offset: int) -> Bounded:
        start = floor(self._now, unit)
        start = back(start, unit, -offset)
        return Bounded(start, back(start, unit, -1), unit)

    def _weekday(self, point: Point) -> Bounded:
        monday = floor(self._now, "week") + timedelta(weeks=point.offset or 0)
        if point.grain == "weekend":
            start = monday + timedelta(days=5)
            if point.last and start > self._now:
                start -= timedelta(weeks=1)
            return Bounded(start, start + timedelta(days=2), "day")
        assert point.weekday is not None
        start = monday + timedelta(days=point.weekday - 1)
        if point.offset is None and (start > self._today or (point.last and start == self._today)):
            start -= timedelta(weeks=1)
        return Bounded(start, start + timedelta(days=1), "day")

    def _year_chosen(self, point: Point, written: str) -> Bounded:
        if point.year is not None:
            return self._dated(point, point.year, written)
        if point.year_offset is not None:
            return self._dated(point, self._now.year + point.year_offset, written)
        if point.month_offset is not None:
            month = add_months(floor(self._now, "month"), point.month_offset)
            return self._dated(replace(point, month=month.month), month.year, written)
        if point.grain == "day" and point.month is None:
            return self._day_only(point, written)
        return self._latest(point, written)

    def _day_only(self, point: Point, written: str) -> Bounded:
        month = floor(self._now, "month")
        for back in range(3):
            candidate = add_months(month, -back)
            last = calendar.monthrange(candidate.year, candidate.month)[1]
            if point.day and point.day <= last and candidate + timedelta(days=point.day - 1) <= self._now:
                return self._dated(replace(point, month=candidate.month), candidate.year, written)
        raise Refusal("period_no_day", written=written)

    def _latest(self, point: Point, written: str) -> Bounded:
        base = (self._near or self._now).year
        options, problem = [], None
        for year in range(base - 5, base + 2):
            try:
                options.append(self._dated(point, year, written))
            except ToolInputError as error:
                problem = error
        limit = floor(self._now, "month") if point.last else self._now
        begun = [s for s in options if s.start < limit or (s.start == limit and not point.last)]
        if not begun:
            raise problem or Refusal("period_not_begun", written=written)
        if self._near is None:
            return begun[-1]
        near = self._near
        return min(begun, key=lambda span: abs(span.start - near))

    def _dated(self, point: Point, year: int, written: str) -> Bounded:
        if not 1900 <= year <= 2200:
            raise Refusal("period_year", written=written)
        try:
            return _built(point, year, self._zone)
        except (ValueError, OverflowError) as error:
            raise Refusal("period_impossible", written=written) from error


def _built(point: Point, year: int, zone: ZoneInfo) -> Bounded:
    """The span of a point whose year is known; ValueError where there is no such date."""
    if point.grain == "year":
        return Bounded(datetime(year, 1, 1), datetime(year + 1, 1, 1), "year")
    if point.grain == "holiday":
        return _holiday(point.number or 0, year)
    if point.grain in ("half", "quarter"):
        size = MONTHS[point.grain]
        start = datetime(year, (point.number or 0) * size - size + 1, 1)
        return Bounded(start, add_months(start, size), point.grain)
    if point.grain == "part":
        start = datetime(year, point.month or 0, 1)
        first, last = {1: (0, 10), 2: (10, 20), 3: (20, 31), 4: (0, 15), 5: (15, 31)}[point.number or 1]
        end = min(start + timedelta(days=last), add_months(start, 1))
        return Bounded(start + timedelta(days=first), end, "day")
    if point.grain == "month":
        start = datetime(year, point.month or 0, 1)
        return Bounded(start, add_months(start, 1), "month")
    day = datetime(year, point.month or 0, point.day or 0)
    if point.grain == "week":
        monday = floor(day, "week")
        return Bounded(monday, monday + timedelta(weeks=1), "week")
    if point.clock is None:
        return Bounded(day, day + timedelta(days=1), "day")
    hour, minute, second = point.clock
    at = day + timedelta(days=hour == 24) + timedelta(hours=hour % 24 if hour <= 24 else 0)
    if hour > 24 or minute > 59 or second > 59:
        raise ValueError("no such time of day")
    at += timedelta(minutes=minute, seconds=second)
    if point.utc_offset is not None:
        at = (
            (at - timedelta(minutes=point.utc_offset))
            .replace(tzinfo=UTC)
            .astimezone(zone)
            .replace(tzinfo=None)
        )
    return Bounded(at, at + timedelta(hours=1), "hour")


def _holiday(index: int, year: int) -> Bounded:
    entry = words()["holidays"][index]
    if "first" in entry:
        month, day = (int(part) for part in entry["first"].split("-"))
        start = datetime(year, month, day)
    else:
        days = [date.fromisoformat(text) for text in entry["dates"] if text.startswith(str(year))]
        if not days:
            raise ValueError("the date of this holiday in that year is not known")
        start = datetime.combine(days[0], time()) - timedelta(days=entry["lead"])
    return Bounded(start, start + timedelta(days=entry["days"]), "day")


def _dated(point: Point) -> bool:
    """Whether the point itself says which year."""
    return any(
        part is not None for part in (point.year, point.year_offset, point.offset, point.month_offset)
    ) or bool(point.weekday)


def floor(at: datetime, unit: str) -> datetime:
    """The beginning of the day, week, month ... that holds this time."""
    day = datetime.combine(at.date(), time())
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit in MONTHS:
        size = MONTHS[unit]
        return day.replace(month=(day.month - 1) // size * size + 1, day=1)
    return day


def back(at: datetime, unit: str, count: int) -> datetime:
    """Go back (or, below zero, on) by so many units."""
    if unit in MONTHS:
        return add_months(at, -count * MONTHS[unit])
    hours = {"hour": 1, "day": 24, "week": 168}[unit]
    try:
        return at - timedelta(hours=hours * count)
    except OverflowError as error:
        raise Refusal("period_outside") from error


def add_months(at: datetime, months: int) -> datetime:
    """Move by months; the day is cut to the length of the month."""
    index = at.year * 12 + at.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise Refusal("period_outside")
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))
