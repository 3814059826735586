"""Bursts and slumps: days out of line, overall and by group, with what filled them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from analytics.anomalies import Anomaly, find_anomalies
from analytics.surveillance import LEAST_DAYS
from tools.anomaly_content import days_window, explain, grown_topics
from tools.anomaly_merge import Burst, merged
from tools.anomaly_series import (
    AUTO,
    COMPLAINTS,
    Daily,
    Scope,
    Watched,
    daily_series,
    groupings,
    watched_metric,
)
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.daily import day_chart, line, need_daily
from tools.day_notes import day_notes, nearby
from tools.groups import Namer
from tools.measures import Measure, rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_LEAST_CHANGE = {"count": 0.2, "proportion": 0.03, "nps": 5.0, "mean": 0.0}
_NOTED = timedelta(days=3)


class AnomalyArguments(SelectionArguments):
    """Which metric is watched, and in which groups besides the whole."""

    metric: Annotated[
        str | None,
        Field(description="default: complaints (negative items); else volume, negative_share, nps ..."),
    ] = None
    group_by: Annotated[
        str | list[str] | None,
        Field(
            description="also watch each value of these dimensions; auto: topic, theme, product, region, "
            "store and topic in region; null: the whole only"
        ),
    ] = AUTO
    min_n: Annotated[int, Field(ge=1, description="days with fewer items raise no alarm")] = 5
    limit: Annotated[int, Field(ge=1, le=100, description="at most this many anomalies")] = 10


def detect_anomalies(args: AnomalyArguments, context: ToolContext) -> ToolResult:
    """Days on which a metric was out of line with its own past: bursts, slumps, sudden negative outbreaks.

    Use for "anything unusual", "was there a spike". Each day is judged by the weeks before it (weekday habit
    and usual spread taken into account), for the whole and for groups; counts also week by week. By default
    complaints are watched by topic, theme, product, region and store. An anomaly has start and end
    (half-open), the day it could be told (raised), direction, score (-log10 p), observed against expected a
    day, the topics that grew in it, where else it shows, and holidays or releases nearby.
    """
    chosen = choose(args, context)
    watched = watched_metric(args.metric, chosen, context, args.language)
    measure = watched.measure
    need_daily(measure, "detect_anomalies")
    today = context.clock.now().astimezone(context.zone).date()
    series = daily_series(watched, groupings(args.group_by, watched, context), today, context)
    found = find_anomalies(
        measure.kind,
        series,
        # Fewer complaints than usual are no outbreak.
        sides="up" if watched.name == COMPLAINTS else "both",
        min_n=args.min_n,
        min_change=_LEAST_CHANGE[measure.kind],
        # Hundreds of pairs must not drown the topics and the products.
        family=lambda scope: int(len(scope) > 1),
    )
    inside = [(scope, one) for scope, one in found if _day_inside(one.end - timedelta(days=1), chosen)]
    bursts, total = merged(inside, series, watched, args.limit, context)
    whole = series[()]
    n = sum(sums.n for day, sums in whole.items() if _day_inside(day, chosen))
    caveats = sample_caveats(chosen, n, context, args.language)
    if n and len(whole) < LEAST_DAYS:
        caveats.append(caveat("too_few_days", args.language, days=len(whole), least=LEAST_DAYS))
    if total > len(bursts):
        caveats.append(caveat("listed_of", args.language, total=total, shown=len(bursts)))
    rows = _rows(bursts, args, watched, chosen, context)
    evidence = [one for row in rows for one in row["evidence"]]
    return answer(
        "detect_anomalies",
        args,
        chosen,
        n=n,
        data={
            "metric": watched.name,
            "title": measure.title,
            "kind": measure.kind,
            "anomalies": rows,
            "series": len(series),
            "days": len(whole),
        },
        evidence=evidence[:20],
        caveats=caveats,
        chart=_chart(measure, whole, [one for scope, one in inside if not scope]),
    )


def _day_inside(day: date, chosen: Chosen) -> bool:
    period = chosen.period
    return (period.start is None or day >= period.start.date()) and (
        period.end is None or day < period.end.date()
    )


def _rows(
    bursts: Sequence[Burst], args: AnomalyArguments, watched: Watched, chosen: Chosen, context: ToolContext
) -> list[dict[str, Any]]:
    if not bursts:
        return []
    namer = Namer(context, args.language)
    first = min(burst.anomaly.start for burst in bursts) - _NOTED
    end = max(burst.anomaly.end for burst in bursts)
    notes = day_notes(chosen.selection, first, end, context, args.language)
    return [_row(burst, args, watched, namer, notes, context) for burst in bursts]


def _row(
    burst: Burst,
    args: AnomalyArguments,
    watched: Watched,
    namer: Namer,
    notes: Sequence[dict[str, Any]],
    context: ToolContext,
) -> dict[str, Any]:
    found = burst.anomaly
    inside = watched.inside(burst.scope, days_window(found.start, found.end, context))
    label = _label(burst.scope, namer)
    grown = grown_topics(inside, found, context, namer)
    whole = caveat("anomaly_whole", args.language)
    also = [_label(scope, namer) or whole for scope in burst.also]
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "raised": found.raised.isoformat(),
        "metric": watched.name,
        "scope": dict(burst.scope),
        "scope_label": label,
        "direction": found.direction,
        "score": rounded(found.score),
        "observed": rounded(found.observed),
        "expected": rounded(found.expected),
        "n": found.n,
        "themes": grown,
        "also": [dict(scope) for scope in burst.also],
        "notes": nearby(notes, found.start, found.end),
        "explanation": explain(found, label, also, grown, watched.measure, args.language),
        "evidence": evidence_ids(inside, context, limit=3),
    }


def _label(scope: Scope, namer: Namer) -> str | None:
    return " / ".join(namer.label(dimension, value) for dimension, value in scope) or None


def _chart(measure: Measure, whole: Daily, found: list[Anomaly]) -> dict[str, Any] | None:
    if not whole:
        return None
    days = sorted(whole)
    chart = day_chart(measure.title, days, [line(measure.title, whole, days, measure)])
    areas = [
        [{"xAxis": one.start.isoformat()}, {"xAxis": (one.end - timedelta(days=1)).isoformat()}]
        for one in found
    ]
    if areas:
        chart["series"][0]["markArea"] = {"data": areas}
    return chart
