"""Killed at many points of a run with approvals: is each action executed once, is each thread whole?

`python -m evals.kill_resume --points 100`. Each errand is one thread: two questions, a task and a plan that
are drafted and approved. For each, a process is started and killed (SIGKILL) at one statement of its SQLite
files; the points are spread evenly over all statements that an errand takes, in a shuffled order. The process
after it finishes the errand, goes on to the next and is killed there. Nothing but the data folder is carried
over. Then the folder is looked at.
"""

import argparse
import asyncio
import multiprocessing
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.settings import Settings
from agent.wiring import App, open_app
from evals.kill_client import MANAGER, NOW, errand, work
from evals.reports import Measurement, Report, run_measurement, table
from pipeline.account import IngestOptions
from store.clock import FixedClock
from store.records import TaskStatus

# What a client imports on its way: a process forked from one that has them starts in a fraction of the time.
_PRELOADED: Final = (
    "evals.kill_client",
    "agent.graph",
    "agent.reading",
    "agent.scoped_planner",
    "agent.wiring_guard",
    "agent.wiring_model",
    "httpx",
    "pandas",
    "pypinyin",
    "rapidfuzz.distance",
    "sqlalchemy.dialects.sqlite",
    "store.duckdb_facts",
    "store.scoped_facts",
    "store.sqlite_operations",
    "tools.catalogue",
    "vectorstore.chroma_index",
    "vectorstore.use_embedder",
)
_SEED: Final = 20261122
_FILES: Final = ("operations.sqlite", "threads.sqlite")


class Ended(NamedTuple):
    """How a process ended: killed, or by itself after so many statements of its last errand."""

    killed: bool
    statements: int


def make_home(folder: Path, errands: int) -> Path:
    """A data folder with a customer at risk and a city with a problem for each errand."""
    lines = ["客户编号,时间,NPS,评价,城市"]
    for number in range(errands):
        city, customer = f"城市{number}", f"C{1000 + number}"
        for month in range(4):
            at = NOW - timedelta(days=150 - 30 * month)
            lines.append(f"{customer},{at:%Y-%m-%d %H:%M},9,一直挺好用的第{number}次,{city}")
        for day in range(2, 22):
            at = NOW - timedelta(days=day)
            lines.append(f",{at:%Y-%m-%d %H:%M},2,物流太慢了等了{day}天{number}号,{city}")
        at = NOW - timedelta(days=1)
        lines.append(f"{customer},{at:%Y-%m-%d %H:%M},1,太失望了我要退款取消会员{number},{city}")
    source = folder / "voice.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    home = folder / "home"
    with _open(home) as app:
        app.ingestor.ingest([source], IngestOptions())
    return home


def run_killed(home: Path, points: int) -> dict[str, Any]:
    """Kill at `points` points, each in an errand of its own after one that is not; what came of it."""
    statements = _client(home, 0, 1, None).statements
    at = [1 + n * statements // points for n in range(points)]
    random.Random(_SEED).shuffle(at)
    killed = 0
    for number, statement in enumerate(at, start=1):
        killed += _client(home, max(number - 1, 0), number + 1, statement).killed
    _client(home, points, points + 1, None)
    return {"errands": points + 1, "statements": statements, "killed": killed, **findings(home, points + 1)}


def findings(home: Path, errands: int) -> dict[str, Any]:
    """What is wrong in the folder after all errands, as counts; all zero where nothing is."""
    with _open(home) as app:
        entries = app.operations.audit_entries()
        app.operations.verify_audit()
        tasks, plans = app.operations.tasks(), app.operations.plans()
        threads = asyncio.run(_threads(app, errands))
    opened = Counter(
        e.subject for e in entries if e.action.endswith(".status") and e.detail.get("to") == "open"
    )
    proposed = Counter(e.subject for e in entries if e.action.endswith(".propose"))
    statuses = [*(task.status for task in tasks), *(plan.status for plan in plans)]
    ids = [*(task.task_id for task in tasks), *(plan.plan_id for plan in plans)]
    per_customer = Counter(task.customer_id for task in tasks)
    return {
        "actions": len(ids),
        "executed_twice": sum(n - 1 for n in opened.values()),
        "drafted_twice": sum(n - 1 for n in proposed.values())
        + sum(n - 1 for n in per_customer.values())
        + max(0, len(plans) - errands),
        "not_executed": sum(status is not TaskStatus.OPEN for status in statuses)
        + max(0, 2 * errands - len(ids)),
        "not_audited": sum(opened[one] == 0 or proposed[one] == 0 for one in ids),
        "threads_lost": sum(thread is None for thread in threads),
        "questions_lost": sum(
            len(set(errand(number).questions) - set(thread or ())) for number, thread in enumerate(threads)
        ),
        # Whoever is killed before the answer arrives asks again: then it stands in the thread twice.
        "asked_again": sum(
            max(0, len(thread or ()) - len(errand(number).questions)) for number, thread in enumerate(threads)
        ),
        "files_damaged": sum(_check(home / name) != "ok" for name in _FILES),
    }


async def _threads(app: App, errands: int) -> list[list[str] | None]:
    """The answered questions of each thread; None for one that is not there."""
    names = {entry.name for entry in app.threads.entries(MANAGER)}
    found: list[list[str] | None] = []
    async with app.assistant() as assistant:
        for number in range(errands):
            thread = errand(number).thread
            turns = await assistant.turns(thread, MANAGER) if thread in names else None
            found.append(None if turns is None else [turn.question for turn in turns if turn.answer])
    return found


def _check(path: Path) -> str:
    with sqlite3.connect(path) as file:
        return str(file.execute("PRAGMA integrity_check").fetchone()[0])


def _client(home: Path, first: int, last: int, kill_at: int | None) -> Ended:
    """Run the client in a process of its own, forked from one that has everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(home, first, last, kill_at, sending))
    process.start()
    sending.close()
    process.join()
    statements = receiving.recv() if process.exitcode == 0 else 0
    if process.exitcode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the client failed with status {process.exitcode}: its words are above")
    return Ended(process.exitcode != 0, statements)


def _open(home: Path) -> App:
    return open_app(Settings(home=home, _env_file=None), FixedClock(NOW))


def _measure(options: argparse.Namespace) -> Report:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder), options.points + 1)
        found = run_killed(home, options.points)
    return {"points": options.points, **found, "elapsed_s": round(time.monotonic() - started)}


_WRONG: Final = (
    "executed_twice",
    "drafted_twice",
    "not_executed",
    "not_audited",
    "threads_lost",
    "questions_lost",
    "files_damaged",
)


def _markdown(report: Report) -> str:
    head = [
        "# Killed and resumed",
        "",
        f"{report['killed']} of {report['points']} processes were ended by SIGKILL, at points spread evenly "
        f"over the {report['statements']} SQLite statements that one thread takes (two questions, a task and "
        f"a plan, both approved). {report['errands']} threads, {report['actions']} actions, "
        f"{report['elapsed_s']} s in all. {report['asked_again']} questions whose answer was cut off by a "
        "kill stand in their thread twice.",
        "",
    ]
    rows = [[name.replace("_", " "), report[name]] for name in _WRONG]
    return "\n".join([*head, *table(["wrong afterwards", "count"], rows), ""])


def _worse(before: Report, now: Report) -> list[str]:
    return [f"{name}: {now[name]}, was {before[name]}" for name in _WRONG if now[name] > before[name]]


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100, help="how many processes are killed")
    return run_measurement(Measurement("kill_resume", _measure, _markdown, _worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
