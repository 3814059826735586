"""What else happened on a day: public holidays, releases, promotions, as the data and the calendar know."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from retention.policy import load_policy
from store.facts import Aggregate, Selection
from tools.arguments import Language
from tools.context import ToolContext

# A dimension of the data whose values begin and end: a version is released, a promotion runs.
_RELEASES = "version"
_LISTED = 20
_NEARBY = timedelta(days=2)


def day_notes(
    selection: Selection, first: date, end: date, context: ToolContext, language: Language
) -> list[dict[str, Any]]:
    """Holidays and first days of versions in a half-open span, in order: {day, kind, name}.

    A version counts as released on its first day if that lies after the first week of the data (before, it
    was simply there).
    """
    calendar = load_policy().working_calendar()
    notes: list[dict[str, Any]] = []
    previous = None
    for step in range((end - first).days):
        day = first + timedelta(days=step)
        name = calendar.holiday_name(day, language)
        if name and name != previous:
            notes.append({"day": day.isoformat(), "kind": "holiday", "name": name})
        previous = name
    notes += _releases(selection, first, end, context)
    return sorted(notes, key=lambda note: note["day"])


def nearby(notes: Sequence[dict[str, Any]], start: date, end: date) -> list[dict[str, Any]]:
    """The notes of a span and of the two days before it: what may have brought it about."""
    return [note for note in notes if start - _NEARBY <= date.fromisoformat(note["day"]) < end]


def _releases(selection: Selection, first: date, end: date, context: ToolContext) -> list[dict[str, Any]]:
    info = context.facts.catalogue().dimensions.get(_RELEASES)
    if info is None or not 1 < info.distinct <= 200:
        return []
    seen: dict[str, date] = {}
    begins: date | None = None
    everything = Selection(filters=selection.filters, exclude=selection.exclude)
    for group in context.facts.aggregate(Aggregate("volume", everything, group_by=("date", _RELEASES))):
        written, version = group.key
        if not written or version is None:
            continue
        day = date.fromisoformat(written)
        begins = day if begins is None else min(begins, day)
        seen[version] = min(seen.get(version, day), day)
    if begins is None:
        return []
    released = [
        (day, version)
        for version, day in seen.items()
        if first <= day < end and day - begins > timedelta(days=7)
    ]
    listed = sorted(released)[:_LISTED]
    return [{"day": day.isoformat(), "kind": "release", "name": version} for day, version in listed]
