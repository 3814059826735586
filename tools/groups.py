"""Grouped figures: asking, ordering, naming and drawing them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from analytics.sums import Sums
from store.dimensions import TIME_DIMENSIONS
from store.facts import Aggregate
from tools.arguments import Language, SelectionArguments
from tools.caveats import SMALL_SAMPLE, caveat
from tools.context import ToolContext
from tools.dimensions import MULTI_VALUED, canonical, dimension_title, find_dimension, vocabulary
from tools.measures import Measure
from tools.refusals import Refusal
from tools.selection import Chosen

MAX_DIMENSIONS = 3
Figures = Callable[[Sums], Mapping[str, Any]]
Sort = Literal["n", "lowest", "highest", "key"]


class GroupedArguments(SelectionArguments):
    """A selection, and how to split it."""

    group_by: Annotated[
        list[str] | str,
        Field(
            description="dimension(s) to split by: region, channel, product, version, org_unit, topic, "
            "theme, month, week, weekday, hour ... or any column of the data; at most 3"
        ),
    ] = Field(default_factory=list)
    sort: Annotated[
        Sort | None,
        Field(
            description="order of groups: n (largest first), lowest or highest value, key (also time order)"
        ),
    ] = None
    min_n: Annotated[int, Field(ge=0, description="leave out groups with fewer items")] = 0
    limit: Annotated[int, Field(ge=1, le=500, description="at most this many groups")] = 50


def group_dimensions(args: GroupedArguments, context: ToolContext) -> tuple[str, ...]:
    """The dimensions to split by, by their names in the data. ToolInputError for unknown or too many."""
    asked = [args.group_by] if isinstance(args.group_by, str) else args.group_by
    names = dict.fromkeys(find_dimension(n, context.facts.catalogue()) for n in asked if n.strip())
    if len(names) > MAX_DIMENSIONS:
        raise Refusal("too_many_dimensions", most=MAX_DIMENSIONS, count=len(names))
    return tuple(names)


def grouped(
    measure: Measure,
    chosen: Chosen,
    dimensions: tuple[str, ...],
    args: GroupedArguments,
    context: ToolContext,
    figures: Figures,
    *,
    n: int,
    value: str = "value",
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows {key, label, keys, n, figures} in the asked order, and caveats.

    `value` names the figure that `lowest` and `highest` sort by; `n` is the size of the whole.
    """
    in_time = all(name in TIME_DIMENSIONS for name in dimensions)
    order: Sort = args.sort or ("key" if in_time else "n")
    # The store gives the largest groups; any other order has to see them all.
    ask = args.limit + 1 if order == "n" and not args.min_n else None
    found = context.facts.aggregate(Aggregate(measure.name, chosen.selection, group_by=dimensions, limit=ask))
    namer = Namer(context, args.language)
    rows = [
        namer.row(dimensions, group.key)
        | {"n": group.n, **figures(Sums(group.n, group.total, group.squares))}
        for group in found
        if group.n >= max(1, args.min_n)
    ]
    _order(rows, order, value, dimensions)
    shown = rows[: args.limit]
    return shown, _caveats(rows, shown, n, dimensions, args.language, largest=order == "n")


class Namer:
    """Names keys of groups in one language; themes are read once."""

    def __init__(self, context: ToolContext, language: Language) -> None:
        self._context, self._language = context, language
        self._themes: Mapping[str, str] | None = None

    def row(self, dimensions: Sequence[str], key: Sequence[str | None]) -> dict[str, Any]:
        """key (as stored), label (to read) and keys by dimension."""
        labels = [self.label(name, part) for name, part in zip(dimensions, key, strict=True)]
        stored = [part if part is not None else self.not_given for part in key]
        return {
            "key": " / ".join(stored),
            "label": " / ".join(labels),
            "keys": dict(zip(dimensions, key, strict=True)),
        }

    @property
    def themes(self) -> Mapping[str, str]:
        """Labels of the themes by id."""
        if self._themes is None:
            self._themes = {t.theme_id: t.label for t in self._context.facts.themes()}
        return self._themes

    @property
    def not_given(self) -> str:
        """What stands for a missing value."""
        return "未填写" if self._language == "zh" else "not given"

    def label(self, dimension: str, value: str | None) -> str:
        """One value to read: themes and topics by name, weekdays and label values as words."""
        if value is None:
            return self.not_given
        if dimension == "theme":
            return self.themes.get(value, value)
        if dimension in ("topic", "topic_area"):
            return self._context.taxonomy.title_of(value, self._language)
        if self._language == "zh" and canonical(dimension, value) == value:
            words = vocabulary()["values"][dimension].get(value) or [value]
            return str(words[0])
        if dimension == "weekday" and value in vocabulary()["values"]["weekday"]:
            return str(vocabulary()["values"]["weekday"][value][3]).capitalize()
        return value


def bar_or_line(
    rows: Sequence[Mapping[str, Any]], dimensions: Sequence[str], title: str, value: str = "value"
) -> dict[str, Any] | None:
    """An ECharts option with the data inline: a line over time, bars otherwise; None without rows."""
    drawn = [row for row in rows if row.get(value) is not None]
    if not drawn:
        return None
    line = (
        len(dimensions) == 1
        and dimensions[0] in TIME_DIMENSIONS
        and dimensions[0] not in ("day_type", "weekday")
    )
    return {
        "title": {"text": title},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [row["label"] for row in drawn]},
        "yAxis": {"type": "value"},
        "series": [{"type": "line" if line else "bar", "name": title, "data": [row[value] for row in drawn]}],
    }


def bars(names: Sequence[str], values: Sequence[float | int | None]) -> dict[str, Any] | None:
    """An ECharts option with one bar a name; None without names."""
    if not names:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": list(names)},
        "yAxis": {"type": "value"},
        "series": [{"type": "bar", "data": list(values)}],
    }


def _order(rows: list[dict[str, Any]], order: Sort, value: str, dimensions: Sequence[str]) -> None:
    if order == "key":
        rows.sort(key=lambda row: [_natural(row["keys"][name]) for name in dimensions])
    elif order == "n":
        rows.sort(key=lambda row: (-row["n"], row["key"]))
    else:
        sign = 1 if order == "lowest" else -1
        rows.sort(key=lambda row: (row[value] is None, sign * (row[value] or 0), -row["n"], row["key"]))


def _natural(part: str | None) -> tuple[int, float, str]:
    if part is None:
        return (2, 0.0, "")
    return (0, float(part), "") if part.isdigit() else (1, 0.0, part)


def _caveats(
    rows: Sequence[Mapping[str, Any]],
    shown: Sequence[Mapping[str, Any]],
    n: int,
    dimensions: Sequence[str],
    language: Language,
    *,
    largest: bool,
) -> list[str]:
    found = []
    if len(rows) > len(shown):
        found.append(caveat("groups_cut" if largest else "groups_first", language, shown=len(shown)))
    small = sum(1 for row in shown if row["n"] < SMALL_SAMPLE)
    if small and len(shown) > 1:
        found.append(caveat("small_groups", language, count=small))
    found.extend(
        caveat("multi_valued", language, dimension=dimension_title(name, language))
        for name in dimensions
        if name in MULTI_VALUED and sum(row["n"] for row in rows) > n
    )
    return found
