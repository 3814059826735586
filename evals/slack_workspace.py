"""The least of Slack that a server needs to answer questions: a Web API on loopback that always agrees."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Workspace(NamedTuple):
    """Its address, and how often each method was called."""

    url: str
    calls: dict[str, int]


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Run it for the block."""
    calls: dict[str, int] = {}
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            method = self.path.removeprefix("/api/").partition("?")[0]
            with guard:
                calls[method] = calls.get(method, 0) + 1
                count = sum(calls.values())
            told = {
                "ok": True,
                "ts": f"1700000000.{count:06d}",
                "user_id": "U0BOT",
                "bot_id": "B0",
                "team_id": "T0",
            }
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Workspace(f"http://127.0.0.1:{server.server_port}/api/", calls)
    finally:
        server.shutdown()
        server.server_close()
