"""From the arguments of a tool to a store Selection, with what was really selected and the doubts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from store.errors import ToolInputError
from store.facts import Selection, Window
from tools.arguments import Language, SelectionArguments
from tools.caveats import SMALL_SAMPLE, caveat
from tools.context import ToolContext
from tools.dimensions import find_dimension, find_values, fold, is_missing
from tools.periods import ResolvedPeriod, resolve
from tools.refusals import Refusal

_TIME_FORMATS = {"date": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


@dataclass(frozen=True)
class Chosen:
    """A selection, its period, and its filters as a result reports them."""

    selection: Selection
    period: ResolvedPeriod
    filters: dict[str, Any] = field(default_factory=dict)

    def over(self, period: ResolvedPeriod) -> "Chosen":
        """The same filters over another period."""
        return replace(self, period=period, selection=replace(self.selection, window=period.window))

    def also(self, filters: Mapping[str, tuple[str | None, ...]]) -> Selection:
        """The selection narrowed by further filters; a dimension filtered already keeps the common values."""
        merged = dict(self.selection.filters)
        for name, values in filters.items():
            kept = merged.get(name)
            merged[name] = values if kept is None else tuple(v for v in values if v in kept)
        return replace(self.selection, filters=merged)


def choose(args: SelectionArguments, context: ToolContext) -> Chosen:
    """Resolve period, filters and exclusions. Raises ToolInputError naming what is not known."""
    period = resolve(args.period, now=context.clock.now(), zone=context.zone, language=args.language)
    filters, reported = normalise(args.filters, context)
    exclude, left_out = normalise(args.exclude, context)
    if left_out:
        reported["exclude"] = left_out
    return Chosen(Selection(period.window, filters, exclude), period, reported)


def normalise(
    filters: Mapping[str, Any], context: ToolContext
) -> tuple[dict[str, tuple[str | None, ...]], dict[str, Any]]:
    """Filters as the store takes them, and as they are reported (names and values as stored)."""
    selected: dict[str, tuple[str | None, ...]] = {}
    reported: dict[str, Any] = {}
    for name, wanted in filters.items():
        dimension = find_dimension(name, context.facts.catalogue())
        values: list[str | None] = []
        said: list[str | None] = []
        for value in wanted if isinstance(wanted, list) else [wanted]:
            found = _values(dimension, value, context)
            values.extend(found)
            said.extend([str(value).strip("/")] if len(found) > 1 else found)
        if not values:
            raise Refusal("filter_without_value", name=name)
        merged = tuple(dict.fromkeys((*selected.get(dimension, ()), *values)))
        selected[dimension] = merged
        shown = list(dict.fromkeys([*_listed(reported.get(dimension)), *said]))
        reported[dimension] = shown[0] if len(shown) == 1 else shown
    return selected, reported


def sample_caveats(chosen: Chosen, n: int, context: ToolContext, language: Language) -> list[str]:
    """What to doubt about a selection of n items: nothing there, few, undated (1% or more), not over yet."""
    catalogue = context.facts.catalogue()
    if catalogue.items == 0:
        return [caveat("no_data", language)]
    found = []
    period = chosen.period
    last = catalogue.last_at.astimezone(context.zone) if catalogue.last_at else None
    first = catalogue.first_at.astimezone(context.zone) if catalogue.first_at else None
    if n == 0:
        found.append(_nothing(chosen, first, last, context, language))
    elif n < SMALL_SAMPLE:
        found.append(caveat("small_sample", language, n=n))
    if period.start is None and period.end is None:
        return found
    undated = undated_items(context)
    if undated * 100 >= catalogue.items:
        found.append(caveat("undated", language, count=undated))
    if n and last and period.end and unfinished(period, context):
        found.append(caveat("unfinished", language, period=period.label, last=f"{last:%Y-%m-%d}"))
    return found


def _nothing(
    chosen: Chosen, first: datetime | None, last: datetime | None, context: ToolContext, language: Language
) -> str:
    """Why a figure rests on no item: none matches, none has a date, or none carries what was asked for."""
    period = chosen.period
    count = context.facts.count(chosen.selection)
    if count:
        return caveat("none_carry", language, count=count, period=period.label)
    if first is None or last is None:
        return caveat("none_dated", language)
    return caveat("empty", language, period=period.label, first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}")


def unfinished(period: ResolvedPeriod, context: ToolContext) -> bool:
    """Whether the period reaches beyond the end of today."""
    today = context.clock.now().astimezone(context.zone).date()
    return period.end is not None and period.end.date() > today + timedelta(days=1)


def undated_items(context: ToolContext) -> int:
    """How many items carry no time."""
    catalogue = context.facts.catalogue()
    if catalogue.first_at is None or catalogue.last_at is None:
        return catalogue.items
    dated = Window(catalogue.first_at, catalogue.last_at + timedelta(microseconds=1))
    return catalogue.items - context.facts.count(Selection(dated))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _values(dimension: str, value: str | int | float | None, context: ToolContext) -> tuple[str | None, ...]:
    if value is None:
        return (None,)
    written = f"{value:g}" if isinstance(value, float) else str(value)
    if not written.strip():
        raise Refusal("filter_empty_value", dimension=dimension)
    if dimension in ("hour", "weekday", "day_type", "date", "week", "month", "quarter", "year"):
        return (_time_value(dimension, written, context),)
    if dimension == "theme":
        return _theme_values(written, context)
    try:
        return find_values(dimension, written, context.facts, context.taxonomy)
    except ToolInputError:
        if is_missing(written):
            return (None,)
        raise


def _theme_values(written: str, context: ToolContext) -> tuple[str | None, ...]:
    themes = context.facts.themes()
    exact = [t.theme_id for t in themes if fold(written) in (fold(t.theme_id), fold(t.label))]
    if exact:
        return tuple(exact)
    part = [t.theme_id for t in themes if fold(written) in fold(t.label) or written in t.keywords]
    if part:
        return tuple(part)
    if is_missing(written):
        return (None,)
    if not themes:
        raise Refusal("no_themes")
    raise Refusal("unknown_theme", name=written, known=[theme.label for theme in themes[:20]])


def _time_value(dimension: str, written: str, context: ToolContext) -> str:
    """Hours, weekdays and calendar values as the store writes them (20点 is "20", 10月 is "2026-10")."""
    from tools.dimensions import canonical

    word = fold(written)
    if dimension == "hour":
        return _hour(word)
    named = canonical(dimension, written)
    if named is not None:
        return named
    if dimension in ("weekday", "day_type"):
        raise Refusal("weekday_value", dimension=dimension, value=written)
    period = resolve(written, now=context.clock.now(), zone=context.zone)
    if period.start is None:
        raise Refusal("time_value", value=written, dimension=dimension)
    if dimension in _TIME_FORMATS:
        return period.start.strftime(_TIME_FORMATS[dimension])
    if dimension == "quarter":
        return f"{period.start.year}-Q{(period.start.month + 2) // 3}"
    return (period.start - timedelta(days=period.start.weekday())).strftime("%Y-%m-%d")


def _hour(word: str) -> str:
    import re

    match = re.fullmatch(
        r"(晚上|下午|傍晚|早上|上午|凌晨|中午)?\s*(\d{1,2})\s*(?:点|时|:00|：00)?\s*(am|pm)?", word
    )
    if match is None or int(match[2]) > 23:
        raise Refusal("hour_value", value=word)
    hour = int(match[2])
    if (match[1] in ("晚上", "下午", "傍晚") or match[3] == "pm") and hour < 12:
        hour += 12
    return str(0 if match[3] == "am" and hour == 12 else hour)
