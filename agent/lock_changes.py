"""The change that an object of a result states: which way, of what, how sure."""

from collections.abc import Mapping
from typing import Any

from agent.lock_values import Movement, Subject

_PERIOD = "period"
_TRENDS = {"rising": 1, "falling": -1, "steady": 0, "new": 1}
_WAYS = {"rose": 1, "up": 1, "rising": 1, "fell": -1, "down": -1, "falling": -1}


def movement_of(
    item: Mapping[str, Any], path: str, under: tuple[Subject, ...], of: tuple[str, str]
) -> Movement | None:
    """The change of an object at a path, under its subjects; `of`: the call and the metric of the result."""
    call, metric = of
    named = tuple(one for one in under if one.dimension != _PERIOD and not one.group.endswith(":filters"))
    told = item.get("significant")
    significant = told if isinstance(told, bool) else None
    before, after = number_of(item.get("before")), number_of(item.get("after"))
    if isinstance(item.get("trend"), str):
        metric, sign, significant, before, after = "", _TRENDS.get(item["trend"]), None, None, None
    elif ".anomalies[" in path and item.get("direction") in ("up", "down"):
        metric, sign, significant = str(item.get("metric", "")), _WAYS[item["direction"]], None
        before = after = None
    elif ".causes[" in path and number_of(item.get("effect")) is not None and "symptoms" in item:
        sign = _sign(after - before) if before is not None and after is not None else None
        significant = True
    else:
        sign = _way(item, before, after, significant)
    if sign is None:
        return None
    return Movement(call, metric, sign, significant, named, not named, before, after)


def _way(
    item: Mapping[str, Any], before: float | None, after: float | None, significant: bool | None
) -> int | None:
    change = number_of(item.get("change"))
    if isinstance(item.get("direction"), str):
        # What is not significant is called unchanged; people say which way it went all the same.
        unsure = change is not None and significant is False
        return _sign(change) if unsure and change is not None else _WAYS.get(item["direction"], 0)
    if before is not None and after is not None and "recent" not in item:
        return _sign(after - before)
    moved = change if change is not None else number_of(item.get("effect"))
    return None if moved is None else _sign(moved)


def number_of(value: object) -> float | None:
    """A number of a result; None for anything else (true and false are none)."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
