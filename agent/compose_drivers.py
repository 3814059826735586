"""Sentences about what a score depends on."""

from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import change, metric_name, number, percent, scope

_LISTED = 6


def compose_drivers(frame: Frame, result: dict[str, Any]) -> str:
    """The strongest factors with importance and effect; how much all of them explain."""
    language, data = frame.language, result["data"]
    shown = {"where": scope(result, frame), "metric": metric_name(data["metric"], frame)}
    if not data["drivers"]:
        return phrase("drivers_none", language, **shown)
    head = phrase("drivers_head", language, r2=percent(data["r2"]), n=number(result["n"]), **shown)
    lines = [head]
    for row in data["drivers"][:_LISTED]:
        key = "driver_line" if row["significant"] else "driver_line_unsure"
        side = phrase("driver_raises" if row["effect"] > 0 else "driver_lowers", language)
        values = {"label": row["label"], "importance": percent(row["importance"]), "side": side}
        moved = change(data["metric"], row["effect"], language)
        lines.append(phrase(key, language, effect=moved, **values))
    return "\n".join(lines)
