"""Checks of one answer beyond its figures: premises, refusals, questions back, citations, what is stored."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from evals.cases import Expect, ExpectedCall, Refusal, State
from evals.recompute import Item, select
from evals.wording import read_yaml

_CITED = re.compile(r"\[([^\[\]\s]*\d[^\[\]\s]*)\]")
_QUOTED = re.compile(r"[「『“\"].*?[」』”\"]", re.DOTALL)
Language = Literal["zh", "en"]


def check_premise(expect: Expect, answer: Mapping[str, Any]) -> list[str]:
    """Does the answer say what is so, where the question took something else for granted?"""
    if expect.premise is None or expect.premise.truth == "otherwise":
        return []
    truth = expect.premise.truth
    said = _says(answer, _words()["premise"][truth])
    return [] if said else [f"premise is not corrected: nothing says that it {truth}"]


def check_refusal(refusal: Refusal | None, answer: Mapping[str, Any]) -> list[str]:
    """Is the question declined in words, with what is missing or offered, and without any figure?"""
    if refusal is None:
        return []
    misses = []
    if not _says(answer, _words()["refusal"][refusal]):
        misses.append(f"does not answer as {refusal}")
    if refusal == "out_of_scope" and not _says(answer, _words()["offers"]):
        misses.append("does not say what it can answer instead")
    claimed = [figure["text"] for figure in answer["figures"] if _claims(figure)]
    return misses + [f"claims {text} where nothing can be claimed" for text in claimed]


def check_asks(expect: Expect, answer: Mapping[str, Any]) -> list[str]:
    """Is a question asked back?"""
    if not expect.asks:
        return []
    text = answer["answer"]
    asks = ("?" in text or "？" in text) and _says(answer, _words()["asks"])
    return [] if asks else ["does not ask back"]


def check_citations(
    expect: Expect, answer: Mapping[str, Any], call: ExpectedCall | None, items: Sequence[Item]
) -> list[str]:
    """Do the cited ids exist, come from a result, and belong to the rows asked for?"""
    evidence = {name for one in answer["tool_calls"] for name in one["result"].get("evidence", [])}
    cited = list(answer["citations"])
    misses = [f"cites {name}, which no result gave" for name in cited if name not in evidence]
    if len(cited) < expect.citations:
        misses.append(f"cites {len(cited)} items, expected {expect.citations} or more")
    loose = set(_CITED.findall(answer["answer"])) & {item.source for item in items if item.source}
    misses += [f"cites {name}, which no result gave" for name in sorted(loose - evidence)]
    if call is not None and call.filters:
        known = {item.source for item in items if item.source}
        asked = {item.source for item in select(items, call.period, call.filters, call.exclude)}
        misses += [f"cites {n}, not among the rows asked for" for n in cited if n in known - asked]
    return misses


def check_state(expect: Expect, state: "Written | None") -> list[str]:
    """Does the store hold what the turn was to write, and nothing where nothing was asked for?"""
    if state is None:
        return []
    wanted = expect.state
    if wanted is None:
        return ["wrote tasks or plans unasked"] if state.grew and not expect.acts else []
    return _differs(wanted, state)


class Written:
    """What a store holds of tasks and plans: (id, customer, status) of each; `grew` since the turn before."""

    def __init__(self, tasks: Sequence[Any], plans: Sequence[Any], *, grew: bool) -> None:
        self.tasks = [(task.task_id, task.customer_id, str(task.status.value)) for task in tasks]
        self.plans = [(plan.plan_id, None, str(plan.status.value)) for plan in plans]
        self.grew = grew


def _differs(wanted: State, state: Written) -> list[str]:
    misses = []
    for name, count, held in (("tasks", wanted.tasks, state.tasks), ("plans", wanted.plans, state.plans)):
        if count is not None and len(held) != count:
            misses.append(f"{len(held)} {name} in the store, expected {count}")
    if wanted.status:
        others = {status for _, _, status in [*state.tasks, *state.plans]} - {wanted.status}
        misses += [f"status {other}, expected {wanted.status}" for other in sorted(others)]
    if wanted.tasks_for and sorted(str(c) for _, c, _ in state.tasks) != sorted(wanted.tasks_for):
        misses.append(f"tasks for {[c for _, c, _ in state.tasks]}, expected {wanted.tasks_for}")
    return misses


def _claims(figure: Mapping[str, Any]) -> bool:
    value = figure["value"]
    numeric = isinstance(value, int | float) and value != 0
    return numeric and str(figure["path"]).startswith("data.")


def _says(answer: Mapping[str, Any], words: Mapping[str, Sequence[str]]) -> bool:
    """Whether a word of either language occurs outside quotes."""
    text = _QUOTED.sub(" ", answer["answer"]).lower()
    return any(word.lower() in text for listed in words.values() for word in listed)


@cache
def _words() -> dict[str, Any]:
    document: dict[str, Any] = read_yaml("question_words.yaml")
    return document
