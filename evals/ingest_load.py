"""Feedback sent to a real server at a steady rate: is it taken, how soon, and does the memory stay flat?

    python -m evals.ingest_load [--rate 1000] [--seconds 300] [--batch 100] [--stored 100000] [--write]

`POST /v1/feedback` takes items with distinct texts of 30 characters. Requests leave by the clock, whether
the ones before were answered or not; one that is pushed back (429) is sent again after the time it was told.
Beside them somebody asks `/healthz` twice a second. At the end what is stored is counted. The server is a
process of its own; the senders run in this one, on the same cores. `load_before` tells how busy others kept
the machine just before.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import orjson

from evals.bench_figures import quantile
from evals.bench_rows import ZONE, fill
from evals.bench_texts import CHARACTERS, short_texts
from evals.reports import Measurement, Report, run_measurement, table
from evals.served import Served, cpu_s, memory_mb, serving

GOAL_SHARE: Final = 0.99
# Memory is flat where the second half of the run adds no more than this to what the first half ended with.
GOAL_GROWTH: Final = 0.10
_PROBE_S: Final = 0.5
_GIVEN_UP_S: Final = 60.0
_TEXTS: Final = 20_000
_SEED: Final = 7
_REGIONS: Final = ("广东", "江苏", "浙江", "四川", "北京")


@dataclass
class _Account:
    """What the senders saw."""

    outcomes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    taken_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    memory_mb: list[int] = field(default_factory=list)


class _Items:
    """Items without end; no two texts are alike."""

    def __init__(self) -> None:
        self._texts, _ = short_texts(_TEXTS, _SEED)
        self._rng = random.Random(_SEED)
        self._made = 0

    def body(self, count: int) -> bytes:
        """The body of one request."""
        now = datetime.now(UTC)
        return orjson.dumps({"items": [self._item(now) for _ in range(count)]})

    def _item(self, now: datetime) -> dict[str, Any]:
        rng, half = self._rng, CHARACTERS // 2
        self._made += 1
        return {
            "feedback_id": f"load-{self._made}",
            "source": "load",
            "channel": "survey",
            "occurred_at": now - timedelta(seconds=rng.randrange(86_400)),
            "customer_id": f"c{rng.randrange(50_000)}",
            "text": rng.choice(self._texts)[:half] + rng.choice(self._texts)[half:],
            "nps": rng.randrange(11),
            "region": rng.choice(_REGIONS),
            "attributes": {"门店": f"店{rng.randrange(200)}"},
        }


def measure(options: argparse.Namespace) -> Report:
    """Fill a store, serve it, send to it, count."""
    beside = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home, options.stored, datetime.now(ZoneInfo(ZONE)).replace(microsecond=0))
        token = _key(home)
        with serving(home, {"RATE_PER_S": "0"}) as served:
            return {**asyncio.run(_load(served, token, options)), "load_before": round(beside, 1)}


def _key(home: Path) -> str:
    from agent.wiring import open_app
    from evals.bench_rows import settings

    with open_app(settings(home)) as app:
        return app.keys.create(name="load", role="service", scope=(), created_by="load").token


async def _load(served: Served, token: str, options: argparse.Namespace) -> Report:
    items, account = _Items(), _Account()
    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=served.url, timeout=120, limits=limits, headers=headers) as client:
        await _warm(client)
        before, busy = await _stored(client), cpu_s(served.pid)
        ended = asyncio.Event()
        probing = asyncio.create_task(_probe(client, served.pid, account, ended))
        started = perf_counter()
        await _send_all(client, items, account, options)
        took = perf_counter() - started
        busy = cpu_s(served.pid) - busy
        ended.set()
        await probing
        stored = await _stored(client) - before
    return _told(account, options, took, stored, busy / took)


async def _warm(client: httpx.AsyncClient) -> None:
    """The first item loads lexicons and weights."""
    (await client.post("/v1/feedback", json={"items": [{"text": "第一条"}]})).raise_for_status()


async def _send_all(
    client: httpx.AsyncClient, items: _Items, account: _Account, options: argparse.Namespace
) -> None:
    """Each request at its moment."""
    every = options.batch / options.rate
    started = perf_counter()
    sent: list[asyncio.Task[None]] = []
    for number in range(round(options.seconds / every)):
        body = items.body(options.batch)
        await asyncio.sleep(max(0.0, started + number * every - perf_counter()))
        account.late_s.append(perf_counter() - started - number * every)
        sent.append(asyncio.create_task(_send(client, body, account)))
    await asyncio.gather(*sent)


async def _send(client: httpx.AsyncClient, body: bytes, account: _Account) -> None:
    """Send until it is taken; pushed back, wait as told. What broke off is sent again: it is stored once."""
    started = perf_counter()
    while True:
        try:
            got = await client.post("/v1/feedback", content=body)
        except httpx.TransportError as error:
            account.statuses[type(error).__name__] += 1
            if perf_counter() - started > _GIVEN_UP_S:
                return
            continue
        account.statuses[str(got.status_code)] += 1
        if got.status_code != 429:
            break
        await asyncio.sleep(float(got.headers["Retry-After"]))
    if got.status_code == 200:
        account.taken_s.append(perf_counter() - started)
        told = got.json()
        account.outcomes.update({name: told[name] for name in ("stored", "duplicates", "rejected")})


async def _probe(client: httpx.AsyncClient, pid: int, account: _Account, ended: asyncio.Event) -> None:
    while not ended.is_set():
        started = perf_counter()
        try:
            (await client.get("/healthz")).raise_for_status()
        except httpx.HTTPError as error:
            account.statuses[f"healthz {type(error).__name__}"] += 1
        else:
            account.probes_s.append(perf_counter() - started)
        account.memory_mb.append(memory_mb(pid))
        await asyncio.sleep(_PROBE_S)


async def _stored(client: httpx.AsyncClient) -> int:
    got = await client.get("/v1/feedback", params={"limit": 1})
    got.raise_for_status()
    return int(got.json()["total"])


def _told(account: _Account, options: argparse.Namespace, took: float, stored: int, cores: float) -> Report:
    memory = account.memory_mb
    places = [memory[min(len(memory) - 1, len(memory) * part // 10)] for part in range(11)]
    return {
        "rate": options.rate,
        "seconds": options.seconds,
        "batch": options.batch,
        "stored_before": options.stored,
        "cores": os.cpu_count(),
        "took_s": round(took, 1),
        "sent": round(options.seconds * options.rate / options.batch) * options.batch,
        "acknowledged": dict(account.outcomes),
        "stored": stored,
        "stored_per_s": round(stored / took, 1),
        "statuses": dict(account.statuses),
        "p50_s": round(quantile(account.taken_s, 0.5), 3),
        "p95_s": round(quantile(account.taken_s, 0.95), 3),
        "max_s": round(max(account.taken_s), 3),
        "senders_late_p95_s": round(quantile(account.late_s, 0.95), 3),
        "healthz_p95_ms": round(1000 * quantile(account.probes_s, 0.95)),
        "server_cores": round(cores, 2),
        "memory_mb": places,
        "growth_second_half": round(max(places[6:]) / max(places[:6]) - 1, 3),
    }


def markdown(report: Report) -> str:
    """The page that is kept."""
    names = (
        *("sent", "stored", "stored_per_s", "p50_s", "p95_s", "max_s", "senders_late_p95_s"),
        *("healthz_p95_ms", "server_cores", "growth_second_half", "load_before"),
    )
    answers = ", ".join(f"{count:,} × {status}" for status, count in report["statuses"].items())
    return "\n".join(
        [
            "# Feedback under load",
            "",
            f"{report['rate']:,} items a second for {report['seconds']:g} s, {report['batch']} a request, "
            f"over {report['stored_before']:,} stored ones, distinct texts, {report['cores']} cores that the "
            "server shares with the senders: `python -m evals.ingest_load`. Answers come after the commit. "
            f"Goal: the rate is stored and the second half adds at most {GOAL_GROWTH:.0%} to the memory.",
            "",
            *table(("figure", "value"), [(name, report[name]) for name in names]),
            "",
            f"Answers: {answers}. Acknowledged: {report['acknowledged']}.",
            "",
            "Memory of the server in MB at each tenth of the run: "
            + ", ".join(str(one) for one in report["memory_mb"])
            + ".",
            "",
        ]
    )


def worse(before: Report, now: Report) -> list[str]:
    """What was lost, doubled, refused or slower than the rate."""
    found = []
    if now["stored"] != now["acknowledged"].get("stored", 0):
        found.append(f"{now['acknowledged'].get('stored', 0)} acknowledged and {now['stored']} stored")
    refused = {status: n for status, n in now["statuses"].items() if status not in ("200", "429")}
    if refused:
        found.append(f"errors: {refused}")
    if now["stored_per_s"] < GOAL_SHARE * min(now["rate"], before["rate"]):
        found.append(f"{now['stored_per_s']} items a second, goal {now['rate']}")
    if now["growth_second_half"] > GOAL_GROWTH:
        found.append(f"memory grew by {now['growth_second_half']:.0%} in the second half")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=int, default=1_000, help="items a second")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--batch", type=int, default=100, help="items a request")
    parser.add_argument("--stored", type=int, default=100_000, help="items stored before")
    return run_measurement(Measurement("ingest_load", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
