"""Tool results as a model reads them: compact JSON that counts what it leaves out and cuts no figure.

The whole result stays in the tool message's artifact, which is what the number lock checks against.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson


class Room(NamedTuple):
    """How much of a result is shown: list entries, characters of a customer's text, evidence ids."""

    entries: int
    text: int
    evidence: int


# From roomy to tight; the first is what a tool message holds.
ROOMS: Final = (Room(50, 240, 20), Room(20, 120, 10), Room(8, 80, 6), Room(4, 50, 3))
_NOT_FOR_MODELS: Final = frozenset({"args", "chart", "tool"})
# Texts of customers; sentences of our own (caveats, reasons, explanations) hold figures and are never cut.
_CUSTOMER_TEXTS: Final = frozenset(
    {"text", "quote", "quotes", "exemplars", "examples", "wordings", "excerpt"}
)
_TIME_KEYS: Final = frozenset({"day", "date", "week", "month", "at"})
_FIGURES_KEPT: Final = 6
_OF_A_NUMBER: Final = frozenset("0123456789.,%")


def compact(result: Mapping[str, Any], room: Room = ROOMS[0]) -> str:
    """A result (ToolResult as JSON) as compact JSON.

    Left out are nulls, the echo of the arguments, the chart, filters repeated further down, list entries
    beyond the room (counted as `<list>_left_out`) and the tails of customers' texts. Numbers keep six
    significant digits. `<` is written as its escape: no text inside can end the block it stands in.
    """
    shown = {key: value for key, value in result.items() if key not in _NOT_FOR_MODELS}
    filters = shown.get("filters")
    data = _mapping(shown, room, None)
    if isinstance(filters, dict) and filters:
        data["data"] = _mapping(shown.get("data", {}), room, filters)
    return orjson.dumps(data, default=str).decode().replace("<", "\\u003c")


def _mapping(values: Mapping[str, Any], room: Room, filters: Mapping[str, Any] | None) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if (
            value is None
            or value in ("", {})
            or (key == "filters" and filters is not None and value == filters)
        ):
            continue
        if isinstance(value, list):
            most = room.evidence if key == "evidence" else room.entries
            chosen = _chosen(value, most)
            kept[key] = [_value(key, each, room, filters) for each in chosen]
            if len(chosen) < len(value):
                kept[f"{key}_left_out"] = len(value) - len(chosen)
        else:
            kept[key] = _value(key, value, room, filters)
    return kept


def _chosen(values: list[Any], most: int) -> list[Any]:
    """The first entries; of a series the last, which is what is asked about."""
    if len(values) <= most:
        return values
    first = values[0]
    is_series = isinstance(first, dict) and not _TIME_KEYS.isdisjoint(first) and "text" not in first
    return values[-most:] if is_series else values[:most]


def _value(key: str, value: Any, room: Room, filters: Mapping[str, Any] | None) -> Any:
    if isinstance(value, dict):
        return _mapping(value, room, filters)
    if isinstance(value, list):  # a list in a list: a pair, an interval
        return [_value(key, each, room, filters) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{_FIGURES_KEPT}g}") if abs(value) < 10**_FIGURES_KEPT else value
    if isinstance(value, str) and key in _CUSTOMER_TEXTS and len(value) > room.text:
        return shortened(value, room.text)
    return value


def shortened(text: str, most: int) -> str:
    """The start of a text with an ellipsis; never ends within a number."""
    end = most
    if text[end - 1] in _OF_A_NUMBER and text[end] in _OF_A_NUMBER:
        while end > 0 and text[end - 1] in _OF_A_NUMBER:
            end -= 1
    return text[:end].rstrip() + "…"
