"""How much themes are talked about: counts from SQL, heat and trend from analytics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from analytics.heat import Activity, Heat, Trend, heat, trend
from store.facts import Aggregate, Group, Selection, Window
from tools.context import ToolContext

# Without a period, movement is read off the last four whole weeks against the four before.
_DEFAULT_SPAN = timedelta(days=28)


@dataclass(frozen=True)
class ThemeCounts:
    """One theme in a selection: its items, how many are labelled and negative, heat and trend.

    `movement` are its items in the window the trend is read off, and in the one before; `customers` the
    different people in the former, None where no customer is known.
    """

    theme_id: str
    size: int
    labelled: int
    negative: int
    movement: tuple[int, int]
    customers: int | None
    heat: Heat
    trend: Trend | None

    @property
    def negative_share(self) -> float | None:
        """Negative of labelled items, 0..1; None without labels."""
        return self.negative / self.labelled if self.labelled else None


@dataclass(frozen=True)
class ThemeActivity:
    """All themes of a selection, by id, with the totals they are shares of."""

    themes: Mapping[str, ThemeCounts]
    items: int
    after: Window
    before: Window | None


def theme_activity(selection: Selection, context: ToolContext) -> ThemeActivity:
    """Count themes over a selection; a handful of grouped queries, whatever the number of themes."""
    facts = context.facts
    after, before, recent = _windows(selection.window, context)
    windows = (selection.window, after, before, recent)
    by_theme = _by_theme(
        facts.aggregate(Aggregate("volume", selection, windows=windows, group_by=("theme",)))
    )
    totals = {g.window: g.n for g in facts.aggregate(Aggregate("volume", selection, windows=windows))}
    negative = {
        (g.window, g.key[0]): g
        for g in facts.aggregate(
            Aggregate("negative_share", selection, windows=(selection.window, after), group_by=("theme",))
        )
    }
    during = Selection(after, selection.filters, selection.exclude)
    customers, everyone = facts.reach(during, "theme"), facts.reach(during).get(None, 0)
    known = before.start is not None and _has_past(before, context)
    themes = {}
    for theme_id, counts in by_theme.items():
        size, now, past, late = (counts.get(index, 0) for index in range(4))
        if not size:
            continue
        whole, part = negative.get((0, theme_id)), negative.get((1, theme_id))
        activity = Activity(
            n=now,
            n_before=past,
            items=totals.get(1, 0),
            items_before=totals.get(2, 0) if known else 0,
            negative=min(now, round(part.total)) if part else 0,
            recent=late,
            customers=customers.get(theme_id, 0) if everyone else None,
            all_customers=everyone or None,
        )
        moved = (
            trend(past, now, exposure_before=totals[2], exposure_after=totals[1])
            if known and totals.get(1) and totals.get(2)
            else None
        )
        themes[theme_id] = ThemeCounts(
            theme_id=theme_id,
            size=size,
            labelled=whole.n if whole else 0,
            negative=round(whole.total) if whole else 0,
            movement=(past, now),
            customers=customers.get(theme_id, 0) if everyone else None,
            heat=heat(activity),
            trend=moved,
        )
    return ThemeActivity(themes, totals.get(0, 0), after, before if known else None)


def first_seen(selection: Selection, theme_ids: tuple[str, ...], context: ToolContext) -> dict[str, str]:
    """The local date on which each theme was first mentioned within the filters, whatever the period."""
    if not theme_ids:
        return {}
    anytime = Selection(filters={**selection.filters, "theme": theme_ids}, exclude=selection.exclude)
    found: dict[str, str] = {}
    for group in context.facts.aggregate(Aggregate("volume", anytime, group_by=("theme", "date"))):
        theme, day = group.key
        if theme is not None and day is not None:
            found[theme] = min(day, found.get(theme, date.max.isoformat()))
    return found


def _by_theme(groups: list[Group]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for group in groups:
        if group.key[0] is not None:
            found.setdefault(group.key[0], {})[group.window] = group.n
    return found


def _windows(asked: Window, context: ToolContext) -> tuple[Window, Window, Window]:
    """The window that movement is read off, the equally long one before, and its last quarter."""
    catalogue = context.facts.catalogue()
    last = catalogue.last_at + timedelta(microseconds=1) if catalogue.last_at else context.clock.now()
    # A period that runs beyond the data would be held against a whole one before.
    end = min(asked.end, last) if asked.end else last
    start = asked.start if asked.start and asked.start < end else None
    if start is None or (asked.start is None):
        start = end - _DEFAULT_SPAN
    length = end - start
    return Window(start, end), Window(start - length, start), Window(end - length / 4, end)


def _has_past(before: Window, context: ToolContext) -> bool:
    """Whether the data reaches back over most of the window before."""
    first = context.facts.catalogue().first_at
    if first is None or before.start is None or before.end is None:
        return False
    return first <= before.start + (before.end - before.start) / 4
