"""`python -m evals.model_overhead`: what the agent itself costs a model turn, beside endpoint and tools.

A scripted server in a process of its own answers at once: a tool call, then the answer. Measured is the wall
time of a whole turn (graph, fitting, locks, checkpoints), less that of the same request bodies sent by a
plain HTTP client, less that of the tool; what is left, divided by the model calls, is the overhead.
Sample feed, one turn a thread, and turns of one long thread whose history has to be fitted.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook

from evals.model_server import answered_bodies, wait_until_up
from evals.reports import Measurement, Report, run_measurement, table
from store.clock import FixedClock

if TYPE_CHECKING:
    from agent.wiring import App

GOAL_MS: Final = 20.0
QUESTION: Final = "10月各地区的NPS是多少？"
TOOL: Final = "nps_stats"
_CALLS: Final = 2
_WARM_UP: Final = 5
_NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SERVER: Final = "evals.model_server"
# Worse is only what a busy machine does not explain.
_WORSE: Final = 1.5


class ToolClock(BaseCallbackHandler):
    """The seconds that tools took, from their own start to their end."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began: dict[Any, float] = {}

    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: Any, **kwargs: Any) -> None:
        """A tool runs."""
        self._began[run_id] = time.perf_counter()

    def on_tool_end(self, output: Any, *, run_id: Any, **kwargs: Any) -> None:
        """It has a result."""
        self.seconds += time.perf_counter() - self._began.pop(run_id)


watch: ContextVar[ToolClock | None] = ContextVar("watch", default=None)
register_configure_hook(watch, inheritable=True)


def measure(options: argparse.Namespace) -> Report:
    """Both kinds of thread; milliseconds a model call."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", _SERVER, TOOL]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                port = int(server.stdout.readline()) if server.stdout else 0
                base_url = f"http://127.0.0.1:{port}/v1"
                wait_until_up(base_url)
                with _application(Path(folder), base_url, options.items) as app:
                    kinds = {
                        "a thread each": asyncio.run(_turns(app, base_url, options.turns, one_thread=False)),
                        "one long thread": asyncio.run(_turns(app, base_url, options.turns, one_thread=True)),
                    }
            finally:
                server.terminate()
    return {"goal_ms": GOAL_MS, "items": options.items, "kinds": kinds}


def _application(folder: Path, base_url: str, items: int) -> "App":
    from agent.settings import Settings
    from agent.wiring import open_app
    from evals.simulate import write_sample_feed
    from pipeline.account import IngestOptions

    settings = Settings(
        home=folder / "home",
        llm_base_url=base_url,
        llm_model="scripted",
        llm_context_tokens=8192,
        _env_file=None,
    )
    app = open_app(settings, FixedClock(_NOW))
    feed = write_sample_feed(folder / "feed", 7, date(2026, 11, 23), items=items)
    app.ingestor.ingest([feed.feedback], IngestOptions())
    return app


async def _turns(app: "App", base_url: str, turns: int, *, one_thread: bool) -> dict[str, Any]:
    import httpx

    from tools.context import Asker

    asker = Asker()
    overheads, wholes = [], []
    clock = ToolClock()
    watch.set(clock)
    async with app.assistant() as assistant, httpx.AsyncClient() as client:
        for turn in range(turns + _WARM_UP):
            thread = "long" if one_thread else f"each-{turn}"
            clock.seconds = 0.0
            began = time.perf_counter()
            answer = await assistant.ask(QUESTION, thread_id=thread, asker=asker)
            whole = time.perf_counter() - began
            if answer.planner != "llm" or answer.usage["model_calls"] != _CALLS:
                raise AssertionError(f"the script was not followed: {answer.answer}")
            began = time.perf_counter()
            for body in await answered_bodies(client, base_url, _CALLS):
                (await client.post(f"{base_url}/chat/completions", json=body)).json()
            plain = time.perf_counter() - began
            if turn >= _WARM_UP:
                overheads.append((whole - plain - clock.seconds) * 1000 / _CALLS)
                wholes.append(whole * 1000)
    return {**_summary(overheads), "turn_p50_ms": round(statistics.median(wholes), 1), "n": turns}


def _summary(values: Sequence[float]) -> dict[str, Any]:
    """p50 and p95 with 95% intervals from the order statistics (binomial, no shape assumed)."""
    from scipy.stats import binom

    ordered = sorted(values)
    n = len(ordered)
    found: dict[str, Any] = {}
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        low, high = (int(binom.ppf(level, n, share)) for level in (0.025, 0.975))
        found[f"{name}_ms"] = round(ordered[min(int(share * n), n - 1)], 2)
        found[f"{name}_95"] = [round(ordered[max(low - 1, 0)], 2), round(ordered[min(high, n - 1)], 2)]
    return found


def markdown(report: Report) -> str:
    """The page."""
    rows = [
        (
            kind,
            one["n"],
            one["p50_ms"],
            str(one["p50_95"]),
            one["p95_ms"],
            str(one["p95_95"]),
            one["turn_p50_ms"],
        )
        for kind, one in report["kinds"].items()
    ]
    head = ("turns in", "n", "p50 ms", "95%", "p95 ms", "95%", "whole turn p50 ms")
    told = f"Overhead a model call beside endpoint and tool, {report['items']:,} items; goal: {GOAL_MS:g} ms."
    return "\n".join(["# What the agent costs a model turn", "", told, "", *table(head, rows), ""])


def _worse(before: Report, now: Report) -> list[str]:
    return [
        f"{kind}: p50 {one['p50_ms']} ms, kept {before['kinds'][kind]['p50_ms']} ms"
        for kind, one in now["kinds"].items()
        if one["p50_ms"] > max(GOAL_MS, _WORSE * before["kinds"][kind]["p50_ms"])
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.model_overhead", description=__doc__)
    parser.add_argument("--turns", type=int, default=100, help="a kind of thread")
    parser.add_argument("--items", type=int, default=2000, help="feedback items stored")
    return run_measurement(Measurement("model_overhead", measure, markdown, worse=_worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
