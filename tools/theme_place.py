"""Where a theme stands out, the areas that themes lie in, and what became of each: rows for answers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from store.facts import Aggregate
from store.records import Theme
from tools.arguments import Language
from tools.context import ToolContext
from tools.groups import Namer
from tools.measures import rounded
from tools.selection import Chosen
from tools.theme_activity import ThemeActivity

_DIMENSIONS = ("region", "channel", "product")
_MOST_VALUES = 500
_LEAST = 5
# Standard errors above what is usual: lists hold tens of themes with tens of values each.
_FAR = 3.5
_EVENTS = 10


def places(
    theme_ids: Sequence[str], chosen: Chosen, context: ToolContext, language: Language
) -> dict[str, list[dict[str, Any]]]:
    """The region, channel and product in which each theme is raised unusually often, farthest first.

    Only what lies 3.5 standard errors of a proportion above the share of all feedback; one a dimension.
    """
    if not theme_ids:
        return {}
    known, namer = context.facts.catalogue().dimensions, Namer(context, language)
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for name in _DIMENSIONS:
        if name not in known or not 1 < known[name].distinct <= _MOST_VALUES:
            continue
        usual = _shares(chosen, name, context)
        for theme_id, counts in _by_theme(theme_ids, chosen, name, context).items():
            whole = sum(counts.values())
            fars = {
                value: _standard_errors(n, whole, usual.get(value, 0.0))
                for value, n in counts.items()
                if n >= _LEAST
            }
            value = max(fars, key=lambda one: (fars[one], one), default=None)
            if value is None or fars[value] <= _FAR:
                continue
            n = counts[value]
            told = {"n": n, "share": rounded(n / whole), "lift": rounded(n / whole / usual[value])}
            row = {"dimension": name, **namer.row((name,), (value,)), **told}
            found.setdefault(theme_id, []).append((fars[value], row))
    return {
        theme_id: [row for _, row in sorted(rows, key=lambda one: -one[0])]
        for theme_id, rows in found.items()
    }


def _shares(chosen: Chosen, name: str, context: ToolContext) -> dict[str, float]:
    groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=(name,)))
    counts = {group.key[0]: group.n for group in groups if group.key[0] is not None}
    whole = sum(counts.values())
    return {value: n / whole for value, n in counts.items()}


def _by_theme(
    theme_ids: Sequence[str], chosen: Chosen, name: str, context: ToolContext
) -> dict[str, dict[str, int]]:
    inside = chosen.also({"theme": tuple(theme_ids)})
    found: dict[str, dict[str, int]] = {}
    for group in context.facts.aggregate(Aggregate("volume", inside, group_by=("theme", name))):
        theme_id, value = group.key
        if theme_id is not None and value is not None:
            found.setdefault(theme_id, {})[value] = group.n
    return found


def _standard_errors(n: int, whole: int, usual: float) -> float:
    if not 0.0 < usual < 1.0:
        return 0.0
    return (n / whole - usual) / math.sqrt(usual * (1.0 - usual) / whole)


def areas(activity: ThemeActivity, known: Mapping[str, Theme]) -> list[dict[str, Any]]:
    """Problem areas, largest first: the sums of their themes."""
    found: dict[str, dict[str, Any]] = {}
    for one in activity.themes.values():
        theme = known.get(one.theme_id)
        if theme is None or theme.area_id is None:
            continue
        row = found.setdefault(
            theme.area_id,
            {"area_id": theme.area_id, "label": theme.area, "size": 0, "labelled": 0, "negative": 0},
        )
        row["size"] += one.size
        row["labelled"] += one.labelled
        row["negative"] += one.negative
        row.setdefault("themes", []).append((one.size, one.theme_id))
    rows = [_area(row, activity.items) for row in found.values()]
    return sorted(rows, key=lambda row: (-row["size"], row["area_id"]))


def _area(row: Mapping[str, Any], items: int) -> dict[str, Any]:
    negative = row["negative"] / row["labelled"] if row["labelled"] else None
    return {
        "area_id": row["area_id"],
        "label": row["label"],
        "size": row["size"],
        "share": rounded(row["size"] / items if items else None),
        "negative_share": rounded(negative),
        "themes": [theme_id for _, theme_id in sorted(row["themes"], reverse=True)],
    }


def history(theme: Theme, known: Mapping[str, Theme], context: ToolContext) -> list[dict[str, Any]]:
    """The latest events of a theme's life, oldest first, with the other theme by name."""
    return [
        {
            "event": event.kind,
            "date": event.at.astimezone(context.zone).date().isoformat() if event.at else None,
            "n": event.n or None,
            "other": event.other,
            "other_label": known[event.other].label if event.other and event.other in known else None,
        }
        for event in theme.lineage[-_EVENTS:]
    ]


def gone(known: Mapping[str, Theme], context: ToolContext) -> list[dict[str, Any]]:
    """Themes that have faded, the latest first: when, and into which theme where it was one."""
    rows = [
        {"theme_id": theme.theme_id, "label": theme.label, **history(theme, known, context)[-1]}
        for theme in known.values()
        if theme.faded
    ]
    rows.sort(key=lambda row: (row["date"] or "", row["theme_id"]), reverse=True)
    return rows[:_EVENTS]


def by_id(themes: Iterable[Theme]) -> dict[str, Theme]:
    """Themes by id."""
    return {theme.theme_id: theme for theme in themes}
