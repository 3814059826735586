"""Periods told by a value of the data: "since 5.2.0 came out", "what did the carnival do to NPS".

The value says when, not which rows: nobody had the release before it came out, so the days from its first
appearance on are held against as many days before, over everybody.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, Literal

from agent.frame import Anchor, Frame, Life
from agent.word_matching import ValueHit, matcher
from store.facts import Aggregate, FactStore, Selection

# Of the items that carry the value, so many may be dated before it came out, or after it ended.
_STRAY: Final = 0.01
# After a release the first two weeks are asked about; later ones hold the next release too.
_AFTER_DAYS: Final = 14
_FEWEST_DAYS: Final = 2
# A value that is there for more than so much of the data marks no event.
_EVENT_SHARE: Final = 1 / 3
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


LifeOf = Callable[[str, str], Life | None]


def life_in(facts: FactStore) -> LifeOf:
    """Looks lives up in the facts; None for a value without dated items."""

    def life_of(dimension: str, value: str) -> Life | None:
        selection = Selection(filters={dimension: (value,)})
        groups = facts.aggregate(Aggregate("volume", selection, group_by=("date",)))
        days = sorted((g.key[0], g.n) for g in groups if g.key[0] and _ISO_DATE.fullmatch(g.key[0]))
        if not days:
            return None
        allowed = _STRAY * sum(n for _, n in days)
        return Life(_first(days, allowed), _first(days[::-1], allowed))

    return life_of


def _first(days: Sequence[tuple[str, int]], allowed: float) -> date:
    passed = 0
    for day, n in days:
        passed += n
        if passed > allowed:
            return date.fromisoformat(day)
    raise AssertionError("more items than there are")


def anchored(
    frame: Frame, text: str, values: Sequence[ValueHit], life_of: LifeOf, data_days: tuple[date, date] | None
) -> Frame:
    """The frame with its periods told by a value of the question, where it is asked about as an event.

    That is where no period is named, a change is asked about, and the value is followed by words such as
    上线之后 (a release), or preceded or followed by words such as 让 and 期间 (an event that ended).
    """
    changes = {"compare", "why"} & set(frame.goals) or (frame.claims and "figure" in frame.goals)
    if frame.period is not None or not changes or data_days is None:
        return frame
    for hit in values:
        kind = _kind(text, hit)
        life = life_of(hit.dimension, hit.value) if kind else None
        if kind is None or life is None:
            continue
        span = _span(kind, life, data_days)
        if span is None:
            continue
        first, end = span
        before = first - (end - first)
        filters = {d: v for d, v in frame.filters.items() if d != hit.dimension}
        goals = tuple("compare" if goal == "figure" else goal for goal in frame.goals)
        return replace(
            frame,
            goals=goals,
            filters=filters,
            period={"from": first.isoformat(), "to": end.isoformat()},
            compare_to={"from": before.isoformat(), "to": first.isoformat()},
            anchor=Anchor(hit.dimension, hit.value, kind, life),
        )
    return frame


def _kind(text: str, hit: ValueHit) -> Literal["release", "event"] | None:
    """What the words around a value say it is."""
    for cue in matcher("value_span").find(text):
        if cue.tag == "released" and 0 <= cue.start - hit.end <= 3:
            return "release"
        if cue.tag == "since" and 0 <= hit.start - cue.end <= 3:
            return "release"
        if cue.tag == "made" and 0 <= cue.start - hit.end <= 3:
            return "event"
    return None


def _span(
    kind: Literal["release", "event"], life: Life, data_days: tuple[date, date]
) -> tuple[date, date] | None:
    """First day and the day after the last; None where too little lies before, or the value is no event."""
    first_day, last_day = data_days
    end = life.last + timedelta(days=1)
    if kind == "release":
        end = min(end, life.first + timedelta(days=_AFTER_DAYS))
    elif (end - life.first).days > _EVENT_SHARE * ((last_day - first_day).days + 1):
        return None
    length = min((end - life.first).days, (life.first - first_day).days)
    if length < _FEWEST_DAYS:
        return None
    return life.first, (life.first + timedelta(days=length) if kind == "release" else end)
