"""What feedback is about: themes with their size, mood, heat and movement, and one theme in depth."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from analytics.estimates import proportion
from store.facts import Aggregate, Find, Selection
from store.records import Theme
from tools.answers import answer, item
from tools.arguments import Language, SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.dimensions import fold
from tools.groups import Namer
from tools.measures import rounded
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats
from tools.theme_activity import ThemeActivity, ThemeCounts, first_seen, theme_activity
from tools.theme_place import areas, by_id, gone, history, places

_EXEMPLARS = 3
_TOPIC_SHARE = 0.2
_EXAMPLES = 5
# What one theme is broken down by, where the data has it.
_BREAKDOWN = ("region", "channel", "product", "version", "org_unit", "customer_type", "tier", "topic", "hour")
_VALUES = 5


class ThemesArguments(SelectionArguments):
    """Which themes."""

    sort: Annotated[
        Literal["size", "heat", "negative_share", "rising"],
        Field(description="size: most items; heat: hottest; negative_share: worst; rising: growing first"),
    ] = "size"
    limit: Annotated[int, Field(ge=1, le=100)] = 10


class ThemeArguments(SelectionArguments):
    """Which theme."""

    theme: Annotated[
        str, Field(min_length=1, max_length=200, description="theme id, label, or words that describe it")
    ]
    limit: Annotated[int, Field(ge=1, le=50, description="how many examples")] = _EXAMPLES


def list_themes(args: ThemesArguments, context: ToolContext) -> ToolResult:
    """The themes of the feedback: what customers talk and complain about most, with size, share and mood.

    Use for "top issues", "main complaints", "what is rising". Each theme has negative_share (0..1), heat
    (0-100), trend (rising, falling, steady, new: significant only), first_seen and exemplars; it lies in a
    problem area (areas); places are where it stands out, lineage what became of it (born, grown, merged,
    split, faded). Narrow by period and filters, for complaints by {"sentiment": "negative"} or {"intent":
    "complaint"}.
    """
    chosen = choose(args, context)
    activity = theme_activity(chosen.selection, context)
    known = by_id(context.facts.themes())
    rows = sorted(activity.themes.values(), key=lambda one: _order(one, args.sort))[: args.limit]
    shown = [one for one in rows if one.theme_id in known]
    seen = first_seen(chosen.selection, tuple(one.theme_id for one in shown), context)
    quotes = {one.theme_id: _exemplars(known[one.theme_id], chosen, context) for one in shown}
    topics = _topics(shown, chosen, context)
    standing = places([one.theme_id for one in shown], chosen, context, args.language)
    themes = [
        _row(one, known[one.theme_id], activity)
        | {"first_seen": seen.get(one.theme_id), "exemplars": quotes[one.theme_id]}
        | {"places": standing.get(one.theme_id, [])}
        | {"lineage": history(known[one.theme_id], known, context)}
        | _topic(topics.get(one.theme_id), context, args.language)
        for one in shown
    ]
    caveats = sample_caveats(chosen, activity.items, context, args.language)
    if not known and activity.items:
        caveats.append(caveat("no_themes", args.language))
    elif themes and activity.before is None:
        caveats.append(caveat("no_previous", args.language))
    if len(activity.themes) > len(themes) and themes:
        caveats.append(caveat("listed_of", args.language, total=len(activity.themes), shown=len(themes)))
    return answer(
        "list_themes",
        args,
        chosen,
        n=activity.items,
        data={
            "themes": themes,
            "areas": areas(activity, known),
            "faded": gone(known, context),
            "total_themes": len(activity.themes),
            "in_themes": sum(one.size for one in activity.themes.values()),
        },
        evidence=[quote["id"] for one in shown for quote in quotes[one.theme_id]],
        caveats=caveats,
        chart=_chart(themes),
    )


def _topics(shown: Sequence[ThemeCounts], chosen: Chosen, context: ToolContext) -> dict[str, str]:
    """The taxonomy topic that a fair part of a theme's items carries: what its label is about."""
    sizes = {one.theme_id: one.size for one in shown}
    if not sizes:
        return {}
    narrowed = chosen.also({"theme": tuple(sizes)})
    found: dict[str, str] = {}
    for group in context.facts.aggregate(Aggregate("volume", narrowed, group_by=("theme", "topic"))):
        theme_id, topic = group.key
        if theme_id in sizes and topic and group.n >= _TOPIC_SHARE * sizes[theme_id]:
            found.setdefault(theme_id, topic)  # groups come largest first
    return found


def _topic(topic: str | None, context: ToolContext, language: Language) -> dict[str, str | None]:
    return {"topic": topic, "topic_label": context.taxonomy.title_of(topic, language) if topic else None}


def theme_detail(args: ThemeArguments, context: ToolContext) -> ToolResult:
    """One theme in depth: its words, size, mood and trend; where, when and by whom it is raised; examples.

    Use after list_themes, with a theme id, its label, or words that describe the subject. breakdown gives
    for each dimension the values where the theme is most frequent, with `lift` (1 = as often as in all
    feedback); timeline gives its volume by week; wordings are the ways in which customers put it, lineage its
    history, heat_parts what makes it hot.
    """
    chosen = choose(args, context)
    theme = _find_theme(args.theme, context)
    activity = theme_activity(chosen.selection, context)
    narrowed = chosen.also({"theme": (theme.theme_id,)})
    counts = activity.themes.get(theme.theme_id)
    n = counts.size if counts else 0
    caveats = sample_caveats(chosen, n, context, args.language)
    data: dict[str, Any] = {
        "theme_id": theme.theme_id,
        "label": theme.label,
        "keywords": list(theme.keywords),
        "lineage": history(theme, by_id(context.facts.themes()), context),
    }
    examples: list[dict[str, Any]] = []
    if counts:
        data |= _row(counts, theme, activity)
        data["heat_parts"] = {name: rounded(part) for name, part in counts.heat.parts.items()}
        data["wordings"] = [wording.model_dump() for wording in theme.wordings]
        found = places([theme.theme_id], chosen, context, args.language)
        data["places"] = found.get(theme.theme_id, [])
        data["first_seen"] = first_seen(chosen.selection, (theme.theme_id,), context).get(theme.theme_id)
        data["breakdown"] = _breakdown(chosen, narrowed, args, context)
        data["timeline"] = _timeline(narrowed, context)
        examples = [
            item(one, context)
            for one in context.facts.find(Find(narrowed, with_text=True, order="newest", limit=args.limit))
        ]
        data["examples"] = examples
    return answer(
        "theme_detail",
        args,
        chosen,
        n=n,
        data=data,
        evidence=[one["id"] for one in examples],
        caveats=caveats,
        chart=_line(theme.label, data.get("timeline", [])),
    )


def _order(one: ThemeCounts, sort: str) -> tuple[float, ...]:
    rising = 0 if one.trend in ("new", "rising") else 1
    first = {
        "size": -one.size,
        "heat": -one.heat.index,
        "negative_share": -(one.negative_share or 0.0),
        "rising": rising,
    }[sort]
    return (first, -one.heat.index if sort == "rising" else -one.size)


def _row(one: ThemeCounts, theme: Theme, activity: ThemeActivity) -> dict[str, Any]:
    share = proportion(activity.items, one.size)
    return {
        "theme_id": theme.theme_id,
        "label": theme.label,
        "keywords": list(theme.keywords),
        "size": one.size,
        "share": rounded(share.value),
        "share_ci_low": rounded(share.ci_low),
        "share_ci_high": rounded(share.ci_high),
        "negative_share": rounded(one.negative_share),
        "heat": round(one.heat.index, 1),
        "trend": one.trend,
        "area_id": theme.area_id,
        "area": theme.area,
        "customers": one.customers,
        "recent": one.movement[1],
        "before": one.movement[0] if activity.before else None,
    }


def _exemplars(theme: Theme, chosen: Chosen, context: ToolContext) -> list[dict[str, Any]]:
    """The theme's own exemplars where everything is asked for, else the newest of the selection."""
    if chosen.selection == Selection() and theme.exemplars:
        query = Find(feedback_ids=theme.exemplars[:_EXEMPLARS], limit=_EXEMPLARS)
    else:
        query = Find(chosen.also({"theme": (theme.theme_id,)}), with_text=True, limit=_EXEMPLARS)
    return [{"id": one.feedback.feedback_id, "text": one.feedback.text} for one in context.facts.find(query)]


def _find_theme(asked: str, context: ToolContext) -> Theme:
    """By id or label, then by words, then by meaning. ToolInputError where there are no themes."""
    # A theme that has faded is found where no living one is meant.
    themes = sorted(context.facts.themes(), key=lambda theme: theme.faded)
    if not themes:
        raise Refusal("no_themes")
    wanted = fold(asked)
    for theme in themes:
        if wanted in (fold(theme.theme_id), fold(theme.label)):
            return theme
    worded = [t for t in themes if wanted in fold(t.label) or wanted in map(fold, t.keywords)]
    if worded:
        sizes = {
            group.key[0]: group.n
            for group in context.facts.aggregate(Aggregate("volume", group_by=("theme",)))
        }
        return max(worded, key=lambda t: sizes.get(t.theme_id, 0))
    return _nearest_theme(asked, themes, context)


def _nearest_theme(asked: str, themes: Sequence[Theme], context: ToolContext) -> Theme:
    import numpy as np

    vector = context.embedder.embed_query(asked)
    placed = [theme for theme in themes if len(theme.centroid) == len(vector)]
    if not placed:
        raise Refusal("unknown_theme", name=asked, known=[theme.label for theme in themes[:20]])
    nearness = np.asarray([theme.centroid for theme in placed], dtype=np.float32) @ vector
    return placed[int(np.argmax(nearness))]


def _breakdown(
    chosen: Chosen, narrowed: Selection, args: ThemeArguments, context: ToolContext
) -> dict[str, list[dict[str, Any]]]:
    catalogue = context.facts.catalogue()
    namer = Namer(context, args.language)
    found = {}
    for name in _BREAKDOWN:
        info = catalogue.dimensions.get(name)
        if name != "hour" and (info is None or info.distinct < 2):
            continue
        inside = {
            g.key: g.n for g in context.facts.aggregate(_volume(narrowed, name)) if g.key[0] is not None
        }
        overall = {g.key: g.n for g in context.facts.aggregate(_volume(chosen.selection, name))}
        rows = [_value(name, key, n, inside, overall, namer) for key, n in inside.items()]
        rows.sort(key=lambda row: -row["n"])
        if rows:
            found[name] = rows[:_VALUES]
    return found


def _volume(selection: Selection, dimension: str) -> Aggregate:
    return Aggregate("volume", selection, group_by=(dimension,))


def _value(
    name: str,
    key: tuple[str | None, ...],
    n: int,
    inside: Mapping[tuple[str | None, ...], int],
    overall: Mapping[tuple[str | None, ...], int],
    namer: Namer,
) -> dict[str, Any]:
    whole = sum(count for other, count in overall.items() if other[0] is not None)
    share = n / sum(inside.values())
    usual = overall.get(key, 0) / whole if whole else 0.0
    return {
        **namer.row((name,), key),
        "n": n,
        "share": rounded(share),
        "lift": rounded(share / usual) if usual else None,
    }


def _timeline(selection: Selection, context: ToolContext) -> list[dict[str, Any]]:
    groups = context.facts.aggregate(Aggregate("volume", selection, group_by=("week",)))
    weeks = sorted((group.key[0], group.n) for group in groups if group.key[0] is not None)
    return [{"week": week, "n": n} for week, n in weeks]


def _chart(themes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not themes:
        return None
    drawn = list(reversed(themes))
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value"},
        "yAxis": {"type": "category", "data": [row["label"] for row in drawn]},
        "series": [{"type": "bar", "data": [row["size"] for row in drawn]}],
    }


def _line(title: str, timeline: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not timeline:
        return None
    return {
        "title": {"text": title},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [row["week"] for row in timeline]},
        "yAxis": {"type": "value"},
        "series": [{"type": "line", "data": [row["n"] for row in timeline]}],
    }
