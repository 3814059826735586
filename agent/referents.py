"""What 它, 第二个 and "these customers" stand for: things that the answer before showed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from agent.figures import zh_number
from agent.frame import Frame
from agent.word_matching import matcher

_ZH_ORDINAL = re.compile(
    r"第([一二两三四五六七八九十]|\d{1,2})(?:个|条|名|位|类|项|大|家|款|种|点)?(?!季|周|月|天|次|年)"
    r"|(排第一|排名第一|首个|头一个)"
)
_EN_ORDINAL = re.compile(
    r"\b(?:the\s+)?(?:(first|second|third|fourth|fifth)|(\d)(?:st|nd|rd|th)|number (\d)"
    r"|(top|biggest|largest|worst) one)\b(?!\s+(?:quarter|half|week|month|time))",
    re.IGNORECASE,
)
_EN_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_LOOKED_AT = frozenset({(), ("figure",), ("detail",), ("opinion",), ("themes",)})


class Shown(NamedTuple):
    """A thing that an answer showed: what it is (`theme`, `customer`, `segment`), and how it is selected."""

    kind: str
    value: str
    filters: Mapping[str, str]


def refer(frame: Frame, before: Frame | None, results: Sequence[Mapping[str, Any]]) -> Frame:
    """The frame with its pronouns and ordinals filled from the results of the message before."""
    if before is None or not results:
        return frame
    text = frame.question
    if matcher("those_people").find(text) and not frame.customer_ids and _about_people(frame):
        people = [shown.value for shown in _all(results, before) if shown.kind == "customer"]
        if people:
            return replace(frame, customer_ids=tuple(people[: frame.limit or len(people)]))
    place = _ordinal(text)
    things = _all(results, before)
    if place is not None:
        return _with(frame, things[place - 1]) if 0 < place <= len(things) else frame
    if matcher("this_theme").find(text) and not frame.filters:
        themes = [one for one in things if one.kind == "theme"]
        return _with(frame, themes[0]) if themes else frame
    pointed = matcher("pronouns").find(text)
    if pointed and not frame.filters and not frame.customer_ids:
        segments = [one for one in things if one.kind in ("segment", "customer")]
        if segments and (before.rank or len(segments) == 1):
            return _with(frame, segments[0])
    return frame


def _with(frame: Frame, thing: Shown) -> Frame:
    if thing.kind == "theme":
        if frame.goals in _LOOKED_AT or not frame.goals:
            return replace(frame, goals=("detail",), theme_id=thing.value, about="", unknown=())
        return replace(frame, filters={**frame.filters, "theme": [thing.value]}, search="", unknown=())
    if thing.kind == "customer":
        goals = ("customer",) if frame.goals in _LOOKED_AT or not frame.goals else frame.goals
        return replace(frame, goals=goals, customer_ids=(thing.value,), unknown=())
    filters = {**frame.filters, **{d: [v] for d, v in thing.filters.items()}}
    return replace(frame, filters=filters, unknown=(), stands=None)


def _about_people(frame: Frame) -> bool:
    return bool({"tasks", "plan", "customer", "quotes"} & set(frame.goals))


def _ordinal(text: str) -> int | None:
    if match := _ZH_ORDINAL.search(text):
        if match[2]:
            return 1
        return int(match[1]) if match[1].isdigit() else int(zh_number(match[1]))
    if match := _EN_ORDINAL.search(text):
        if match[1]:
            return _EN_PLACES[match[1].lower()]
        return int(match[2] or match[3]) if match[2] or match[3] else 1
    return None


def _all(results: Sequence[Mapping[str, Any]], before: Frame) -> list[Shown]:
    """The things of the first result that lists some, in the order they were shown."""
    for result in results:
        read = _LISTS.get(result["tool"])
        if read is not None and (things := read(result, before)):
            return things
    return []


def _groups(result: Mapping[str, Any], before: Frame) -> list[Shown]:
    groups = [g for g in result["data"].get("groups") or [] if None not in g["keys"].values()]
    key = "nps" if result["tool"] == "nps_stats" else "value"
    if before.rank:
        groups = [g for g in groups if g.get(key) is not None]
        groups.sort(key=lambda group: group[key], reverse=before.rank != "lowest")
    if not groups:
        chosen = {d: v for d, v in result.get("filters", {}).items() if isinstance(v, str)}
        return [Shown("segment", "", chosen)] if chosen else []
    return [Shown("segment", "", g["keys"]) if "theme" not in g["keys"] else _theme(g) for g in groups]


def _theme(group: Mapping[str, Any]) -> Shown:
    return Shown("theme", str(group["keys"]["theme"]), {})


def _themes(result: Mapping[str, Any], before: Frame) -> list[Shown]:
    return [Shown("theme", theme["theme_id"], {}) for theme in result["data"]["themes"]]


def _customers(result: Mapping[str, Any], before: Frame) -> list[Shown]:
    return [Shown("customer", one["customer_id"], {}) for one in result["data"]["customers"]]


def _causes(result: Mapping[str, Any], before: Frame) -> list[Shown]:
    found = []
    for cause in result["data"]["causes"]:
        single = {d: v for d, v in cause["conditions"].items() if isinstance(v, str)}
        found.append(Shown("segment", "", single))
    return found


_LISTS: Mapping[str, Callable[[Mapping[str, Any], Frame], list[Shown]]] = {
    "list_themes": _themes,
    "churn_risk": _customers,
    "nps_stats": _groups,
    "metric_stats": _groups,
    "root_cause": _causes,
}
