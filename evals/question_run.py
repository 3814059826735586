"""Runs question cases: opens each data set once, asks every thread in every trial, scores every turn."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.cases import Case
from evals.question_checks import Written
from evals.recompute import Item, label_sentiments
from evals.score import TurnScore, run_case
from evals.session import asker, classified, open_dataset, open_sample, reopen

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.wiring import App

ModelOf = Callable[[Case, int], "BaseChatModel | None"]
"""The model that plays a case in a trial; None is the offline planner."""
Told = Callable[[TurnScore], None]


@dataclass
class Opened:
    """A data set that is open: the application, its rows read apart, the planted truth where there is one."""

    app: "App"
    items: Sequence[Item]
    home: Path
    truth: Mapping[str, Any] = field(default_factory=dict)
    _known: int = 0

    def reset(self) -> None:
        """Forget tasks and plans, so that each case starts from a store without any."""
        store = self.app.operations
        if store.tasks() or store.plans():
            with (
                closing(sqlite3.connect(self.home / "operations.sqlite.before")) as before,
                closing(sqlite3.connect(self.home / "operations.sqlite")) as live,
            ):
                before.backup(live)
        self._known = 0

    def keep(self) -> None:
        """Keep the operations as they are now for `reset`."""
        kept = self.home / "operations.sqlite.before"
        if not kept.exists():
            with (
                closing(sqlite3.connect(self.home / "operations.sqlite")) as live,
                closing(sqlite3.connect(kept)) as before,
            ):
                live.backup(before)

    def look(self) -> Written:
        """What is stored of tasks and plans, and whether that is more than at the last look."""
        tasks, plans = self.app.operations.tasks(), self.app.operations.plans()
        grew, self._known = len(tasks) + len(plans) > self._known, len(tasks) + len(plans)
        return Written(tasks, plans, grew=grew)


def open_all(cases: Sequence[Case], folder: Path, data: Path | None, stack: ExitStack) -> dict[str, Opened]:
    """Every data set the cases need, opened at the moment the first of its cases is asked.

    `folder` may hold the data sets of an earlier run, which are opened again as they are. Sets of public data
    are left out where `data` is None. Sentiments are worked out where a case asks for them.
    """
    opened: dict[str, Opened] = {}
    for case in cases:
        name = case.dataset
        if name in opened or (name != "sample" and data is None):
            continue
        opened[name] = _open(name, folder / name, data, case)
        stack.enter_context(opened[name].app)
        opened[name].keep()
    for one in opened.values():
        asked = any(
            "sentiment=" in case.model_dump_json() for case in cases if opened.get(case.dataset) is one
        )
        if asked and not any("sentiment" in item.dimensions for item in one.items):
            label_sentiments(one.items, lambda texts, app=one.app: classified(app, texts))  # type: ignore[misc]
    return opened


def _open(name: str, folder: Path, data: Path | None, case: Case) -> Opened:
    if (folder / "done").is_file():
        app, items, truth = reopen(name, folder, data, case.now)
    elif name == "sample":
        app, feed, items = open_sample(folder, case.now)
        truth = feed.truth
    else:
        assert data is not None
        app, items = open_dataset(name, data, folder, case.now)
        truth = {}
    (folder / "done").touch()
    return Opened(app, items, folder / "home", truth)


def run_trial(
    cases: Sequence[Case], opened: Mapping[str, Opened], model_of: ModelOf, trial: int, told: Told, run: str
) -> list[TurnScore]:
    """Ask every case whose data set is open once. `run` keeps its threads apart from those of other runs."""
    scores = []
    for case in cases:
        one = opened.get(case.dataset)
        if one is None:
            continue
        one.reset()
        ask = _asker(case, one.app, model_of(case, trial), f"{run}-{trial}")
        for score in run_case(case, ask, one.items, one.look):
            score.trial = trial
            told(score)
            scores.append(score)
    return scores


def _asker(
    case: Case, app: "App", model: "BaseChatModel | None", run: str
) -> Callable[[str, str], Mapping[str, Any]]:
    """Asks the turns of a case one after the other; a failure becomes an answer that says so."""
    turns = iter(case.turns)
    ask = asker(app, model)

    def asked(question: str, thread: str) -> Mapping[str, Any]:
        try:
            return ask(question, f"{thread}-{run}", next(turns).decide)
        except Exception as error:  # noqa: BLE001 (a failure is a miss of its turn, told with its reason)
            nothing: dict[str, list[Any]] = {
                name: [] for name in ("tool_calls", "figures", "citations", "pending_approvals")
            }
            return {"answer": f"{type(error).__name__}: {error}", **nothing}

    return asked
