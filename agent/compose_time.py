"""Sentences about how a metric moves in time: its course, days out of line, what it will be."""

from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import amount, change, is_share, metric_name, scope

_LISTED = 5
_DAYS_SHOWN = 7


def compose_trend(frame: Frame, result: dict[str, Any]) -> str:
    """Direction with the slope a week, the days the level changed, what happened around them."""
    language, data = frame.language, result["data"]
    metric = data["metric"]
    shown = {"where": scope(result, frame), "metric": metric_name(metric, frame)}
    if data["direction"] is None:
        return phrase("trend_unknown", language, **shown)
    lines = [phrase(f"trend_{data['direction']}", language, **shown)]
    if "since" in frame.goals and data["changepoints"]:
        # The day is what was asked for; the slope of the whole span would say another thing first.
        lines = [_onset(frame, data)]
        return "\n".join(lines + _events(metric, data["events"], frame))
    slope = phrase(
        "trend_slope",
        language,
        slope=_signed(metric, data["slope_per_week"]),
        low=_signed(metric, data["ci_low"]),
        high=_signed(metric, data["ci_high"]),
        days=data["days"],
    )
    lines.append(slope)
    lines += [
        phrase(
            "trend_changepoint",
            language,
            day=one["day"],
            before=amount(metric, one["before"]),
            after=amount(metric, one["after"]),
        )
        for one in data["changepoints"][:_LISTED]
    ]
    lines += _events(metric, data["events"], frame)
    return "\n".join(lines)


def _onset(frame: Frame, data: dict[str, Any]) -> str:
    """The day of the largest change of level, in the direction asked about where one is."""
    metric, steps = data["metric"], data["changepoints"]
    wanted = [
        s for s in steps if frame.claims is None or (s["after"] > s["before"]) == (frame.claims == "up")
    ]
    one = max(wanted or steps, key=lambda step: abs(step["after"] - step["before"]))
    levels = {key: amount(metric, one[key]) for key in ("before", "after")}
    return phrase("trend_onset", frame.language, metric=metric_name(metric, frame), day=one["day"], **levels)


def compose_anomalies(frame: Frame, result: dict[str, Any]) -> str:
    """Each anomaly by its days with its sentence and what happened nearby."""
    language, data = frame.language, result["data"]
    shown = {"where": scope(result, frame), "metric": metric_name(data["metric"], frame)}
    if not data["anomalies"]:
        return phrase("anomalies_none", language, **shown)
    lines = [phrase("anomalies_head", language, n=len(data["anomalies"]), **shown)]
    for one in data["anomalies"][:_LISTED]:
        line = phrase("anomaly_line", language, day=one["start"], text=one["explanation"])
        if one["notes"]:
            names = phrase("and", language).join(note["name"] for note in one["notes"])
            line += phrase("anomaly_notes", language, names=names)
        lines.append(line)
    return "\n".join(lines)


def compose_forecast(frame: Frame, result: dict[str, Any]) -> str:
    """The sum or mean to come, the next days with intervals, how such forecasts did before."""
    language, data = frame.language, result["data"]
    metric = data["metric"]
    name = metric_name(metric, frame)
    if not data["forecast"]:
        return phrase("forecast_none", language, metric=name)
    days = data["forecast"]
    values = {"metric": name, "first": days[0]["day"], "last": days[-1]["day"]}
    if data["total"] is not None:
        head = phrase("forecast_total", language, total=amount(metric, round(data["total"])), **values)
    else:
        head = phrase("forecast_mean", language, mean=amount(metric, data["mean"]), **values)
    lines = [head]
    lines += [
        phrase(
            "forecast_day",
            language,
            day=one["day"],
            value=amount(metric, one["value"]),
            low=amount(metric, one["ci_low"]),
            high=amount(metric, one["ci_high"]),
        )
        for one in days[:_DAYS_SHOWN]
    ]
    error = {
        "error": change(metric, data["error"], language),
        "naive": change(metric, data["naive_error"], language),
    }
    lines.append(phrase("forecast_quality", language, **error))
    lines += _events(metric, data["events"], frame)
    return "\n".join(lines)


def _events(metric: str, events: list[dict[str, Any]], frame: Frame) -> list[str]:
    """What recurring events did to the days they fell on, those alone that the figures allow for."""
    lines = []
    for one in [event for event in events if event["used"]][:_LISTED]:
        if one["unit"] == "relative":
            told = {end: f"{one[end] * 100:+.1f}%" for end in ("effect", "ci_low", "ci_high")}
        else:
            told = {end: _signed(metric, one[end]) for end in ("effect", "ci_low", "ci_high")}
        span = {"name": one["name"], "first": one["from"], "last": one["to"]}
        shown = {"effect": told["effect"], "low": told["ci_low"], "high": told["ci_high"]}
        lines.append(phrase("event_effect", frame.language, n=one["occurrences"], **span, **shown))
    return lines


def _signed(metric: str, value: float) -> str:
    shown = f"{value * 100:.2f}%" if is_share(metric) else f"{value:.2f}"
    return shown if value < 0 else f"+{shown}"
