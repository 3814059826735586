"""A CRM on loopback, built from its published schema: every request is checked against it; faults at will."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from jsonschema_rs import Draft202012Validator


@dataclass
class Asked:
    """One request as a CRM sees it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes = b""
    # Values of the placeholders in the path.
    found: dict[str, str] = field(default_factory=dict)


class Answer(Exception):
    """Ends a request with a status."""

    def __init__(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Crm(Protocol):
    """What answers, one request at a time."""

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body; Answer or ValueError to refuse."""
        ...


@dataclass
class StandIn:
    """Where it is reached, what was asked, and what of that did not fit the schema.

    `faults`, one a request: a status to answer with, `lost` (done, never answered), `unseen` (not even done),
    `late` (answered after `late_s`); any other is none. `on_request` is called with each request's number,
    before and after it is done.
    """

    url: str = ""
    faults: list[int | str] = field(default_factory=list)
    late_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    on_request: Any = None


class Schema:
    """The published calls of a CRM."""

    def __init__(self, path: Path) -> None:
        self._told = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.properties: dict[str, str] = self._told.get("properties", {})
        self._calls = [(one, self._pattern(one["call"])) for one in self._told["operations"]]

    def _pattern(self, call: str) -> re.Pattern[str]:
        parts = re.split(r"(\{\w+\})", call)
        return re.compile(
            "".join(f"(?P<{p[1:-1]}>[^/]+?)" if p.startswith("{") else re.escape(p) for p in parts) + "$"
        )

    def check(self, asked: Asked) -> tuple[str, str | None]:
        """The call that a request is, and the schema of its answer; ValueError for what does not fit."""
        for one, pattern in self._calls:
            match = pattern.match(f"{asked.method} {asked.path}")
            if match is None:
                continue
            asked.found = {name: unquote(value) for name, value in match.groupdict().items()}
            if unknown := set(asked.query) - set(one.get("query", ())):
                raise ValueError(f"{one['call']}: no parameter {unknown}")
            if "body" in one:
                self._fits(one["body"], asked.body, one["call"])
            elif asked.raw:
                raise ValueError(f"{one['call']} has no body")
            return one["call"], one.get("answer")
        raise ValueError(f"no call {asked.method} {asked.path}")

    def answered(self, name: str | None, body: Any, call: str) -> None:
        """ValueError where an answer is none that the CRM would give."""
        if name is not None:
            self._fits(name, body, f"answer of {call}")

    def _fits(self, name: str, body: Any, where: str) -> None:
        schema = {"$ref": f"#/schemas/{name}", "schemas": self._told["schemas"]}
        for error in Draft202012Validator(schema).iter_errors(body):
            raise ValueError(f"{where}: {error.instance_path}: {error.message}")


@contextmanager
def serving(crm: Crm, schema: Schema | None) -> Iterator[StandIn]:
    """Serve it on a free port."""
    told, lock = StandIn(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(raw) if raw else None,
                raw,
            )
            with lock:
                told.asked.append(asked)
                number = len(told.asked)
                fault = told.faults.pop(0) if told.faults else None
            if told.on_request is not None:
                told.on_request(number, "before")
            if fault == "unseen":
                self.close_connection = True
                return
            if isinstance(fault, int):
                self._send(fault, {"category": "FAULT"}, {"retry-after": "1"} if fault == 429 else {})
                return
            with lock:
                status, body, headers = self._done(asked)
            if told.on_request is not None:
                told.on_request(number, "after")
            if fault == "lost":
                self.close_connection = True
                return
            if fault == "late":
                time.sleep(told.late_s)
            self._send(status, body, headers)

        do_GET = do_POST = do_PATCH = do_PUT = _do  # noqa: N815 - the names that the server calls

        def _done(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
            try:
                call, name = schema.check(asked) if schema else ("", None)
                status, body = crm.answer(asked)
                if schema:
                    schema.answered(name, body, call)
                return status, body, {}
            except Answer as answer:
                return answer.status, answer.body, answer.headers
            except ValueError as error:
                told.wrong.append(str(error))
                return 400, {"category": "VALIDATION_ERROR", "message": str(error)}, {}

        def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # whoever asked is gone

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
