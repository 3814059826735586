"""Which daily series are watched for anomalies: the whole, the groups of dimensions, pairs of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Final

from analytics.sums import Sums
from analytics.surveillance import WINDOW_DAYS
from store.facts import Aggregate, Selection, Window
from tools.arguments import Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.daily import daily_sums
from tools.dimensions import find_dimension
from tools.measures import Measure, find_measure
from tools.selection import Chosen

# Conditions that all items of a series meet; () is the whole.
Scope = tuple[tuple[str, str], ...]
Daily = Mapping[date, Sums]

AUTO: Final = "auto"
COMPLAINTS: Final = "complaints"
_NEGATIVE: Final = {"sentiment": ("negative",)}
_WATCHED: Final = (("topic",), ("theme",), ("product",), ("region",), ("org_unit",), ("topic", "region"))
# Means and shares need more items a day than most stores and pairs have.
_WATCHED_LEVELS: Final = (("topic",),)
# The largest groups that are watched: of a dimension, of a pair.
_GROUPS: Final = {1: 100, 2: 400}


@dataclass(frozen=True)
class Watched:
    """A metric by the name that results give it, and the items of the period that it counts."""

    name: str
    measure: Measure
    selection: Selection

    def past(self) -> Selection:
        """The items of the period and of the weeks before it: what its first days are judged by."""
        window = self.selection.window
        start = None if window.start is None else window.start - timedelta(days=WINDOW_DAYS)
        return replace(self.selection, window=Window(start, window.end))

    def inside(self, scope: Scope, window: Window) -> Selection:
        """The items of a scope in a window."""
        filters = dict(self.selection.filters)
        for dimension, value in scope:
            filters[dimension] = (value,)
        return Selection(window, filters, self.selection.exclude)


def watched_metric(metric: str | None, chosen: Chosen, context: ToolContext, language: Language) -> Watched:
    """The metric asked for; None is complaints, the number of items with negative words.

    Where the sentiment is filtered already, or no item has one, None is the number of items.
    """
    selection = chosen.selection
    rated = "sentiment" in context.facts.catalogue().dimensions and "sentiment" not in selection.filters
    if metric == COMPLAINTS or (metric is None and rated):
        counted = Measure("volume", "count", None, caveat("complaints_title", language))
        return Watched(COMPLAINTS, counted, chosen.also(_NEGATIVE))
    measure = find_measure(metric or "volume", context, language)
    return Watched(measure.name, measure, selection)


def groupings(
    group_by: str | Sequence[str] | None, watched: Watched, context: ToolContext
) -> list[tuple[str, ...]]:
    """What to split by: the dimensions named, or those of the data that are always worth a look.

    A dimension that is filtered to one value is the whole, and is left out.
    """
    catalogue = context.facts.catalogue()
    if group_by != AUTO:
        names = [group_by] if isinstance(group_by, str) else group_by or []
        return [(find_dimension(name, catalogue),) for name in names if name.strip()]
    wanted = _WATCHED if watched.measure.kind == "count" else _WATCHED_LEVELS
    there = {*catalogue.dimensions, *(["theme"] if context.facts.themes() else [])}
    fixed = {name for name, values in watched.selection.filters.items() if len(values) == 1}
    return [names for names in wanted if there.issuperset(names) and fixed.isdisjoint(names)]


def daily_series(
    watched: Watched, split: Sequence[tuple[str, ...]], today: date, context: ToolContext
) -> dict[Scope, Daily]:
    """Days by scope, one grouped query for each grouping; today, which is not over, is left out."""
    past = watched.past()
    whole = _before(daily_sums(watched.measure, past, context), today)
    series: dict[Scope, Daily] = {(): whole}
    for dimensions in split if whole else ():
        groups = daily_groups(watched.measure, past, dimensions, context)
        scopes = sorted(groups, key=lambda scope: -sum(sums.n for sums in groups[scope].values()))
        for scope in scopes[: _GROUPS.get(len(dimensions), _GROUPS[2])]:
            series[scope] = _before(groups[scope], today)
    return series


def daily_groups(
    measure: Measure, selection: Selection, dimensions: tuple[str, ...], context: ToolContext
) -> dict[Scope, dict[date, Sums]]:
    """Sums by day for each combination of values that is given."""
    found: dict[Scope, dict[date, Sums]] = {}
    parse = cache(date.fromisoformat)
    question = Aggregate(measure.name, selection, group_by=("date", *dimensions))
    for group in context.facts.aggregate(question):
        day, *values = group.key
        given = [value for value in values if value is not None]
        if day and len(given) == len(values):
            scope = tuple(zip(dimensions, given, strict=True))
            sums = Sums(group.n, group.total, group.squares)
            found.setdefault(scope, {})[parse(day)] = sums
    return found


def _before(daily: Daily, today: date) -> Daily:
    return {day: sums for day, sums in daily.items() if day < today}
