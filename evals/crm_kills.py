"""Killed at many points while it tells CRMs of tasks: does each change have exactly one effect, in order?

`python -m evals.crm_kills --points 102`. For each kind of CRM a stand-in, built from its published schema,
keeps what had an effect. A process makes a task, changes it and an earlier one, and sends what is due; it is
ended by SIGKILL at a statement or commit of the store (two of three), or while the CRM deals with a request,
before or after the effect. The next process comes after the loan has run out. Nothing but the data folder is
carried over.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_args

from evals.crm_kill_client import NOW, work
from evals.crm_receivers import Kind, client, receiver_of
from evals.crm_stand_in import StandIn, serving
from evals.reports import Measurement, Report, run_measurement, table
from store.clock import MovableClock
from store.sqlite_crm import SqliteCrm
from store.sqlite_operations import SqliteOperationStore

_SEED: Final = 20261123
_PRELOADED: Final = ["evals.crm_kill_client", "httpx", "sqlalchemy.dialects.sqlite", "retention.crm_hubspot"]
_LONGEST_S: Final = 60
# A process makes about so many requests.
_REQUESTS: Final = 6
_EVERY: Final = timedelta(minutes=10)
_WRONG: Final = (
    "lost",
    "invented",
    "doubled",
    "out_of_order",
    "refused_by_schema",
    "history_differs",
    "not_arrived",
)


class Runs:
    """Processes one after the other over one store; each ends where it is told to."""

    def __init__(self, home: Path, kind: Kind, at: StandIn) -> None:
        self.home, self._kind, self._at = home, kind, at
        self._made = multiprocessing.get_context("forkserver")
        self._made.set_forkserver_preload([*_PRELOADED])
        self.kills = self.statements = 0
        self._child: Any = None

    def run(self, number: int, *, statement: int | None = None, request: int = 0, when: str = "") -> None:
        """One process; RuntimeError where it ends in any other way than well or killed."""
        told, first = self._made.SimpleQueue(), len(self._at.asked)

        def on_request(asked: int, moment: str) -> None:
            if asked - first == request and moment == when:
                os.kill(self._child.pid, signal.SIGKILL)

        self._at.on_request = on_request if request else None
        args = (self.home, self._kind, self._at.url, number, statement, told)
        self._child = self._made.Process(target=work, args=args)
        self._child.start()
        self._child.join(_LONGEST_S)
        if self._child.exitcode == 0:
            self.statements = told.get()
        elif self._child.exitcode == -signal.SIGKILL:
            self.kills += 1
        else:
            raise RuntimeError(f"a process ended with {self._child.exitcode}")


def run_killed(home: Path, kind: Kind, points: int) -> Report:
    """Kill at so many points and look at what came out."""
    clock, draw = MovableClock(NOW), random.Random(_SEED)
    receiver, schema = receiver_of(kind, clock)
    with serving(receiver, schema) as at:
        made = client(kind, at.url, clock)
        made.prepare()
        made.close()
        store = SqliteCrm(home / "operations.sqlite", clock)
        store.claim("hub", NOW)  # it is told what happens from now on
        store.close()
        runs = Runs(home, kind, at)
        runs.run(0)
        drawn = [draw.randrange(1, runs.statements) for _ in range(points)]
        for number, point in enumerate(drawn, start=1):
            clock.at = NOW + _EVERY * number
            if number % 3:
                runs.run(number, statement=point)
            else:
                runs.run(number, request=1 + point % _REQUESTS, when=draw.choice(["before", "after"]))
        clock.at = NOW + _EVERY * (points + 1)
        runs.run(points + 1)
        told = {"killed": runs.kills, "statements": runs.statements, "requests": len(at.asked)}
        return told | _findings(home, receiver.by_task, at, clock)


def _findings(home: Path, effects: dict[str, list[int]], at: StandIn, clock: MovableClock) -> Report:
    operations = SqliteOperationStore(home / "operations.sqlite", clock)
    store = SqliteCrm(home / "operations.sqlite", clock)
    found: Report = dict.fromkeys(_WRONG, 0)
    tasks = operations.tasks()
    changes = 0
    for task in tasks:
        fed = store.changes(task.task_id, after=0)
        numbers, had = [one.number for one in fed], effects.get(task.task_id, [])
        changes += len(fed)
        found["lost"] += len(set(numbers) - set(had))
        found["invented"] += len(set(had) - set(numbers))
        found["doubled"] += len(had) - len(set(had))
        found["out_of_order"] += had != sorted(had)
        lines = [line for line in operations.task_events(task.task_id) if line.field == "comment"]
        said = [text for one in fed for text in one.comments]
        found["history_differs"] += fed[-1].task != task or said != [line.after for line in lines]
    found["invented"] += len(set(effects) - {task.task_id for task in tasks})
    found["refused_by_schema"] = len(at.wrong)
    found["not_arrived"] = len(store.links("hub", pending=True))
    operations.close()
    store.close()
    return {"tasks": len(tasks), "changes": changes, **found}


def measure(options: argparse.Namespace) -> Report:
    """Every kind of CRM, a third of the points each."""
    began, kinds = time.monotonic(), get_args(Kind)
    report: Report = {}
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            report[kind] = run_killed(Path(folder), kind, options.points // len(kinds))
    return {"points": options.points, **report, "elapsed_s": round(time.monotonic() - began, 1)}


def _markdown(report: Report) -> str:
    kinds = get_args(Kind)
    killed = sum(report[kind]["killed"] for kind in kinds)
    head = [
        "# Killed while CRMs are told of tasks",
        "",
        f"{killed} of {report['points']} processes were ended by SIGKILL: two of three at a statement or"
        " commit of the store, one while the CRM dealt with a request, before or after its effect. Each CRM"
        " is a stand-in that checks every request against the published schema; the receiver of webhooks has"
        f" none: it checks signature and event. {report['elapsed_s']} s in all.",
        "",
    ]
    names = ("killed", "statements", "requests", "tasks", "changes", *_WRONG)
    rows = [[name.replace("_", " "), *(report[kind][name] for kind in kinds)] for name in names]
    return "\n".join([*head, *table(["", *kinds], rows), ""])


def worse(before: Report, after: Report) -> list[str]:
    """Anything wrong is worse."""
    return [
        f"{kind}: {name.replace('_', ' ')} {after[kind][name]}"
        for kind in get_args(Kind)
        for name in _WRONG
        if after[kind][name]
    ]


def main() -> int:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description="kill what tells CRMs of tasks, again and again")
    parser.add_argument("--points", type=int, default=102)
    return run_measurement(Measurement("crm_kills", measure, _markdown, worse), parser)


if __name__ == "__main__":
    sys.exit(main())
