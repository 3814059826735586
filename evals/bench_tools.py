"""How long tools take over a large store, against the same questions in sqlite3 and pandas."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from evals.bench_figures import Figure, figure, quantile
from evals.bench_peers import Answer, Asked, ask_pandas, ask_sqlite, check_same, questions, told
from evals.bench_process import Memory, apart
from evals.bench_rows import clock, fill, settings
from evals.wording import read_yaml

_MEGABYTE = 1_000_000
GOAL_MS = 1000
GOAL_MEMORY_MB = 2000


class Latency(NamedTuple):
    """Seconds of each call of one tool, how many items the answer rests on, and the question it answers."""

    name: str
    seconds: tuple[float, ...]
    n: int
    same: str | None = None
    answer: Answer | None = None


def measure_tools(home: Path, items: int, *, budget_s: float, least: int) -> list[Figure]:
    """Make `items` rows in `home`, then time every call: at least `least` times, up to `budget_s` seconds."""
    apart(fill, home, items)
    ours, memory = apart(time_tools, home, budget_s, least)
    sqlite, _ = apart(ask_sqlite, home, least)
    pandas, peer_memory = apart(ask_pandas, home, least)
    peers = [*sqlite, *pandas]
    for latency in ours:
        for peer in peers:
            if latency.answer is not None and peer.question == latency.same:
                check_same(peer.question, latency.answer, peer.answer)
    return [*latency_figures(ours, peers), memory_figure(memory, peer_memory)]


def time_tools(home: Path, budget_s: float, least: int) -> list[Latency]:
    """Time the calls of bench.yaml."""
    from agent.wiring import open_app
    from tools.catalogue import run_tool
    from tools.context import Asker

    latencies = []
    with open_app(settings(home), clock()) as app:
        context = app.context(Asker())
        for call in read_yaml("bench.yaml")["calls"]:
            tool, args, same = call["tool"], call["args"], call.get("same")
            run_tool(tool, args, context)  # the first call reads the catalogue
            taken: list[float] = []
            while len(taken) < least or (sum(taken) < budget_s and len(taken) < 50):
                started = perf_counter()
                result = run_tool(tool, args, context)
                taken.append(perf_counter() - started)
            answer = told(tool, result.data) if same else None
            latencies.append(Latency(call["name"], tuple(taken), result.n, same, answer))
    return latencies


def latency_figures(ours: Sequence[Latency], peers: Sequence[Asked]) -> list[Figure]:
    """p50 and p95 of each tool; where no peer was asked the same, sqlite3's first answer is the yardstick."""
    found = []
    for latency in ours:
        asked = [peer for peer in peers if peer.question == latency.same]
        for share, label in ((0.5, "p50"), (0.95, "p95")):
            for peer in asked or peers[:1]:
                found.append(
                    figure(
                        "tools",
                        f"{latency.name}, {label}",
                        quantile(latency.seconds, share) * 1000,
                        "ms",
                        better="lower",
                        peer=(peer.peer if asked else f"{peer.peer}, {peer.question}", peer.seconds * 1000),
                        goal=GOAL_MS if label == "p95" else None,
                        goal_of="value",
                        note=f"{latency.n:,} items, {len(latency.seconds)} calls",
                    )
                )
    return found


def memory_figure(ours: Memory, theirs: Memory) -> Figure:
    """Peak memory of the process that ran the tools, against that of pandas with five columns."""
    return figure(
        "memory",
        "peak resident memory while the tools run",
        ours.peak / _MEGABYTE,
        "MB",
        better="lower",
        peer=(f"pandas with the columns of {len(questions())} questions only", theirs.peak / _MEGABYTE),
        goal=GOAL_MEMORY_MB,
        goal_of="value",
        note=f"of which {ours.at_start / _MEGABYTE:.0f} MB Python and imports",
    )
