"""What filled the days of an anomaly, and a sentence that says so."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from analytics.anomalies import Anomaly
from analytics.rates import rate_ratio
from analytics.surveillance import RECENT_DAYS
from store.facts import Aggregate, Selection, Window
from tools.arguments import Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.groups import Namer
from tools.measures import Measure, rounded

_EXPLAINED = 3
_LEAST = 3


def days_window(start: date, end: date, context: ToolContext) -> Window:
    """Half-open days in the configured zone as a window."""
    return Window(*(datetime.combine(day, time(), tzinfo=context.zone) for day in (start, end)))


def grown_topics(
    inside: Selection, found: Anomaly, context: ToolContext, namer: Namer
) -> list[dict[str, Any]]:
    """Topics (themes, where one topic is selected) that took a larger share of these days than of the weeks
    before, beyond chance.
    """
    dimension = "theme" if {"topic", "topic_area"} & {*inside.filters} else "topic"
    if dimension == "theme" and not namer.themes:
        return []
    windows = (
        days_window(found.start - timedelta(days=RECENT_DAYS), found.start, context),
        days_window(found.start, found.end, context),
    )
    counts: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for group in context.facts.aggregate(Aggregate("volume", inside, windows, (dimension,))):
        if group.key[0] is not None:
            counts[group.window][group.key[0]] = group.n
    totals = [1, 1]
    for group in context.facts.aggregate(Aggregate("volume", inside, windows)):
        totals[group.window] = max(1, group.n)
    rows: list[tuple[float, dict[str, Any]]] = []
    for value, count in counts[1].items():
        if count < _LEAST:
            continue
        before = counts[0].get(value, 0)
        test = rate_ratio(before, count, exposure_before=float(totals[0]), exposure_after=float(totals[1]))
        share, usual = count / totals[1], before / totals[0]
        if test.p_value < 0.01 and share > usual:
            shares = {"share": rounded(share), "usual_share": rounded(usual)}
            row = {"key": value, "label": namer.label(dimension, value), "n": count, **shares}
            rows.append((test.p_value, row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])[:_EXPLAINED]]


def explain(
    found: Anomaly,
    label: str | None,
    also: Sequence[str],
    grown: Sequence[Mapping[str, Any]],
    measure: Measure,
    language: Language,
) -> str:
    """One sentence for a person: how much against how much, what grew, where else it shows."""
    comma = "、" if language == "zh" else ", "
    values = {
        "metric": measure.title,
        "scope": "" if label is None else label,
        "observed": f"{_shown(measure, found.observed)}",
        "expected": f"{_shown(measure, found.expected)}",
    }
    told = caveat(f"anomaly_{found.direction}" + ("_scope" if label else ""), language, **values)
    if found.raised > found.start:
        told += caveat("anomaly_slow", language, day=found.raised.isoformat())
    if grown:
        told += caveat("anomaly_topics", language, topics=comma.join(row["label"] for row in grown))
    if also:
        told += caveat("anomaly_also", language, scopes=comma.join(also[:_EXPLAINED]), count=len(also))
    return told


def _shown(measure: Measure, value: float) -> str:
    if measure.kind == "proportion":
        return f"{100 * value:.1f}%"
    return f"{value:.1f}"
