"""Numbers of an answer that nothing accounts for."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from evals.paths import close, resolve

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d[\d,]*(?:\.\d+)?")
_QUOTED = re.compile(r"[「『“\"].*?[」』”\"]|\[[^\]\s]{3,}\]", re.DOTALL)
_DATE = re.compile(
    r"\d{4}-\d{1,2}(?:-\d{1,2})?|\d{4}/\d{1,2}/\d{1,2}|(?:\d{4}\s*年\s*)?\d{1,2}\s*月(?:\s*\d{1,2}\s*[日号])?"
    r"|\d{4}\s*年|(?:\d{4}\s*)?[QH][1-4]|\d{1,2}:\d{2}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s+\d{1,4}"
)
_LIST_MARK = re.compile(r"(?m)^\s*\d{1,2}[.)、．](?!\d)\s*")


def unbound_figures(answer: Mapping[str, Any], asked: Sequence[str]) -> list[str]:
    """Numbers of an answer that no figure, argument, name or question accounts for.

    Figures must point at a value of a tool result that is there; quotes, dates and list marks do not count.
    """
    calls = {call["id"]: call for call in answer["tool_calls"]}
    bad = [f["text"] for f in answer["figures"] if not _points_at_value(f, calls)]
    text = answer["answer"]
    for pattern in (_QUOTED, _DATE, _LIST_MARK):
        text = pattern.sub(" ", text)
    known = " ".join([f["text"] for f in answer["figures"]] + list(asked) + _words(answer["tool_calls"]))
    known_numbers = {_plain(match.group()) for match in _NUMBER.finditer(known)}
    known_numbers |= _counted(answer["tool_calls"])
    known_numbers |= set(re.findall(r"\d+(?:\.\d+)*", known))
    numbers = [match.group() for match in _NUMBER.finditer(text)]
    return bad + [n for n in numbers if _plain(n) not in known_numbers and n.rstrip(",") not in known_numbers]


def _counted(calls: Sequence[Mapping[str, Any]]) -> set[str]:
    """How many groups a result has, and how many days its period."""
    counts: set[str] = set()
    for call in calls:
        period, data = call["result"].get("period") or {}, call["result"].get("data") or {}
        ends = [period.get(name) for name in ("from", "to")]
        if all(isinstance(end, str) for end in ends):
            first, last = (date.fromisoformat(str(end)[:10]) for end in ends)
            counts.add(str((last - first).days))
        if isinstance(data.get("groups"), list):
            counts.add(str(len(data["groups"])))
    return counts


def _points_at_value(figure: Mapping[str, Any], calls: Mapping[str, Mapping[str, Any]]) -> bool:
    # A follow-up may state a figure of an earlier turn, whose call is not part of this answer.
    call = calls.get(figure["tool_call_id"])
    if call is None:
        return True
    if not isinstance(figure["value"], int | float):
        return True
    where = call if figure["path"].startswith("args") else call["result"]
    try:
        value = resolve(where, figure["path"])
    except KeyError:
        return False
    if isinstance(value, Mapping):  # a figure with its interval
        value = value.get("value")
    if not isinstance(value, str | int | float):
        return False
    return isinstance(value, str) or close(abs(float(value)), abs(float(figure["value"]))) or _level(figure)


def _level(figure: Mapping[str, Any]) -> bool:
    """The 95 of a 95% interval is bound to the interval it names."""
    return figure["value"] == 95 and str(figure["path"]).endswith(("ci_low", "ci_high"))


def _words(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    return [json.dumps(call["args"], ensure_ascii=False) for call in calls] + [
        text for call in calls for text in _strings(call["result"])
    ]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for name, inner in value.items() for text in [str(name), *_strings(inner)]]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _strings(inner)]
    return []


def _plain(number: str) -> str:
    return f"{float(number.replace(',', '') or 0):g}"
