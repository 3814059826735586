"""A real server under many people who chat at once, over a large store, with the offline planner.

    python -m evals.api_load [--items 100000] [--users 50] [--seconds 180] [--think 20] [--write] [--json]

Each user has a key and a conversation of their own, asks a question of cases/latency.yaml drawn at random,
reads the answer for the think time (evenly between half and one and a half times the mean) and asks again.
The server is a process of its own; the users run in this one, on the same cores. Beside them somebody asks
`/healthz` twice a second: what that takes tells whether the server still notices anybody else. Before that
every question is asked once, one after the other, which is timed by itself. It is measured with the results
of tools kept and without. What else ran on the machine meanwhile is told too, in cores: beside much of it the
times say little, and the processor seconds of an answer say more.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import httpx

from evals.bench_figures import quantile
from evals.bench_rows import ZONE, fill, settings
from evals.reports import Measurement, Report, run_measurement, table
from evals.served import Served, memory_mb, serving
from evals.wording import read_yaml

GOAL_P95_S: Final = 3.0
_CHECKOUT: Final = Path(__file__).resolve().parents[1]
_PROBE_S: Final = 0.5
_SEED: Final = 7
_START_S: Final = 60
_KEPT_RESULTS: Final = 256


def measure(options: argparse.Namespace) -> Report:
    """Fill a store, then serve it to the users once for each way of keeping results."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home, options.items, datetime.now(ZoneInfo(ZONE)).replace(microsecond=0))
        tokens = _keys(home, options.users)
        runs = []
        for kept in (_KEPT_RESULTS, 0):
            with serving(home, {"RESULT_CACHE": str(kept)}) as served:
                runs.append({"results_kept": kept, **asyncio.run(_load(served, tokens, options))})
    return {
        "items": options.items,
        "users": options.users,
        "seconds": options.seconds,
        "think_s": options.think,
        "runs": runs,
    }


def _keys(home: Path, users: int) -> list[str]:
    from agent.wiring import open_app

    with open_app(settings(home)) as app:
        return [
            app.keys.create(name=f"user-{n}", role="analyst", scope=(), created_by="load").token
            for n in range(users)
        ]


async def _load(served: Served, tokens: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    questions: list[str] = read_yaml("cases/latency.yaml")["questions"]
    asked: list[tuple[str, float]] = []
    errors: list[str] = []
    probes: list[float] = []
    memory: list[int] = [memory_mb(served.pid)]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=served.url, timeout=120, limits=limits) as client:
        first = await _ask_once(client, tokens[0], questions)
        before, begun = _Used.by(served.pid), perf_counter()
        end = begun + options.seconds

        async def user(number: int, token: str) -> None:
            chosen = random.Random(_SEED + number)
            headers = {"Authorization": f"Bearer {token}"}
            await asyncio.sleep(chosen.uniform(0, options.think))
            while perf_counter() < end:
                question = chosen.choice(questions)
                started = perf_counter()
                body = {"message": question, "thread_id": f"load-{number}"}
                try:
                    got = await client.post("/v1/chat", json=body, headers=headers)
                except httpx.HTTPError as error:
                    errors.append(type(error).__name__)
                else:
                    if got.status_code == 200 and got.json()["answer"]:
                        asked.append((question, perf_counter() - started))
                    else:
                        errors.append(f"status {got.status_code}")
                await asyncio.sleep(chosen.uniform(0.5, 1.5) * options.think)

        async def probe() -> None:
            while perf_counter() < end:
                started = perf_counter()
                (await client.get("/healthz")).raise_for_status()
                probes.append(perf_counter() - started)
                memory.append(memory_mb(served.pid))
                await asyncio.sleep(_PROBE_S)

        await asyncio.gather(probe(), *(user(n, token) for n, token in enumerate(tokens)))
    used, wall = _Used.by(served.pid).since(before), perf_counter() - begun
    cores = {
        "server": round(used.server_s / wall, 2),
        "users": round(used.users_s / wall, 2),
        "others": round((used.all_s - used.server_s - used.users_s) / wall, 2),
    }
    told = _told(asked, errors, probes, memory)
    told["cpu_s_an_answer"] = round(used.server_s / len(asked), 3)
    once = {"p50_s": round(quantile(first, 0.5), 2), "p95_s": round(quantile(first, 0.95), 2)}
    return {"asked_once": once, **told, "cores": cores}


async def _ask_once(client: httpx.AsyncClient, token: str, questions: Sequence[str]) -> list[float]:
    """How long each question takes when nobody asked it before and nobody else asks."""
    taken = []
    for number, question in enumerate(questions):
        started = perf_counter()
        body = {"message": question, "thread_id": f"once-{number}"}
        got = await client.post("/v1/chat", json=body, headers={"Authorization": f"Bearer {token}"})
        got.raise_for_status()
        taken.append(perf_counter() - started)
    return taken


def _told(
    asked: Sequence[tuple[str, float]], errors: Sequence[str], probes: Sequence[float], memory: Sequence[int]
) -> dict[str, Any]:
    seconds = [taken for _, taken in asked]
    by_question: dict[str, list[float]] = {}
    for question, taken in asked:
        by_question.setdefault(question, []).append(taken)
    slowest = sorted(by_question.items(), key=lambda pair: -quantile(pair[1], 0.5))[:5]
    half = len(memory) // 2
    return {
        "answers": len(asked),
        "errors": len(errors),
        "error_kinds": sorted(set(errors)),
        "p50_s": round(quantile(seconds, 0.5), 2),
        "p95_s": round(quantile(seconds, 0.95), 2),
        "max_s": round(max(seconds), 2),
        "healthz_p50_ms": round(1000 * quantile(probes, 0.5)),
        "healthz_p95_ms": round(1000 * quantile(probes, 0.95)),
        "memory_mb": {"start": memory[0], "middle": memory[half], "end": memory[-1], "most": max(memory)},
        "slowest": [
            {"ask": question, "n": len(taken), "p50_s": round(quantile(taken, 0.5), 2)}
            for question, taken in slowest
        ],
    }


class _Used(NamedTuple):
    """Processor seconds so far: of the server, of this process, and of all that runs on the machine."""

    server_s: float
    users_s: float
    all_s: float

    @classmethod
    def by(cls, pid: int) -> "_Used":
        """By the kernel's count."""
        tick = os.sysconf("SC_CLK_TCK")
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        busy = [int(one) for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        own = os.times()
        # All but idle and waiting for a disk.
        return cls(
            (int(fields[11]) + int(fields[12])) / tick,
            own.user + own.system,
            (sum(busy) - busy[3] - busy[4]) / tick,
        )

    def since(self, before: "_Used") -> "_Used":
        """What was used in between."""
        return _Used(*(now - then for now, then in zip(self, before, strict=True)))


def markdown(report: Report) -> str:
    """The page that is kept."""
    rows = [
        (
            "kept" if run["results_kept"] else "not kept",
            run["asked_once"]["p95_s"],
            run["answers"],
            run["errors"],
            run["p50_s"],
            run["p95_s"],
            run["max_s"],
            run["healthz_p95_ms"],
            run["cpu_s_an_answer"],
            run["cores"]["others"],
            run["memory_mb"]["start"],
            run["memory_mb"]["middle"],
            run["memory_mb"]["end"],
        )
        for run in report["runs"]
    ]
    columns = (
        *(
            "results of tools",
            "p95 s asked once before",
            "answers",
            "errors",
            "p50 s",
            "p95 s",
            "max s",
            "healthz p95 ms",
            "CPU s an answer",
            "cores used by others",
        ),
        *("MB at start", "MB half way", "MB at the end"),
    )
    slow = [
        ("kept" if run["results_kept"] else "not kept", one["ask"], one["n"], one["p50_s"])
        for run in report["runs"]
        for one in run["slowest"]
    ]
    return "\n".join(
        [
            "# Chat under load",
            "",
            f"{report['users']} users with a conversation each, {report['items']:,} items, offline planner: "
            f"`python -m evals.api_load`. Think time {report['think_s']:g} s on average, "
            f"{report['seconds']} s a run, after every question was asked once. "
            "Server and users share the machine's cores. "
            f"Goal: p95 of at most {GOAL_P95_S:g} s without an error.",
            "",
            *table(columns, rows),
            "",
            "What took longest:",
            "",
            *table(("results of tools", "question", "n", "p50 s"), slow),
            "",
        ]
    )


def worse(before: Report, now: Report) -> list[str]:
    """Errors, or answers beyond the goal, with results kept."""
    run = now["runs"][0]
    found = []
    if run["errors"]:
        found.append(f"{run['errors']} errors: {', '.join(run['error_kinds'])}")
    if run["p95_s"] > GOAL_P95_S:
        found.append(f"p95 {run['p95_s']} s, goal {GOAL_P95_S:g} s")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--think", type=float, default=20.0, help="mean seconds between answer and question")
    return run_measurement(Measurement("api_load", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
