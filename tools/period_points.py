"""A single point in time as written, read off one of the shapes of `period_shapes`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

from tools import period_shapes as shapes
from tools.period_words import holidays, month_names, number, relative, unit_name, words

Grain = Literal[
    "instant", "day", "weekend", "week", "part", "month", "quarter", "half", "year", "holiday", "bare"
]

_GRAINS: Mapping[str, Grain] = {grain: grain for grain in get_args(Grain)}


@dataclass(frozen=True)
class Point:
    """One instant, day, week, month ... as written; what was not written is None.

    `year_offset` is relative to this year, `offset` counts units of `grain` from the current one, `number`
    is the part of a month (thirds 1-3, halves 4-5), the quarter, the half, or the holiday's index. `last`
    asks for the latest one wholly before the current. `clock` is (hour, minute,
    second), `utc_offset` minutes.
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
    day_first: bool | None = None


class Reading(NamedTuple):
    """A point, where it ends in the text, and the name of the shape it was read by."""

    point: Point
    end: int
    shape: str


def points(text: str, at: int) -> Iterator[Reading]:
    """Every way to read a point that begins at this place."""
    for name, pattern in shapes.points():
        if (match := pattern.match(text, at)) and (point := _point(name, match)):
            yield Reading(point, match.end(), name)


def _point(name: str, match: re.Match[str]) -> Point | None:
    said = {key: value for key, value in match.groupdict().items() if value is not None}
    if "relative" in said:
        unit, offset = relative()[said["relative"]]
        return Point(_GRAINS[unit], offset=offset)
    if name == "ago":
        unit = unit_name(said["unit"])
        return None if unit == "hour" else Point(_GRAINS[unit], offset=-number(said["count"]))
    if "weekday" in said or "enweekday" in said:
        return _weekday(said)
    if name == "us":
        return _slashed(int(said["a"]), int(said["b"]), int(said["year"]))
    year, year_offset = _year(said)
    if "holiday" in said:
        return Point("holiday", year=year, year_offset=year_offset, number=holidays()[said["holiday"]])
    month = number(said["month"]) if "month" in said else month_names().get(said.get("monthname", ""))
    point = Point("year", year=year, year_offset=year_offset, month=month, last=said.get("last") == "last")
    if "monthword" in said:
        point = replace(point, month_offset=-said["monthword"].count("上"))
    if "monthhalf" in said:
        return replace(point, grain="part", number=4 if said["monthhalf"] in ("上半月", "first") else 5)
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
        return Point(
            "day", weekday="一二三四五六日".find(said["weekday"].replace("天", "日")) + 1, offset=offset
        )
    if said["enweekday"] == "weekend":
        return Point("weekend", offset=-1 if said["enweekword"] == "last" else 0)
    offset = 0 if said.get("enweekword") == "this" else None
    names = {name: day for day, spellings in words()["weekdays"].items() for name in spellings}
    return Point("day", weekday=names[said["enweekday"]], offset=offset, last=True)


def _slashed(a: int, b: int, year: int) -> Point:
    if a > 12:
        return Point("day", year=year, month=b, day=a, day_first=True)
    ambiguous = b <= 12 and a != b
    return Point("day", year=year, month=a, day=b, ambiguous=ambiguous, day_first=False if b > 12 else None)


def told_by(point: Point, other: Point) -> Point:
    """An ambiguous 8/1/2026 in the order that the other end of its range tells (8/31/2026)."""
    if not point.ambiguous or other.day_first is None:
        return point
    month, day = (point.day, point.month) if other.day_first else (point.month, point.day)
    return replace(point, month=month, day=day, ambiguous=False)


def _year(said: Mapping[str, str]) -> tuple[int | None, int | None]:
    if word := said.get("yearword") or said.get("yearword2"):
        return None, {
            "今年": 0,
            "本年": 0,
            "this year": 0,
            "去年": -1,
            "上年": -1,
            "last year": -1,
            "前年": -2,
        }[word]
    written = said.get("year") or said.get("year2") or said.get("yy")
    if written is None:
        return None, None
    return (2000 + int(written) if len(written) == 2 else int(written)), None


def _ordinal(word: str) -> int:
    return {"first": 1, "second": 2, "third": 3, "fourth": 4}.get(word) or number(
        re.sub(r"^q|st$|nd$|rd$|th$", "", word)
    )


def _half(said: Mapping[str, str]) -> int:
    word = said.get("half") or said["quarter"]
    return 1 if word in ("上半年", "first", "1st", "h1") else 2
