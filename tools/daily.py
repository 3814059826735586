"""A metric day by day: what the tools over time share."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from analytics.sums import EMPTY, Sums
from store.facts import Aggregate, Group, Selection
from tools.context import ToolContext
from tools.measures import Measure, rounded
from tools.refusals import Refusal

NO_DAYS = ("churn_rate", "retention_rate")


def need_daily(measure: Measure, tool: str) -> None:
    """Raise ToolInputError for a metric that has no value by day."""
    if measure.name in NO_DAYS:
        raise Refusal("not_daily", tool=tool, metric=measure.name)


def daily_sums(measure: Measure, selection: Selection, context: ToolContext) -> dict[date, Sums]:
    """Sums by day of a selection, in order; only days with items."""
    return by_date(context.facts.aggregate(Aggregate(measure.name, selection, group_by=("date",))))


def by_date(groups: Sequence[Group]) -> dict[date, Sums]:
    """Sums by day, in order, of groups whose only key is the date; undated items are left out."""
    found = {date.fromisoformat(g.key[0]): Sums(g.n, g.total, g.squares) for g in groups if g.key[0]}
    return dict(sorted(found.items()))


def without_gaps(daily: Mapping[date, Sums], first: date, end: date) -> dict[date, Sums]:
    """Every day from `first` to before `end`; a day without items is an empty sum."""
    days = (first + timedelta(days=step) for step in range((end - first).days))
    return {day: daily.get(day, EMPTY) for day in days}


def day_value(measure: Measure, sums: Sums) -> float | None:
    """The metric's value of a day in its own unit; None where it has none."""
    if measure.kind == "count":
        return float(sums.n)
    if not sums.n:
        return None
    return sums.mean * (100.0 if measure.kind == "nps" else 1.0)


def line(name: str, daily: Mapping[date, Sums], days: Sequence[date], measure: Measure) -> dict[str, Any]:
    """An ECharts line over these days."""
    values = [day_value(measure, daily[day]) if day in daily else None for day in days]
    return {"type": "line", "name": name, "showSymbol": False, "data": [rounded(value) for value in values]}


def day_chart(title: str, days: Sequence[date], series: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An ECharts option over days."""
    return {
        "title": {"text": title},
        "tooltip": {"trigger": "axis"},
        "legend": {},
        "xAxis": {"type": "category", "data": [day.isoformat() for day in days]},
        "yAxis": {"type": "value", "scale": True},
        "series": list(series),
    }
