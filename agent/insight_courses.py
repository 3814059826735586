"""The charts of a change: how the metric moved, and where."""

from datetime import date, timedelta
from typing import Any

from agent.insight_document import Chart, Mark, Series
from agent.insight_run import InsightRun
from agent.insight_wording import capital, metric_title
from agent.insight_words import say
from agent.wording import is_share
from tools.dimensions import dimension_title

GROUPS = 8
# A course over more days than this is drawn by weeks, over more still by months.
_BY_DAY, _BY_WEEK = 31, 220
_DAILY_COURSE = timedelta(days=14)


def course(run: InsightRun) -> Chart | None:
    """The default metric over the comparison period and the period, with what the calendar knows of it."""
    first, end = date.fromisoformat(run.comparison.start[:10]), date.fromisoformat(run.period.end[:10])
    if run.kind == "daily":
        first = end - _DAILY_COURSE
    days = (end - first).days
    grain = "date" if days <= _BY_DAY else "week" if days <= _BY_WEEK else "month"
    result = run.attempt(
        "metric_stats",
        metric=run.metric,
        period={"from": first.isoformat(), "to": end.isoformat()},
        group_by=[grain],
        limit=days,
    )
    groups = [g for g in result["data"]["groups"] if g["value"] is not None] if result else []
    if len(groups) < 2:
        return None
    groups.sort(key=lambda group: group["key"])
    keys = tuple(group["key"] for group in groups)
    title = metric_title(run.metric, result["data"], run) if result else run.metric
    return Chart(
        kind="line",
        title=capital(say("chart_history", run.language, metric=title), run),
        unit="share" if is_share(run.metric) else "number",
        labels=keys,
        series=(
            Series(
                name=title,
                values=tuple(group["value"] for group in groups),
                low=tuple(group["ci_low"] for group in groups),
                high=tuple(group["ci_high"] for group in groups),
            ),
        ),
        marks=_marks(keys, grain, first, end, run),
        summary=say("chart_history_text", run.language, metric=title, first=keys[0], last=keys[-1]),
    )


def _marks(keys: tuple[str, ...], grain: str, first: date, end: date, run: InsightRun) -> tuple[Mark, ...]:
    """The events of the calendar that fall on the axis; months are too coarse for them."""
    if grain == "month":
        return ()
    result = run.attempt(
        "trend", metric=run.metric, period={"from": first.isoformat(), "to": end.isoformat()}
    )
    found = []
    for event in result["data"]["events"] if result else []:
        length = 7 if grain == "week" else 1
        inside = [
            at
            for at, key in enumerate(keys)
            if date.fromisoformat(key) <= date.fromisoformat(event["to"])
            and date.fromisoformat(key) + timedelta(days=length) > date.fromisoformat(event["from"])
        ]
        if inside:
            found.append(Mark(label=event["name"], first=inside[0], last=inside[-1]))
    return tuple(found)


def groups_chart(data: dict[str, Any], run: InsightRun) -> Chart:
    """Both periods side by side for the groups that moved the metric most (a comparison's contributions)."""
    language, metric = run.language, data["metric"]
    rows = data["contributions"][:GROUPS]
    shown = dimension_title(data["by"], language)
    title = metric_title(metric, data, run)
    return Chart(
        kind="paired",
        title=say(
            "chart_groups",
            language,
            dimension=shown,
            metric=title,
            before=run.comparison.label,
            after=run.period.label,
        ),
        unit="share" if is_share(metric) else "number",
        labels=tuple(row["label"] for row in rows),
        series=(
            Series(name=run.comparison.label, values=tuple(row["before"] for row in rows)),
            Series(name=run.period.label, values=tuple(row["after"] for row in rows)),
        ),
        summary=say("chart_groups_text", language, dimension=shown, metric=title),
    )
