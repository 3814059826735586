"""What a question takes for granted, held against the results: said first where the data disagrees."""

import re
from collections.abc import Sequence
from typing import Any

from agent.frame import Direction, Frame
from agent.phrases import phrase
from agent.wording import value_name

_YES_NO = re.compile(
    r"[吗么](?:[？?。]|$)|是不是|是否|有没有|有无|了没|没有[？?]|^\s*(?:and\s+|so\s+)?(?:did|is|are|was|were|has|have|does|do)\b",
    re.IGNORECASE,
)


def compose_premise(frame: Frame, results: Sequence[dict[str, Any]]) -> str:
    """A sentence that corrects the question, or answers a yes-or-no question; empty where neither is due."""
    for result in results:
        if frame.stands and "groups" in result["data"]:
            return _standing(frame, result)
    if frame.claims is None:
        return ""
    for result in results:
        if result["tool"] == "compare_periods" and result["data"]["change"] is not None:
            data = result["data"]
            moved = _direction(data["change"]) if data["significant"] else None
            return _held(frame, frame.claims, moved)
    for result in results:
        if result["tool"] == "trend" and result["data"]["direction"] is not None:
            return _held(frame, frame.claims, _course(result["data"], frame.claims))
    return ""


def _held(frame: Frame, claim: Direction, moved: Direction | None) -> str:
    language = frame.language
    said = phrase(claim, language)
    if _asks(frame):
        key = "yes" if moved == claim else "no_opposite" if moved else "no_unproven"
        return phrase(key, language, claim=said)
    if moved == claim:
        return ""
    return phrase("premise_opposite" if moved else "premise_unproven", language, claim=said)


def _asks(frame: Frame) -> bool:
    """Whether the direction is asked about, and not taken for granted."""
    return (
        not {"why", "since", "plan", "where"} & set(frame.goals)
        and _YES_NO.search(frame.question) is not None
    )


def _course(data: dict[str, Any], claim: Direction) -> Direction | None:
    """The direction of a course: its slope, else a level that changed as claimed."""
    slope: Direction | None = {"rising": "up", "falling": "down"}.get(data["direction"])  # type: ignore[assignment]
    steps = [_direction(one["after"] - one["before"]) for one in data["changepoints"]]
    return slope or (claim if claim in steps else None)


def _direction(change: float) -> Direction:
    return "up" if change > 0 else "down"


def _standing(frame: Frame, result: dict[str, Any]) -> str:
    """Whether the segment named stands at the end of the order that the question says."""
    dimension = next(iter(frame.filters))
    wanted = frame.filters[dimension]
    key = "nps" if result["tool"] == "nps_stats" else "value"
    groups = [g for g in result["data"]["groups"] if g.get(key) is not None and g["keys"].get(dimension)]
    if not groups:
        return ""
    groups.sort(key=lambda group: group[key], reverse=frame.stands == "highest")
    real = groups[0]["keys"][dimension]
    if real in wanted:
        return ""
    names = {
        "named": value_name(dimension, wanted[0], frame),
        "real": value_name(dimension, real, frame),
        "end": phrase(f"end_{frame.stands}", frame.language),
    }
    return phrase("premise_standing", frame.language, **names)
