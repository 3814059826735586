"""Scores one turn: were the right tools called, is every figure right, is no figure unbound?"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evals.cases import Case, Compute, Days, ExpectedCall, ExpectedFigure, Turn
from evals.feed_files import ZONE
from evals.recompute import Item, compute

Ask = Callable[[str, str], Mapping[str, Any]]
"""Asks one question in a thread; returns the object of `voiceloop ask --json`."""

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d[\d,]*(?:\.\d+)?")
_QUOTED = re.compile(r"[「『“\"].*?[」』”\"]|\[[^\]\s]{3,}\]", re.DOTALL)
_DATE = re.compile(
    r"\d{4}-\d{1,2}(?:-\d{1,2})?|\d{4}/\d{1,2}/\d{1,2}|(?:\d{4}\s*年\s*)?\d{1,2}\s*月(?:\s*\d{1,2}\s*[日号])?"
    r"|\d{4}\s*年|(?:\d{4}\s*)?[QH][1-4]|\d{1,2}:\d{2}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s+\d{1,4}"
)
_LIST_MARK = re.compile(r"(?m)^\s*\d{1,2}[.)、．](?!\d)\s*")


@dataclass
class TurnScore:
    """What one turn got right. `misses` says in words what it did not."""

    case: str
    turn: int
    ask: str
    language: str
    tools: bool = True
    figures: int = 0
    figures_right: int = 0
    unbound: list[str] = field(default_factory=list)
    words: bool = True
    misses: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Everything right."""
        return self.tools and self.figures == self.figures_right and not self.unbound and self.words


def run_case(case: Case, ask: Ask, items: Sequence[Item]) -> list[TurnScore]:
    """Ask a whole thread and score each turn."""
    scores = []
    for number, turn in enumerate(case.turns, start=1):
        answer = ask(turn.ask, case.id)
        score = score_turn(turn, answer, items, asked=[t.ask for t in case.turns[:number]])
        score.case, score.turn, score.language = case.id, number, case.language
        scores.append(score)
    return scores


def score_turn(
    turn: Turn, answer: Mapping[str, Any], items: Sequence[Item], asked: Sequence[str] = ()
) -> TurnScore:
    """Score one answer against what its turn expects."""
    score = TurnScore(case="", turn=0, ask=turn.ask, language="")
    calls = answer["tool_calls"]
    matched = []
    for expected in turn.expect.tools:
        found, reasons = _find_call(expected, calls)
        matched.append(found)
        if found is None:
            score.tools = False
            score.misses.append(f"no call of {'/'.join(expected.names)} as expected: {'; '.join(reasons)}")
    for figure in turn.expect.figures:
        score.figures += 1
        call = matched[figure.call] if figure.call < len(matched) else None
        miss = _check_figure(figure, turn.expect.tools[figure.call], call, answer, items)
        if miss:
            score.misses.append(miss)
        else:
            score.figures_right += 1
    score.unbound = unbound_figures(answer, asked or [turn.ask])
    score.misses += [f"unbound figure {text}" for text in score.unbound]
    _check_words(turn, answer, score)
    return score


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
    known_numbers |= set(re.findall(r"\d+(?:\.\d+)*", known))
    numbers = [match.group() for match in _NUMBER.finditer(text)]
    return bad + [n for n in numbers if _plain(n) not in known_numbers and n.rstrip(",") not in known_numbers]


def resolve(document: Any, path: str) -> Any:
    """Follow a dotted path; `name[key]` picks the list element with that key, `name[0]` one by position,
    and `name.length` is how many there are.

    Raises KeyError where the path leads nowhere.
    """
    value = document
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if step.startswith("["):
            value = _element(value, step[1:-1])
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step == "length":
            value = len(value)
        else:
            raise KeyError(path)
    return value


def close(actual: float, expected: float) -> bool:
    """Equal up to the rounding of results (four decimals; two for values above one)."""
    return abs(actual - expected) <= (0.0051 if abs(expected) > 1 else 0.000051) + 1e-9


def _find_call(
    expected: ExpectedCall, calls: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any] | None, list[str]]:
    reasons = []
    for call in calls:
        if call["name"] not in expected.names:
            reasons.append(f"called {call['name']}")
            continue
        why = _differs(expected, call)
        if not why:
            return call, []
        reasons.append(why)
    return None, reasons or ["nothing was called"]


def _differs(expected: ExpectedCall, call: Mapping[str, Any]) -> str:
    result, args = call["result"], call["args"]
    if "period" not in result:
        return f"{call['name']} failed: {result.get('error', '')}"
    if expected.period is not None and not _same_period(expected.period, result["period"]):
        return f"period {result['period']}, expected {expected.period.model_dump(by_alias=True)}"
    used = dict(result.get("filters") or {})
    for given, wanted, what in (
        (used.pop("exclude", None) or {}, expected.exclude, "exclude"),
        (_segments(used, expected, args), expected.filters, "filters"),
    ):
        if wanted is not None and _listed(given) != _listed(wanted):
            return f"{what} {given}, expected {wanted}"
    for name, value in expected.args.items():
        if _flat(args.get(name)) != _flat(value):
            return f"{name} {args.get(name)!r}, expected {value!r}"
    return ""


def _segments(used: Mapping[str, Any], expected: ExpectedCall, args: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that narrow: neither the customers asked for by id, nor the values a figure is split by."""
    split = set(_flat(args.get("group_by"))) - set(expected.filters or {})
    return {name: value for name, value in used.items() if name not in {"customer_id", *split}}


def _same_period(expected: Days, given: Mapping[str, Any]) -> bool:
    if expected.from_ is None and expected.to is None:
        return given.get("from") is None
    pairs = ((expected.from_, given.get("from")), (expected.to, given.get("to")))
    return all(want is None or (got is not None and _at(want) == _at(got)) for want, got in pairs)


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=ZONE) if at.tzinfo is None else at


def _listed(given: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: sorted(_flat(value)) for name, value in given.items()}


def _flat(value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [str(one) for one in values]


def _check_figure(
    figure: ExpectedFigure,
    expected_call: ExpectedCall,
    call: Mapping[str, Any] | None,
    answer: Mapping[str, Any],
    items: Sequence[Item],
) -> str:
    if call is None:
        return f"{figure.path}: its call is missing"
    wanted = (
        figure.equals if figure.compute is None else compute(items, _complete(figure.compute, expected_call))
    )
    try:
        actual = resolve(call["result"], figure.path)
    except KeyError:
        return f"{figure.path}: not in the result of {call['name']}"
    if isinstance(actual, Mapping):
        actual = actual.get("value", actual.get("nps"))
    if wanted is None or actual is None:
        return "" if wanted is None and actual is None else f"{figure.path}: {actual}, recomputed {wanted}"
    if not isinstance(actual, int | float) or not close(float(actual), wanted):
        return f"{figure.path}: {actual}, recomputed {wanted:.4f}"
    if figure.stated and not any(_shows(shown, wanted) for shown in answer["figures"]):
        return f"{figure.path}: {wanted:.4f} is not stated in the answer"
    return ""


def _complete(question: Compute, call: ExpectedCall) -> Compute:
    """A figure takes over the period and filters of its call where it names none."""
    filters = {**(call.filters or {}), **question.filters}
    minus = _complete(question.minus, call) if question.minus else None
    return question.model_copy(
        update={
            "period": question.period or call.period,
            "filters": filters,
            "exclude": {**call.exclude, **question.exclude},
            "minus": minus,
        }
    )


def _shows(figure: Mapping[str, Any], wanted: float) -> bool:
    value = figure["value"]
    return isinstance(value, int | float) and close(abs(float(value)), abs(wanted))


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


def _element(value: Any, key: str) -> Any:
    if not isinstance(value, list):
        raise KeyError(key)
    for element in value:
        if isinstance(element, Mapping) and "key" in element and key in (_joined(element["key"]),):
            return element
    if key.isdigit() and int(key) < len(value):
        return value[int(key)]
    raise KeyError(key)


def _joined(key: Any) -> str:
    if isinstance(key, Mapping):
        key = list(key.values())
    return " / ".join(str(part) for part in key) if isinstance(key, list | tuple) else str(key)


def _check_words(turn: Turn, answer: Mapping[str, Any], score: TurnScore) -> None:
    text = answer["answer"].lower()
    for line in turn.expect.says:
        if not any(word.strip().lower() in text for word in line.split("|")):
            score.words = False
            score.misses.append(f"does not say {line!r}")
    for word in turn.expect.avoids:
        if word.lower() in text:
            score.words = False
            score.misses.append(f"says {word!r}")
    if turn.expect.approval != bool(answer["pending_approvals"]):
        score.words = False
        score.misses.append("approval expected" if turn.expect.approval else "stopped for approval unasked")
