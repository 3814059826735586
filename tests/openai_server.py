"""A small local server that speaks the OpenAI chat protocol, with a script of good and bad answers."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One scripted answer. `raw` is sent as it is; `delay_s` comes before anything is sent."""

    text: str = ""
    tool_calls: list[tuple[str, dict[str, Any] | str]] = field(default_factory=list)
    status: int = 200
    raw: bytes | None = None
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    error: str = "scripted failure"
    finish: str | None = None
    reasoning: str = ""


@dataclass
class Served:
    """The server's address, its script (the last reply repeats) and what it was asked."""

    base_url: str
    replies: list[Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    max_model_len: int | None = None
    tokens_a_character: float | None = None
    tokenized: list[int] = field(default_factory=list)


@contextmanager
def serve(
    *replies: Reply, max_model_len: int | None = None, tokens_a_character: float | None = None
) -> Iterator[Served]:
    """Run the server on a free loopback port. It tells its context and counts tokens only where that is given."""
    served = Served("", list(replies), max_model_len=max_model_len, tokens_a_character=tokens_a_character)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            one: dict[str, Any] = {"id": "scripted", "object": "model"}
            if served.max_model_len:
                one["max_model_len"] = served.max_model_len
            self._plain(200, {"object": "list", "data": [one]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/tokenize":
                self._tokenize(body)
                return
            served.requests.append(body)
            reply = served.replies[min(len(served.requests), len(served.replies)) - 1]
            time.sleep(reply.delay_s)
            try:
                self._send(reply, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client gave up waiting

        def _tokenize(self, body: dict[str, Any]) -> None:
            if served.tokens_a_character is None:
                self._plain(404, {"detail": "Not Found"})
                return
            count = int(len(json.dumps(body, ensure_ascii=False)) * served.tokens_a_character)
            served.tokenized.append(count)
            self._plain(200, {"count": count, "max_model_len": served.max_model_len, "tokens": []})

        def _plain(self, status: int, document: Any) -> None:
            payload = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def _send(self, reply: Reply, body: dict[str, Any]) -> None:
            stream = bool(body.get("stream")) and reply.status == 200 and reply.raw is None
            payload = reply.raw if reply.raw is not None else _payload(reply, body, stream)
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _payload(reply: Reply, body: dict[str, Any], stream: bool) -> bytes:
    if reply.status != 200:
        return json.dumps({"error": {"message": reply.error, "type": "server_error"}}).encode()
    calls = [
        {
            "id": f"call_{time.monotonic_ns()}_{index}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for index, (name, args) in enumerate(reply.tool_calls)
    ]
    if stream:
        return _events(reply, body, calls)
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if calls:
        message["tool_calls"] = calls
    if reply.reasoning:
        message |= {"reasoning": reply.reasoning, "reasoning_content": reply.reasoning}
    finish = reply.finish or ("tool_calls" if calls else "stop")
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    head = {"id": "x", "object": "chat.completion", "created": 0, "model": body["model"]}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def _events(reply: Reply, body: dict[str, Any], calls: list[dict[str, Any]]) -> bytes:
    head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": reply.text[at : at + 4]} for at in range(0, len(reply.text), 4)]
    deltas += [{"tool_calls": [{"index": index, **call}]} for index, call in enumerate(calls)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    finish = reply.finish or ("tool_calls" if calls else "stop")
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    chunks.append({**head, "choices": [], "usage": usage})
    return (
        b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    )
