"""How soon Slack is told that its event arrived, while the agent takes 30 seconds for each answer.

`python -m evals.slack_ack --write`. A real server as a process, a model endpoint on loopback that keeps each
reply back, signed events at a steady rate from this process, on the same cores. Slack gives up after three
seconds and sends the event again; what we ask of ourselves is a 99th percentile below one second.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx

from agent.settings import Settings
from agent.wiring import open_app
from evals.reports import Measurement, Report, run_measurement, table
from evals.served import serving
from evals.slack_workspace import Workspace, workspace
from pipeline.account import IngestOptions

_CHECKOUT: Final = Path(__file__).resolve().parents[1]
_SECRET: Final = "0123456789abcdef0123456789abcdef"
_PEOPLE: Final = '{"others": {"role": "analyst"}, "rooms": {"C1": {}}}'
_START_S: Final = 60.0
_ANSWER: Final = {
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "好的。"}}]
}


def measure(options: argparse.Namespace) -> Report:
    """Send events at a steady rate; times are those of this process, over the socket."""
    with tempfile.TemporaryDirectory() as folder:
        home = _home(Path(folder))
        with (
            workspace() as slack,
            _slow_model(options.agent_s) as model,
            serving(home, _settings(slack, model), killed=True) as served,
        ):
            sent = asyncio.run(_send(served.url, options))
            opened = slack.calls.get("chat.postMessage", 0)
    times = sorted(one for one, status in sent if status == 200)
    return {
        "agent_s": options.agent_s,
        "events": len(sent),
        "rate_per_s": options.rate,
        "repeated": options.repeat,
        "refused": sum(status != 200 for _, status in sent),
        "p50_ms": _at(times, 0.5),
        "p99_ms": _at(times, 0.99),
        "max_ms": _at(times, 1.0),
        "placeholders": opened,
    }


def markdown(report: Report) -> str:
    """The page."""
    rows = [[name, report[name]] for name in report]
    return "\n".join(
        ["# Slack: how soon an event is acknowledged", "", *table(["figure", "value"], rows), ""]
    )


def worse(before: Report, now: Report) -> list[str]:
    """What breaks what we ask of ourselves; the machine's own speed is no part of it."""
    found = [f"p99 {now['p99_ms']} ms"] if now["p99_ms"] >= 1_000 else []
    return [*found, *([f"{now['refused']} refused"] if now["refused"] else [])]


async def _send(url: str, options: argparse.Namespace) -> list[tuple[float, int]]:
    """Each event `repeat` times, one right after the other, as a sender does that heard nothing."""
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:

        async def one(number: int) -> list[tuple[float, int]]:
            told = []
            for _ in range(options.repeat):
                body, headers = _event(number)
                started = time.perf_counter()
                answer = await client.post("/slack/events", content=body, headers=headers)
                told.append(((time.perf_counter() - started) * 1000, answer.status_code))
            return told

        tasks = []
        for number in range(options.events):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(1 / options.rate)
        return [each for task in tasks for each in await task]


def _event(number: int) -> tuple[bytes, dict[str, str]]:
    event = {
        "type": "app_mention",
        "user": f"U{number % 20}",
        "text": "<@U0BOT> 10月NPS是多少？",
        "ts": f"{number}.1",
        "channel": "C1",
    }
    body = json.dumps(
        {"type": "event_callback", "team_id": "T0", "event_id": f"Ev{number}", "event": event}
    ).encode()
    stamp = str(int(time.time()))
    signed = hmac.new(_SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return body, {
        "content-type": "application/json",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={signed}",
    }


def _home(folder: Path) -> Path:
    now = datetime.now(UTC)
    lines = ["日期,评价,NPS,地区"]
    lines += [
        f"{now - timedelta(days=day):%Y-%m-%d},物流太慢了第{day}单,{day % 11},广东" for day in range(1, 60)
    ]
    (folder / "voice.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_app(Settings(home=folder / "home", _env_file=None)) as app:
        app.ingestor.ingest([folder / "voice.csv"], IngestOptions())
    (folder / "home" / "slack.yaml").write_text(_PEOPLE, encoding="utf-8")
    return folder / "home"


@contextmanager
def _slow_model(delay_s: float) -> Iterator[str]:
    """An OpenAI-compatible endpoint that thinks for so long."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say({"data": [{"id": "slow"}]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(delay_s)
            self._say(_ANSWER)

        def _say(self, told: Any) -> None:
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return  # the server ended before its answer was there

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _settings(slack: Workspace, model: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": "xoxb-measured",
        "SLACK_SIGNING_SECRET": _SECRET,
        "SLACK_API_URL": slack.url,
        "LLM_BASE_URL": model,
        "LLM_MODEL": "slow",
        "LLM_TOOL_MODE": "native",
        "LLM_CONTEXT_TOKENS": "32768",
    }


def _at(times: Sequence[float], share: float) -> float:
    """A quantile of sorted times in milliseconds, the nearest one from above."""
    return round(times[max(0, min(len(times), -int(-len(times) * share // 1)) - 1)], 1) if times else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--rate", type=float, default=10.0, help="events a second")
    parser.add_argument("--repeat", type=int, default=3, help="how often each is sent")
    parser.add_argument("--agent-s", type=float, default=30.0, help="how long the model takes for a reply")
    return run_measurement(Measurement("slack_ack", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
