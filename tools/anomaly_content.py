"""What filled the days of an anomaly, and a sentence that says so."""

from datetime import date, datetime, time, timedelta
from typing import Any

from analytics.anomalies import Anomaly
from analytics.rates import rate_ratio
from store.facts import Aggregate, Selection, Window
from tools.arguments import Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.groups import Namer
from tools.measures import Measure, rounded

_BASE_DAYS = 28
_EXPLAINED = 3


def days_window(start: date, end: date, context: ToolContext) -> Window:
    """Half-open days in the configured zone as a window."""
    return Window(*(datetime.combine(day, time(), tzinfo=context.zone) for day in (start, end)))


def grown_topics(
    inside: Selection, found: Anomaly, scope: tuple[str, str] | None, namer: Namer, context: ToolContext
) -> list[dict[str, Any]]:
    """Topics (themes, where the scope is a topic) that took a larger share of these days than of the weeks
    before, beyond chance.
    """
    dimension = "theme" if scope is not None and scope[0] in ("topic", "topic_area") else "topic"
    base = Selection(
        days_window(found.start - timedelta(days=_BASE_DAYS), found.start, context),
        inside.filters,
        inside.exclude,
    )
    now, before = (
        {g.key[0]: g.n for g in context.facts.aggregate(Aggregate("volume", of, group_by=(dimension,)))}
        for of in (inside, base)
    )
    totals = [max(1, context.facts.count(of)) for of in (inside, base)]
    rows: list[tuple[float, dict[str, Any]]] = []
    for value, count in now.items():
        if value is None or count < 3:
            continue
        test = rate_ratio(
            before.get(value, 0), count, exposure_before=float(totals[1]), exposure_after=float(totals[0])
        )
        share = count / totals[0]
        usual = before.get(value, 0) / totals[1]
        if test.p_value < 0.01 and share > usual:
            shares = {"share": rounded(share), "usual_share": rounded(usual)}
            row = {"key": value, "label": namer.label(dimension, value), "n": count, **shares}
            rows.append((test.p_value, row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])[:_EXPLAINED]]


def explain(
    found: Anomaly, label: str | None, grown: list[dict[str, Any]], measure: Measure, language: Language
) -> str:
    """One sentence for a person."""
    values = {
        "metric": measure.title,
        "scope": "" if label is None else label,
        "observed": f"{_shown(measure, found.observed)}",
        "expected": f"{_shown(measure, found.expected)}",
        "topics": ("、" if language == "zh" else ", ").join(row["label"] for row in grown),
    }
    name = f"anomaly_{found.direction}" + ("_scope" if label else "")
    told = caveat(name, language, **values)
    return told + (caveat("anomaly_topics", language, **values) if grown else "")


def _shown(measure: Measure, value: float) -> str:
    if measure.kind == "proportion":
        return f"{100 * value:.1f}%"
    return f"{value:.1f}"
