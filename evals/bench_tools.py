"""How long tools take over a large store, against the same question in sqlite3 and pandas (or numpy)."""

import importlib
import importlib.util
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from evals.bench_figures import Figure, figure, quantile
from evals.bench_process import Memory, apart
from evals.bench_rows import clock, fill, scores, settings
from evals.wording import read_yaml

Row = tuple[float, str, str]
Nps = dict[tuple[str, str], float]
COMMON = "nps_stats by region and month"
_MEGABYTE = 1_000_000
# Tools give four decimals.
_ROUNDING = 0.001


class Latency(NamedTuple):
    """Seconds of each call of one tool, and how many items the answer rests on."""

    name: str
    seconds: tuple[float, ...]
    n: int


def measure_tools(home: Path, items: int, *, budget_s: float, least: int) -> list[Figure]:
    """Make `items` rows in `home`, then time every call: at least `least` times, up to `budget_s` seconds."""
    apart(fill, home, items)
    (ours, found), memory = apart(time_tools, home, budget_s, least)
    peers = [apart(time_sqlite, home, least), apart(time_frame, home, least)]
    for (_, _, other), _ in peers:
        check_same(found, other)
    name = peers[1][0][0]
    return [*latency_figures(ours, [result for result, _ in peers]), memory_figure(memory, name, peers[1][1])]


def time_tools(home: Path, budget_s: float, least: int) -> tuple[list[Latency], Nps]:
    """Time the calls of bench.yaml; also return NPS by region and month as the tool told it."""
    from agent.wiring import open_app
    from tools.catalogue import run_tool
    from tools.context import Asker

    latencies, told = [], {}
    with open_app(settings(home), clock()) as app:
        context = app.context(Asker())
        for call in read_yaml("bench.yaml")["calls"]:
            run_tool(call["tool"], call["args"], context)  # the first call reads the catalogue
            taken: list[float] = []
            while len(taken) < least or (sum(taken) < budget_s and len(taken) < 50):
                started = perf_counter()
                result = run_tool(call["tool"], call["args"], context)
                taken.append(perf_counter() - started)
            latencies.append(Latency(call["name"], tuple(taken), result.n))
            if call["name"] == COMMON:
                told = {
                    (g["keys"]["region"], g["keys"]["month"]): float(g["nps"]) for g in result.data["groups"]
                }
    return latencies, told


def time_sqlite(home: Path, repeats: int) -> tuple[str, float, Nps]:
    """NPS by region and month in sqlite3: name, median seconds, answer."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE feedback (nps REAL, region TEXT, occurred_local TEXT)")
        connection.executemany("INSERT INTO feedback VALUES (?, ?, ?)", scores(home))

        def ask() -> Nps:
            rows = connection.execute(
                "SELECT region, substr(occurred_local, 1, 7) AS month, "
                "100.0 * (sum(nps >= 9) - sum(nps <= 6)) / count(*) FROM feedback GROUP BY region, month"
            )
            return {(region, month): nps for region, month, nps in rows}

        return ("sqlite3", *_timed(ask, repeats))


def time_frame(home: Path, repeats: int) -> tuple[str, float, Nps]:
    """NPS by region and month in pandas, or in numpy where pandas is not installed."""
    rows = scores(home)
    if importlib.util.find_spec("pandas") is None:
        return ("numpy", *_timed(_in_numpy(rows), repeats))
    return ("pandas", *_timed(_in_pandas(rows), repeats))


def _in_pandas(rows: Sequence[Row]) -> Callable[[], Nps]:
    pandas = importlib.import_module("pandas")
    frame = pandas.DataFrame(rows, columns=["nps", "region", "at"])
    frame["at"] = pandas.to_datetime(frame["at"])

    def ask() -> Nps:
        mark = (frame["nps"] >= 9).astype(int) - (frame["nps"] <= 6).astype(int)
        grouped = mark.groupby([frame["region"], frame["at"].dt.strftime("%Y-%m")]).mean() * 100
        return {(str(region), str(month)): float(nps) for (region, month), nps in grouped.items()}

    return ask


def _in_numpy(rows: Sequence[Row]) -> Callable[[], Nps]:
    import numpy as np

    nps = np.array([row[0] for row in rows])
    region = np.array([row[1] for row in rows])
    at = np.array([row[2].replace(" ", "T") for row in rows], dtype="datetime64[s]")

    def ask() -> Nps:
        keys = np.char.add(np.char.add(region, "\t"), at.astype("datetime64[M]").astype(str))
        names, inverse = np.unique(keys, return_inverse=True)
        mark = (nps >= 9).astype(float) - (nps <= 6)
        means = 100 * np.bincount(inverse, mark) / np.bincount(inverse)
        pairs = (str(name).split("\t") for name in names)
        return {(pair[0], pair[1]): float(mean) for pair, mean in zip(pairs, means, strict=True)}

    return ask


def _timed(ask: Callable[[], Nps], repeats: int) -> tuple[float, Nps]:
    taken, answer = [], ask()
    for _ in range(repeats):
        started = perf_counter()
        answer = ask()
        taken.append(perf_counter() - started)
    return median(taken), answer


def check_same(ours: Nps, theirs: Nps) -> None:
    """A speed counts only where the answers agree; ValueError where they do not."""
    wrong = [
        key
        for key in ours.keys() | theirs.keys()
        if key not in ours or key not in theirs or abs(ours[key] - theirs[key]) > _ROUNDING
    ]
    if wrong:
        raise ValueError(f"the tool and its peer disagree on {len(wrong)} groups, first {sorted(wrong)[0]}")


def latency_figures(ours: Sequence[Latency], peers: Sequence[tuple[str, float, Nps]]) -> list[Figure]:
    """p50 and p95 of each tool; where no peer was asked the same, the first peer's time is the yardstick."""
    found = []
    for latency in ours:
        same = latency.name == COMMON
        for share, label in ((0.5, "p50"), (0.95, "p95")):
            value = quantile(latency.seconds, share) * 1000
            for name, seconds, _ in peers if same else peers[:1]:
                found.append(
                    figure(
                        "tools",
                        f"{latency.name}, {label}",
                        value,
                        "ms",
                        better="lower",
                        peer=(name if same else f"{name}, NPS by region and month", seconds * 1000),
                        note=f"{latency.n:,} items, {len(latency.seconds)} calls",
                    )
                )
    return found


def memory_figure(ours: Memory, peer: str, theirs: Memory) -> Figure:
    """Peak memory of the process that ran the tools, against that of the peer's process."""
    return figure(
        "memory",
        "peak resident memory while the tools run",
        ours.peak / _MEGABYTE,
        "MB",
        better="lower",
        peer=(f"{peer} with score, region and time only", theirs.peak / _MEGABYTE),
        note=f"of which {ours.at_start / _MEGABYTE:.0f} MB Python and imports",
    )
