"""Holidays and the company's own calendar, as what touches a selection and as what moves its days."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from analytics.autoregression import Floats
from analytics.event_effects import EventEffect, Span, event_effects, on_days
from retention.working_days import WorkingCalendar
from store.errors import ToolInputError
from store.facts import Selection
from tools.arguments import Language
from tools.calendar_file import ExternalEvent
from tools.caveats import caveat
from tools.context import ToolContext
from tools.measures import Measure, rounded
from tools.selection import normalise

# What recurs and is known beforehand or leaves a dent; a release or a rival's move changes what comes after.
_REGRESSORS: Final = ("holiday", "promotion", "outage")
_LEAST_OF_A_NAME = 2


@dataclass(frozen=True)
class Happening:
    """Something from its first to its last day, both included."""

    kind: str
    name: str
    first: date
    last: date
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def happenings(
    selection: Selection, first: date, end: date, context: ToolContext, language: Language
) -> tuple[list[Happening], list[str]]:
    """Holidays and calendar entries that touch a selection in a half-open span, in order; and doubts.

    An entry for other values than those selected does not touch it; one that names what the data does not
    know is left out, and a doubt says so.
    """
    found = _holidays(first, end, context.policy.working_calendar(), language)
    doubts = []
    for event in context.calendar:
        if event.last < first or event.first >= end:
            continue
        try:
            touched = _touches(event, selection, context)
        except ToolInputError as error:
            doubts.append(caveat("event_unknown", language, event=event.name, reason=error.message))
            continue
        if touched:
            found.append(Happening(event.kind, event.name, event.first, event.last, event.where))
    return sorted(found, key=lambda one: (one.first, one.kind, one.name)), doubts


@dataclass(frozen=True)
class EventDays:
    """What happens over the days of a series and after, and what each kind of it did to the series so far."""

    events: tuple[Happening, ...]
    effects: Mapping[str, EventEffect]
    spans: Mapping[str, tuple[Span, ...]]
    relative: bool
    doubts: tuple[str, ...]

    def moved(self, days: Sequence[date]) -> Floats:
        """What the events add to each day, shape (n,); of effects whose interval leaves out zero alone."""
        return on_days(days, {name: one.value for name, one in self._sure().items()}, self.spans)

    def doubt(self, days: Sequence[date]) -> Floats:
        """Half the width of the interval of what is added, shape (n,)."""
        halves = {name: (one.high - one.low) / 2 for name, one in self._sure().items()}
        return on_days(days, halves, self.spans)

    def rows(self) -> list[dict[str, Any]]:
        """Each event as results show it: {name, kind, from, to, effect, ci_low, ci_high, unit, occurrences}.

        `effect` is in the metric's unit, of counts relative (0.5: half as many again); None where too few
        past occurrences tell. `used` says whether the figures allow for it.
        """
        return [self._row(event) for event in self.events]

    def _row(self, event: Happening) -> dict[str, Any]:
        found = self.effects.get(_group(event, self.spans))
        figures: dict[str, Any] = dict.fromkeys(("effect", "ci_low", "ci_high", "unit", "occurrences"))
        if found is not None:
            show = math.expm1 if self.relative else float
            ends = [rounded(show(value)) for value in (found.value, found.low, found.high)]
            figures = dict(zip(("effect", "ci_low", "ci_high"), ends, strict=True))
            figures |= {"unit": "relative" if self.relative else "metric", "occurrences": found.occurrences}
        return {
            "name": event.name,
            "kind": event.kind,
            "from": event.first.isoformat(),
            "to": event.last.isoformat(),
            **figures,
            "used": found is not None and found.significant,
        }

    def _sure(self) -> dict[str, EventEffect]:
        return {name: one for name, one in self.effects.items() if one.significant}


def event_days(
    measure: Measure,
    selection: Selection,
    series: Mapping[date, float],
    end: date,
    context: ToolContext,
    language: Language,
) -> EventDays:
    """The events from the first day of a series to before `end`, and their effects on it.

    `series` holds the values of days in order, of counts their log(1 + n). Entries of one name are one kind
    of event where it was seen twice, else all of a kind are.
    """
    days = list(series)
    if not days:
        return EventDays((), {}, {}, False, ())
    found, doubts = happenings(selection, days[0], end, context, language)
    spans: dict[str, list[Span]] = {}
    names: dict[str, int] = {}
    for event in found:
        names[_own(event)] = names.get(_own(event), 0) + (event.first <= days[-1])
    for event in found:
        if event.kind in _REGRESSORS:
            group = _own(event) if names[_own(event)] >= _LEAST_OF_A_NAME else event.kind
            spans.setdefault(group, []).append((event.first, event.last))
    grouped = {name: tuple(each) for name, each in spans.items()}
    effects = event_effects(days, list(series.values()), grouped)
    return EventDays(tuple(found), effects, grouped, measure.kind == "count", tuple(doubts))


def _own(event: Happening) -> str:
    return f"{event.kind}:{event.name}"


def _group(event: Happening, spans: Mapping[str, Sequence[Span]]) -> str:
    return _own(event) if _own(event) in spans else event.kind


def _holidays(first: date, end: date, calendar: WorkingCalendar, language: Language) -> list[Happening]:
    """Public holidays that no working day parts, by their commonest name: days off in lieu have their own."""
    runs: list[list[tuple[date, str]]] = []
    joined = False
    for step in range((end - first).days):
        day = first + timedelta(days=step)
        name = calendar.holiday_name(day, language)
        joined = joined and not calendar.is_working_day(day)
        if name and joined:
            runs[-1].append((day, name))
        elif name:
            runs.append([(day, name)])
            joined = True
    return [
        Happening("holiday", Counter(name for _, name in run).most_common(1)[0][0], run[0][0], run[-1][0])
        for run in runs
    ]


def _touches(event: ExternalEvent, selection: Selection, context: ToolContext) -> bool:
    where, _ = normalise({name: list(values) for name, values in event.where.items()}, context)
    for name, values in where.items():
        kept, left_out = selection.filters.get(name), selection.exclude.get(name, ())
        if kept is not None and not set(kept) & set(values):
            return False
        if set(values) <= set(left_out):
            return False
    return True
