"""Bursts and slumps: days out of line, overall and by group, with what filled them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from analytics.anomalies import LEAST_DAYS, WINDOW_DAYS, Anomaly, find_anomalies
from analytics.sums import Sums
from store.facts import Selection, Window
from tools.anomaly_content import days_window, explain, grown_topics
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.daily import daily_by, daily_sums, day_chart, line, need_daily
from tools.day_notes import day_notes, nearby
from tools.dimensions import find_dimension
from tools.groups import Namer
from tools.measures import Measure, find_measure, rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_GROUPS = 30
# False alarms a day of one series; with many series each gets less (by the square root of their number).
_ALPHA = 0.005
_LEAST_CHANGE = {"count": 0.2, "proportion": 0.03, "nps": 5.0, "mean": 0.0}


class AnomalyArguments(SelectionArguments):
    """Which metric is watched, and in which groups besides the whole."""

    metric: Annotated[str, Field(description="volume, negative_share, nps ...; as in metric_stats")] = (
        "volume"
    )
    group_by: Annotated[
        str | None,
        Field(description="also watch each value of this dimension: topic, theme, region, product ..."),
    ] = "topic"
    min_n: Annotated[int, Field(ge=1, description="days with fewer items raise no alarm")] = 8
    limit: Annotated[int, Field(ge=1, le=100, description="at most this many anomalies")] = 10


def detect_anomalies(args: AnomalyArguments, context: ToolContext) -> ToolResult:
    """Days on which a metric was out of line with its own past: bursts, slumps, sudden negative outbreaks.

    Use for "anything unusual", "was there a spike". Each day is judged by the weeks before it (weekday habit
    and usual spread taken into account), for the whole and for the values of group_by. An anomaly has start
    and end (half-open), direction, score (-log10 p), observed against expected, the topics that grew in it
    and holidays or releases nearby.
    """
    measure = find_measure(args.metric, context, args.language)
    need_daily(measure, "detect_anomalies")
    chosen = choose(args, context)
    # The weeks before the period are the past that its first days are judged by.
    wide = _with_past(chosen.selection)
    today = context.clock.now().astimezone(context.zone).date()
    series = _series(args, measure, wide, today, context)
    alpha = _ALPHA / max(1, len(series)) ** 0.5
    found: list[tuple[tuple[str, str] | None, Anomaly]] = []
    for scope, daily in series.items():
        anomalies = find_anomalies(
            measure.kind, daily, alpha=alpha, min_n=args.min_n, min_change=_LEAST_CHANGE[measure.kind]
        )
        found += [(scope, one) for one in anomalies if _inside(one, chosen)]
    found.sort(key=lambda pair: -pair[1].score)
    whole = series[None]
    n = sum(sums.n for day, sums in whole.items() if _day_inside(day, chosen))
    caveats = sample_caveats(chosen, n, context, args.language)
    if n and len(whole) < LEAST_DAYS:
        caveats.append(caveat("too_few_days", args.language, days=len(whole), least=LEAST_DAYS))
    if len(found) > args.limit:
        caveats.append(caveat("listed_of", args.language, total=len(found), shown=args.limit))
    namer = Namer(context, args.language)
    rows = [_row(scope, one, args, measure, chosen, namer, context) for scope, one in found[: args.limit]]
    evidence = [one for row in rows for one in row["evidence"]]
    return answer(
        "detect_anomalies",
        args,
        chosen,
        n=n,
        data={
            "metric": measure.name,
            "title": measure.title,
            "kind": measure.kind,
            "anomalies": rows,
            "series": len(series),
            "days": len(whole),
        },
        evidence=evidence[:20],
        caveats=caveats,
        chart=_chart(measure, whole, [one for scope, one in found if scope is None]),
    )


def _with_past(selection: Selection) -> Selection:
    start = selection.window.start
    past = None if start is None else start - timedelta(days=WINDOW_DAYS)
    return Selection(Window(past, selection.window.end), selection.filters, selection.exclude)


def _series(
    args: AnomalyArguments, measure: Measure, wide: Selection, today: date, context: ToolContext
) -> dict[tuple[str, str] | None, Mapping[date, Sums]]:
    """Days by scope: None is the whole, (dimension, value) one of the largest groups. Today is left out."""
    whole = daily_sums(measure, wide, context)
    series: dict[tuple[str, str] | None, Mapping[date, Sums]] = {None: _before(whole, today)}
    if not args.group_by or not whole:
        return series
    dimension = find_dimension(args.group_by, context.facts.catalogue())
    groups = {value: _before(of, today) for value, of in daily_by(measure, wide, dimension, context).items()}
    largest = sorted(groups, key=lambda value: -sum(sums.n for sums in groups[value].values()))[:_GROUPS]
    first, last = min(whole), max(day for day in whole)
    for value in largest:
        of = dict(groups[value])
        if measure.kind == "count":
            # A group that nobody spoke of yet was at zero.
            of = {first: Sums(0, 0.0, 0.0), min(last, today - timedelta(days=1)): Sums(0, 0.0, 0.0), **of}
        series[dimension, value] = of
    return series


def _before(daily: Mapping[date, Sums], today: date) -> dict[date, Sums]:
    return {day: sums for day, sums in daily.items() if day < today}


def _day_inside(day: date, chosen: Chosen) -> bool:
    period = chosen.period
    return (period.start is None or day >= period.start.date()) and (
        period.end is None or day < period.end.date()
    )


def _inside(found: Anomaly, chosen: Chosen) -> bool:
    return _day_inside(found.end - timedelta(days=1), chosen)


def _row(
    scope: tuple[str, str] | None,
    found: Anomaly,
    args: AnomalyArguments,
    measure: Measure,
    chosen: Chosen,
    namer: Namer,
    context: ToolContext,
) -> dict[str, Any]:
    window = days_window(found.start, found.end, context)
    filters = {} if scope is None else {scope[0]: (scope[1],)}
    inside = Selection(window, {**chosen.selection.filters, **filters}, chosen.selection.exclude)
    label = None if scope is None else namer.label(*scope)
    grown = grown_topics(inside, found, scope, namer, context)
    notes = day_notes(chosen.selection, found.start - timedelta(days=3), found.end, context, args.language)
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "metric": measure.name,
        "scope": {} if scope is None else {scope[0]: scope[1]},
        "scope_label": label,
        "direction": found.direction,
        "score": rounded(found.score),
        "observed": rounded(found.observed),
        "expected": rounded(found.expected),
        "n": found.n,
        "themes": grown,
        "notes": nearby(notes, found.start, found.end),
        "explanation": explain(found, label, grown, measure, args.language),
        "evidence": evidence_ids(inside, context, order="lowest_score", limit=3),
    }


def _chart(measure: Measure, whole: Mapping[date, Sums], found: list[Anomaly]) -> dict[str, Any] | None:
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
