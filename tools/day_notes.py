"""What else happened on a day: public holidays, releases, promotions, as the data and the calendar know."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from store.facts import Aggregate, Selection
from tools.arguments import Language
from tools.context import ToolContext
from tools.day_events import Happening, happenings

# A dimension of the data whose values begin and end: a version is released, a promotion runs.
_RELEASES = "version"
_LISTED = 20
_NEARBY = timedelta(days=2)


def day_notes(
    selection: Selection, first: date, end: date, context: ToolContext, language: Language
) -> list[dict[str, Any]]:
    """Holidays, calendar entries and first days of versions in a half-open span, in order.

    Rows are {day, kind, name}, of more than a day with `to`, the last one. A version counts as released on
    its first day if that lies after the first week of the data (before, it was simply there), unless the
    calendar says when it was.
    """
    known, _ = happenings(selection, first, end, context, language)
    notes = [_note(one) for one in known]
    said = {one.name for one in known if one.kind == "release"}
    notes += [one for one in _releases(selection, first, end, context) if one["name"] not in said]
    return sorted(notes, key=lambda note: note["day"])


def _note(one: Happening) -> dict[str, Any]:
    note = {"day": one.first.isoformat(), "kind": one.kind, "name": one.name}
    return note if one.first == one.last else {**note, "to": one.last.isoformat()}


def nearby(notes: Sequence[dict[str, Any]], start: date, end: date) -> list[dict[str, Any]]:
    """The notes of a span and of the two days before it: what may have brought it about."""
    return [
        note
        for note in notes
        if date.fromisoformat(note["day"]) < end
        and start - _NEARBY <= date.fromisoformat(note.get("to", note["day"]))
    ]


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
