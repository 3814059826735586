"""Sentences about what was decided: whether a measure worked, what it is worth."""

from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import amount, change, metric_name, number, scope


def compose_effect(frame: Frame, result: dict[str, Any]) -> str:
    """The verdict, the effect with its interval, by which design, and what to do where it was missed."""
    language, data = frame.language, result["data"]
    metric = data["metric"]
    shown = {
        "where": scope(result, frame),
        "metric": metric_name(metric, frame),
        "start": data["start"],
    }
    if data["effect"] is None:
        return phrase("effect_none", language, **shown)
    lines = [phrase(f"effect_{data['verdict']}", language, **shown)]
    side = "effect_up" if data["effect"] > 0 else "effect_down"
    interval = f"{_signed(metric, data['ci_low'])} ~ {_signed(metric, data['ci_high'])}"
    lines.append(
        phrase(side, language, change=change(metric, data["effect"], language), interval=interval)
        + phrase(f"design_{data['design']}", language)
    )
    lines.append(
        phrase(
            "effect_levels",
            language,
            before=amount(metric, data["level_before"]),
            after=amount(metric, data["level_after"]),
            days_before=data["days_before"],
            days_after=data["days_after"],
        )
    )
    if data["reopen"]:
        lines.append(phrase("effect_reopen", language))
    return "\n".join(lines)


def compose_roi(frame: Frame, result: dict[str, Any]) -> str:
    """Benefit over the horizon and in a year, each with its formula; cost, net and payback where known."""
    language, data = frame.language, result["data"]
    head = {
        "months": number(data["horizon_months"]),
        "total": _money(data["total_benefit"]),
        "annual": _money(data["annual_benefit"]),
    }
    lines = [phrase("roi_head", language, **head)]
    lines += [
        phrase(
            "roi_benefit",
            language,
            name=phrase(f"roi_{one['component']}", language),
            formula=one["formula"],
            annual=_money(one["annual"]),
        )
        for one in data["benefits"]
    ]
    if data["cost"]:
        values = {"cost": number(data["cost"]), "net": _money(data["net"]), "ratio": data["ratio"]["value"]}
        lines.append(phrase("roi_net", language, **values))
    if data["payback_months"] is not None:
        lines.append(phrase("roi_payback", language, months=number(data["payback_months"])))
    return "\n".join(lines)


def _signed(metric: str, value: float) -> str:
    return f"{amount(metric, value)}" if value < 0 else f"+{amount(metric, value)}"


def _money(of: dict[str, float]) -> str:
    if of["low"] == of["high"]:
        return number(of["value"])
    return f"{number(of['value'])} ({number(of['low'])} ~ {number(of['high'])})"
