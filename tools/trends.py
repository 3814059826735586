"""How a metric moves: its course and what it will be."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from analytics.forecasts import LEAST_DAYS as FORECAST_LEAST
from analytics.forecasts import Forecast, forecast_days
from analytics.sums import EMPTY, Sums
from analytics.trends import LEAST_DAYS, Point, TrendFound, find_trend
from tools.answers import answer, evidence_ids
from tools.arguments import Language, SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.daily import daily_sums, day_chart, day_value, line, need_daily, without_gaps
from tools.day_events import EventDays, event_days
from tools.day_notes import day_notes
from tools.measures import Measure, find_measure, rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_FINE = 6
_BOUNDS = {"nps": (-100.0, 100.0), "proportion": (0.0, 1.0), "count": (0.0, float("inf"))}


class TrendArguments(SelectionArguments):
    """Which metric, over which days."""

    metric: Annotated[str, Field(description="as in metric_stats: nps, csat, volume, negative_share ...")] = (
        "volume"
    )


class ForecastArguments(TrendArguments):
    """Which metric, how far ahead."""

    days: Annotated[int, Field(ge=1, le=90, description="how many days ahead")] = 14


def trend(args: TrendArguments, context: ToolContext) -> ToolResult:
    """How a metric moves day by day: rising, falling or steady, weekly rhythm, days its level changed.

    Use for "how has it developed", "is it rising", "since when". The slope has a 95% interval that allows
    for autocorrelation; only if it leaves out zero does the metric rise or fall. Change points are days from
    which the level stayed different. Holidays, releases and the company's calendar are listed in notes;
    `events` says what recurring ones did to the days they fell on, which is taken out of slope and changes.
    """
    measure = find_measure(args.metric, context, args.language)
    need_daily(measure, "trend")
    chosen = choose(args, context)
    daily = _whole_days(measure, chosen, context)
    n = sum(sums.n for sums in daily.values())
    points = _points(measure, daily)
    known = _events(measure, points, chosen, context, args.language, ahead=0)
    found = find_trend(_without(points, known))
    caveats = [*sample_caveats(chosen, n, context, args.language), *known.doubts]
    if n and found is None:
        caveats.append(caveat("too_few_days", args.language, days=len(points), least=LEAST_DAYS))
    data: dict[str, Any] = {
        "metric": measure.name,
        "title": measure.title,
        "kind": measure.kind,
        "days": len(points),
        **_trend_figures(found),
        "points": [
            {"day": one.day.isoformat(), "value": rounded(one.value), "n": one.n} for one in points[-366:]
        ],
        "notes": [],
        "events": known.rows(),
    }
    if daily:
        first, last = min(daily), max(daily)
        data["notes"] = day_notes(chosen.selection, first, last + timedelta(days=1), context, args.language)
    chart = day_chart(measure.title, list(daily), [line(measure.title, daily, list(daily), measure)])
    if found and found.changepoints:
        marks = [{"xAxis": one.day.isoformat()} for one in found.changepoints]
        chart["series"][0]["markLine"] = {"data": marks}
    return answer(
        "trend",
        args,
        chosen,
        n=n,
        data=data,
        evidence=evidence_ids(chosen.selection, context) if n else [],
        caveats=caveats,
        chart=chart if daily else None,
    )


def forecast(args: ForecastArguments, context: ToolContext) -> ToolResult:
    """What a metric will be over the next days, with 95% intervals taken from its own past errors.

    Use for "what will it be next week". Needs four weeks of days. States the model that did better on the
    past, its error there beside that of repeating last week, and how often such intervals held. Allows for
    holidays and for promotions of the company's calendar where earlier ones tell their effect (`events`).
    """
    measure = find_measure(args.metric, context, args.language)
    need_daily(measure, "forecast")
    chosen = choose(args, context)
    daily = _whole_days(measure, chosen, context)
    n = sum(sums.n for sums in daily.values())
    values = _interpolated(measure, daily)
    low, high = _BOUNDS.get(measure.kind, (float("-inf"), float("inf")))
    points = _points(measure, daily)
    known = _events(measure, points, chosen, context, args.language, ahead=args.days)
    found = None
    if len(values) >= FORECAST_LEAST:
        days = [min(daily) + timedelta(days=step) for step in range(len(values) + args.days)]
        found = forecast_days(
            days[0],
            values,
            args.days,
            low=low,
            high=high,
            counts=measure.kind == "count",
            moved=known.moved(days),
            doubt=known.doubt(days),
        )
    caveats = sample_caveats(chosen, n, context, args.language)
    if n and found is None:
        caveats.append(caveat("too_few_days", args.language, days=len(values), least=FORECAST_LEAST))
    missing = sum(1 for sums in daily.values() if not sums.n) if measure.kind != "count" else 0
    if missing * 10 > len(daily):
        caveats.append(caveat("days_filled", args.language, days=missing))
    coming = [row for row in known.rows() if daily and row["to"] > max(daily).isoformat()]
    if found is not None:
        names = [row["name"] for row in coming if row["used"]]
        if names:
            caveats.append(caveat("forecast_events", args.language, names=", ".join(names)))
        caveats.append(caveat("forecast_assumes", args.language))
    caveats += known.doubts
    return answer(
        "forecast",
        args,
        chosen,
        n=n,
        data={
            "metric": measure.name,
            "title": measure.title,
            "kind": measure.kind,
            "history_days": len(values),
            **_forecast_figures(found, measure),
            "events": coming,
        },
        caveats=caveats,
        chart=_forecast_chart(found, daily, measure),
    )


def _whole_days(measure: Measure, chosen: Chosen, context: ToolContext) -> dict[date, Sums]:
    """Every day from the first with items; today, which is not over, is left out."""
    daily = daily_sums(measure, chosen.selection, context)
    today = context.clock.now().astimezone(context.zone).date()
    daily = {day: sums for day, sums in daily.items() if day < today}
    if not daily:
        return {}
    end = max(daily) + timedelta(days=1)
    if measure.kind == "count" and chosen.period.end is not None:
        # Days without a word at the end of the period are zeros, not missing.
        last_known = context.facts.catalogue().last_at
        known = last_known.astimezone(context.zone).date() if last_known else end
        end = max(end, min(chosen.period.end.date(), today, known + timedelta(days=1)))
    return without_gaps(daily, min(daily), end)


def _points(measure: Measure, daily: dict[date, Sums]) -> list[Point]:
    """The days that have a value."""
    return [
        Point(day, value, sums.n)
        for day, sums in daily.items()
        if (value := day_value(measure, sums)) is not None
    ]


def _events(
    measure: Measure,
    points: Sequence[Point],
    chosen: Chosen,
    context: ToolContext,
    language: Language,
    *,
    ahead: int,
) -> EventDays:
    """What happens over these days and `ahead` more, and what it did; a count's effects are relative."""
    scaled = {one.day: math.log1p(one.value) if measure.kind == "count" else one.value for one in points}
    end = points[-1].day + timedelta(days=1 + ahead) if points else date.min
    return event_days(measure, chosen.selection, scaled, end, context, language)


def _without(points: Sequence[Point], known: EventDays) -> list[Point]:
    """The days as they would have been without what the events did to them."""
    moved = known.moved([one.day for one in points]).tolist()
    if known.relative:
        return [
            replace(one, value=max(0.0, math.expm1(math.log1p(one.value) - move)))
            for one, move in zip(points, moved, strict=True)
        ]
    return [replace(one, value=one.value - move) for one, move in zip(points, moved, strict=True)]


def _interpolated(measure: Measure, daily: dict[date, Sums]) -> list[float]:
    """Values of all days; a day without items takes the value of the day before."""
    values: list[float] = []
    for sums in daily.values():
        value = day_value(measure, sums)
        values.append(values[-1] if value is None and values else value or 0.0)
    return values


def _trend_figures(found: TrendFound | None) -> dict[str, Any]:
    if found is None:
        return {
            "direction": None,
            "slope_per_week": None,
            "ci_low": None,
            "ci_high": None,
            "weekday_effects": None,
            "changepoints": [],
        }
    return {
        "direction": found.direction,
        "slope_per_week": round(7 * found.slope, _FINE),
        "ci_low": round(7 * found.ci_low, _FINE),
        "ci_high": round(7 * found.ci_high, _FINE),
        "weekday_effects": [rounded(one) for one in found.weekday_effects] if found.weekday_effects else None,
        "changepoints": [
            {
                "day": one.day.isoformat(),
                "before": rounded(one.before),
                "after": rounded(one.after),
                "change": rounded(one.after - one.before),
            }
            for one in found.changepoints
        ],
    }


def _forecast_figures(found: Forecast | None, measure: Measure) -> dict[str, Any]:
    if found is None:
        return {
            "forecast": [],
            "total": None,
            "model": None,
            "error": None,
            "naive_error": None,
            "coverage": None,
        }
    days = [
        {
            "day": one.day.isoformat(),
            "value": rounded(one.value),
            "ci_low": rounded(one.low),
            "ci_high": rounded(one.high),
        }
        for one in found.days
    ]
    return {
        "forecast": days,
        "total": rounded(sum(one.value for one in found.days)) if measure.kind == "count" else None,
        "mean": rounded(sum(one.value for one in found.days) / len(found.days)),
        "model": found.model,
        "error": rounded(found.mean_absolute_error),
        "naive_error": rounded(found.naive_error),
        "coverage": rounded(found.coverage),
        "confidence": 0.95,
    }


def _forecast_chart(
    found: Forecast | None, daily: dict[date, Sums], measure: Measure
) -> dict[str, Any] | None:
    if found is None:
        return None
    past = list(daily)[-60:]
    days = [*past, *(one.day for one in found.days)]
    blank: list[float | None] = [None] * len(past)
    ahead: list[dict[str, Any]] = [
        {"type": "line", "name": name, "showSymbol": False, "data": [*blank, *values]}
        for name, values in (
            ("forecast", [rounded(one.value) for one in found.days]),
            ("low", [rounded(one.low) for one in found.days]),
            ("high", [rounded(one.high) for one in found.days]),
        )
    ]
    shown = {day: daily.get(day, EMPTY) for day in past}
    return day_chart(measure.title, days, [line(measure.title, shown, days, measure), *ahead])
