"""Scores one turn: end state first, then figures, tools, citations, and what is said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evals.cases import Case, Compute, Days, Expect, ExpectedCall, ExpectedFigure, Turn
from evals.feed_files import ZONE
from evals.paths import close, resolve
from evals.question_checks import (
    Written,
    check_asks,
    check_citations,
    check_premise,
    check_refusal,
    check_state,
)
from evals.question_figures import wrong_figures
from evals.question_unbound import unbound_figures
from evals.recompute import Item, compute

Ask = Callable[[str, str], Mapping[str, Any]]
"""Asks one question in a thread; returns the object of `voiceloop ask --json`."""
Look = Callable[[], Written]
"""Looks what the store holds since the last look."""


@dataclass
class TurnScore:
    """What one turn got right. `misses` says in words what it did not.

    `state`: the store holds what it should. `wrong` are figures shown that differ from the files, `unbound`
    are numbers that no result accounts for. `kinds` are what the turn stands for beside its case's habit.
    """

    case: str = ""
    turn: int = 0
    trial: int = 1
    ask: str = ""
    language: str = ""
    dataset: str = ""
    habit: str = ""
    kinds: list[str] = field(default_factory=list)
    state: bool = True
    tools: bool = True
    figures: int = 0
    figures_right: int = 0
    wrong: list[str] = field(default_factory=list)
    unbound: list[str] = field(default_factory=list)
    words: bool = True
    misses: list[str] = field(default_factory=list)
    elapsed_ms: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    answer: str = ""

    @property
    def right(self) -> bool:
        """Everything right."""
        figures = self.figures == self.figures_right and not self.unbound and not self.wrong
        return self.state and self.tools and figures and self.words


def run_case(case: Case, ask: Ask, items: Sequence[Item], look: Look | None = None) -> list[TurnScore]:
    """Ask a whole thread and score each turn. A question that fails outright is a miss and not the end."""
    scores = []
    for number, turn in enumerate(case.turns, start=1):
        answer = ask(turn.ask, case.id)
        written = look() if look else None
        asked = [t.ask for t in case.turns[:number]]
        score = score_turn(turn, answer, items, asked=asked, written=written)
        score.case, score.turn, score.language = case.id, number, case.language
        score.dataset, score.habit = case.dataset, case.habit
        scores.append(score)
    return scores


def score_turn(
    turn: Turn,
    answer: Mapping[str, Any],
    items: Sequence[Item],
    asked: Sequence[str] = (),
    written: Written | None = None,
) -> TurnScore:
    """Score one answer against what its turn expects: by the first outcome that holds, else the first."""
    outcomes = [turn.expect, *turn.expect.either]
    scores = [_score(expect, answer, items, written) for expect in outcomes]
    score = next((one for one in scores if one.right), scores[0])
    shown = wrong_figures(answer, items)
    score.wrong = list(dict.fromkeys([*score.wrong, *shown]))
    score.unbound = unbound_figures(answer, asked or [turn.ask])
    score.misses += [f"wrong figure: {text}" for text in score.wrong]
    score.misses += [f"unbound figure {text}" for text in score.unbound]
    score.ask, score.answer = turn.ask, answer["answer"]
    score.kinds = _kinds(turn.expect)
    score.elapsed_ms = int(answer.get("elapsed_ms", 0))
    usage = answer.get("usage", {})
    score.input_tokens, score.output_tokens = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
    return score


def _score(
    expect: Expect, answer: Mapping[str, Any], items: Sequence[Item], written: Written | None
) -> TurnScore:
    score = TurnScore()
    state = check_state(expect, written)
    score.state = not state
    score.misses += state
    matched = []
    for expected in expect.tools:
        found, reasons = _find_call(expected, answer["tool_calls"])
        matched.append(found)
        if found is None:
            score.tools = False
            score.misses.append(f"no call of {'/'.join(expected.names)} as expected: {'; '.join(reasons)}")
    for figure in expect.figures:
        score.figures += 1
        call = matched[figure.call] if figure.call < len(matched) else None
        miss, wrong = _check_figure(figure, expect.tools[figure.call], call, answer, items)
        score.wrong += wrong
        if miss:
            score.misses.append(miss)
        else:
            score.figures_right += 1
    said = [
        *check_premise(expect, answer),
        *check_refusal(expect.refusal, answer),
        *check_asks(expect, answer),
    ]
    said += check_citations(expect, answer, expect.tools[0] if len(expect.tools) == 1 else None, items)
    said += _check_words(expect, answer)
    score.words = not said
    score.misses += said
    return score


def _kinds(expect: Expect) -> list[str]:
    kinds = [expect.refusal] if expect.refusal else []
    return [*kinds, *(["premise"] if expect.premise else []), *(["asks"] if expect.asks else [])]


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
    # 5 and 5.0 are one number, and a model may write either.
    return [f"{float(one):g}" if isinstance(one, int | float) else str(one) for one in values]


def _check_figure(
    figure: ExpectedFigure,
    expected_call: ExpectedCall,
    call: Mapping[str, Any] | None,
    answer: Mapping[str, Any],
    items: Sequence[Item],
) -> tuple[str, list[str]]:
    """What is missed about an expected figure, and what the answer shows in its place."""
    wanted = (
        figure.equals if figure.compute is None else compute(items, _complete(figure.compute, expected_call))
    )
    instead = _instead(figure, expected_call, wanted, answer) if figure.stated else []
    if call is None:
        return f"{figure.path}: its call is missing", instead
    try:
        actual = resolve(call["result"], figure.path)
    except KeyError:
        # Another tool may lay its result out otherwise: what counts is that the right value is stated.
        stated = wanted is not None and any(_shows(shown, wanted) for shown in answer["figures"])
        return "" if stated else f"{figure.path}: not in the result of {call['name']}", instead
    if isinstance(actual, Mapping):
        actual = actual.get("value", actual.get("nps"))
    if wanted is None or actual is None:
        return (
            "" if wanted is None and actual is None else f"{figure.path}: {actual}, recomputed {wanted}"
        ), []
    if not isinstance(actual, int | float) or not close(float(actual), wanted):
        return f"{figure.path}: {actual}, recomputed {wanted:.4f}", instead
    if figure.stated and not any(_shows(shown, wanted) for shown in answer["figures"]):
        return f"{figure.path}: {wanted:.4f} is not stated in the answer", instead
    return "", []


def _instead(
    figure: ExpectedFigure, expected: ExpectedCall, wanted: float | None, answer: Mapping[str, Any]
) -> list[str]:
    """Other values that the answer gives for the figure asked for, where it does not give the right one."""
    if "[" in figure.path or any(wanted is not None and _shows(shown, wanted) for shown in answer["figures"]):
        return []
    calls = {call["id"]: call for call in answer["tool_calls"] if call["name"] in expected.names}
    metric = expected.args.get("metric")
    return [
        f"{shown['text']} shown as {figure.path}, recomputed {wanted}"
        for shown in answer["figures"]
        if shown["tool_call_id"] in calls
        and shown["path"] == figure.path
        and metric == calls[shown["tool_call_id"]]["args"].get("metric", metric)
    ]


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


def _check_words(expect: Expect, answer: Mapping[str, Any]) -> list[str]:
    text = answer["answer"].lower()
    misses = [
        f"does not say {line!r}"
        for line in expect.says
        if not any(word.strip().lower() in text for word in line.split("|"))
    ]
    misses += [f"says {word!r}" for word in expect.avoids if word.lower() in text]
    if expect.approval != bool(answer["pending_approvals"]):
        misses.append("approval expected" if expect.approval else "stopped for approval unasked")
    return misses
