"""How long answers of the offline planner take over a large store, and each tool within them.

    python -m evals.answer_latency [--items 100000] [--rounds 3] [--write] [--json]

The rows are the bench's; every question is asked in a thread of its own, through the graph with its number
lock and checkpoints, once before it is timed.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from evals.bench_figures import quantile
from evals.bench_rows import clock, fill, settings
from evals.reports import Measurement, Report, run_measurement, table
from evals.wording import read_yaml

if TYPE_CHECKING:
    from agent.wiring import App

GOAL_P50_MS: Final = 300
GOAL_P95_MS: Final = 1000


def measure(options: argparse.Namespace) -> Report:
    """Ask every question `rounds` times; then every tool call that was made, by itself."""
    from agent.wiring import open_app

    questions = read_yaml("cases/latency.yaml")["questions"]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, options.items)
        with open_app(settings(home), clock()) as app:
            asked = asyncio.run(_ask_all(app, questions, options.rounds))
            tools = _time_tools(app, [call for row in asked for call in row["calls"]], options.rounds)
    every = [ms for row in asked for ms in row["ms"]]
    return {
        "items": options.items,
        "rounds": options.rounds,
        "p50_ms": round(quantile(every, 0.5)),
        "p95_ms": round(quantile(every, 0.95)),
        "questions": [
            {"ask": row["ask"], "tools": [name for name, _ in row["calls"]], "ms": _middle(row["ms"])}
            for row in asked
        ],
        "tools": tools,
    }


async def _ask_all(app: "App", questions: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    from tools.context import Asker

    rows = []
    async with app.assistant() as assistant:
        for number, question in enumerate(questions):
            taken, calls = [], []
            for turn in range(rounds + 1):
                started = perf_counter()
                answer = await assistant.ask(question, thread_id=f"{number}-{turn}", asker=Asker())
                if turn:
                    taken.append(1000 * (perf_counter() - started))
                calls = [(call.name, call.args) for call in answer.tool_calls if "error" not in call.result]
            rows.append({"ask": question, "ms": taken, "calls": calls})
    return rows


def _time_tools(app: "App", calls: Sequence[tuple[str, dict[str, Any]]], rounds: int) -> list[dict[str, Any]]:
    from tools.catalogue import run_tool
    from tools.context import Asker

    context = app.context(Asker())
    taken: dict[str, list[float]] = {}
    for name, args in calls:
        for _ in range(rounds):
            started = perf_counter()
            run_tool(name, args, context)
            taken.setdefault(name, []).append(1000 * (perf_counter() - started))
    return [
        {"tool": name, "calls": len(ms), "p50_ms": _middle(ms), "p95_ms": round(quantile(ms, 0.95))}
        for name, ms in sorted(taken.items())
    ]


def _middle(values: Sequence[float]) -> int:
    return round(quantile(values, 0.5))


def markdown(report: Report) -> str:
    """The page."""
    questions = [[row["ask"], ", ".join(row["tools"]), row["ms"]] for row in report["questions"]]
    tools = [[row["tool"], row["calls"], row["p50_ms"], row["p95_ms"]] for row in report["tools"]]
    lines = [
        "# Latency of answers",
        "",
        f"`python -m evals.answer_latency --items {report['items']} --rounds {report['rounds']}`: offline "
        f"planner, {report['items']:,} items stored, two cores. p50 **{report['p50_ms']} ms** (goal "
        f"{GOAL_P50_MS}), p95 **{report['p95_ms']} ms** (goal {GOAL_P95_MS}).",
        "",
        *table(["question", "tools", "median ms"], questions),
        "",
        *table(["tool", "calls", "p50 ms", "p95 ms"], tools),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.answer_latency", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="items stored")
    parser.add_argument("--rounds", type=int, default=3, help="timed askings of each question")
    return run_measurement(Measurement("answer_latency", measure, markdown), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
