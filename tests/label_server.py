"""A small local server that speaks vLLM's `/v1/chat/completions` and `/classify`, well and badly.

It answers from the text it is sent, so that every text has labels of its own; faults are scripted by request.
"""

import contextlib
import json
import math
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = Callable[[int, dict[str, Any]], "Reply | None"]


@dataclass(frozen=True)
class Reply:
    """What is sent instead of labels. `cut`: close the connection after half of the body."""

    status: int = 200
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    cut: bool = False


OUTPUTS = (
    "sentiment:positive",
    "sentiment:neutral",
    "sentiment:negative",
    "intent:complaint",
    "intent:praise",
    "risk:refund",
    "topic:logistics/speed=positive",
    "topic:logistics/speed=negative",
    "topic:service/attitude=negative",
)


@dataclass
class LabelServer:
    """A running server: its address, what it was asked, how many requests were in flight at most."""

    base_url: str = ""
    outputs: Sequence[str] = OUTPUTS
    fault: Fault = lambda number, body: None
    requests: list[dict[str, Any]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    keys: list[str | None] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def texts(self) -> Counter[str]:
        """How often each text was asked about."""
        return Counter(text for body in self.requests for text in texts_of(body))


def texts_of(body: dict[str, Any]) -> list[str]:
    """The customer texts of a request."""
    return list(body["input"]) if "input" in body else [json.loads(body["messages"][1]["content"])]


def labels_for(text: str, **changes: Any) -> dict[str, Any]:
    """The labels this server's model has for a text."""
    bad = "慢" in text or "slow" in text
    topics = [{"k": "logistics/speed", "p": "negative"}] if bad else []
    said = {
        "s": "negative" if bad else "positive",
        "m": "same",
        "e": "angry" if bad else "satisfied",
        "i": "complaint" if bad else "praise",
        "u": "important" if bad else "normal",
        "r": ["refund"] if "退款" in text else [],
        "f": [],
        "t": topics,
        "c": [],
    }
    return {**said, **changes}


def completion(
    content: str, *, finish: str = "stop", sure: float = 0.8, logprobs: bool = True
) -> dict[str, Any]:
    """A chat completion whose tokens are single characters; where values part, `sure` is the chosen one's."""
    tokens = [_token(sign, content[:at], sure) for at, sign in enumerate(content)]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "finish_reason": finish,
        "logprobs": {"content": tokens} if logprobs else None,
    }
    usage = {"prompt_tokens": 100, "completion_tokens": len(tokens), "total_tokens": 100 + len(tokens)}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def _token(sign: str, before: str, sure: float) -> dict[str, Any]:
    # The first letter parts "positive" from "negative" and "neutral".
    parts = before.endswith('"s":"')
    chosen = math.log(sure) if parts else 0.0
    other = [_listed("n" if sign == "p" else "p", math.log(1 - sure))] if parts and sure < 1 else []
    return {**_listed(sign, chosen), "top_logprobs": [_listed(sign, chosen), *other]}


def _listed(sign: str, logprob: float) -> dict[str, Any]:
    return {"token": sign, "logprob": logprob, "bytes": list(sign.encode())}


def _answer(server: LabelServer, body: dict[str, Any]) -> dict[str, Any]:
    if "input" not in body:
        said = labels_for(texts_of(body)[0])
        return completion(json.dumps(said, ensure_ascii=False, separators=(",", ":")))
    data = []
    for index, text in enumerate(texts_of(body)):
        probs = _probs(server.outputs, labels_for(text))
        largest = server.outputs[probs.index(max(probs))]
        data.append({"index": index, "label": largest, "probs": probs, "num_classes": len(probs)})
    longest = sum(min(len(text) + 2, body["truncate_prompt_tokens"]) for text in body["input"])
    return {"id": "x", "object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": longest}}


def _probs(outputs: Sequence[str], said: dict[str, Any]) -> list[float]:
    true = {f"sentiment:{said['s']}", f"intent:{said['i']}", *(f"risk:{risk}" for risk in said["r"])}
    true |= {f"topic:{topic['k']}={topic['p']}" for topic in said["t"]}
    # No two are alike, so that the largest is one.
    return [(0.9 if name in true else 0.1) - at / 1000 for at, name in enumerate(outputs)]


@contextmanager
def serve(
    fault: Fault | None = None, *, outputs: Sequence[str] = OUTPUTS, port: int = 0
) -> Iterator[LabelServer]:
    """Run the server on a loopback port (a free one by default)."""
    served = LabelServer(outputs=outputs)
    if fault is not None:
        served.fault = fault
    server = _Server(("127.0.0.1", port), _handler(served))
    served.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        server.hang_up()
        thread.join()


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping it ends them as the end of a process would."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler(served: LabelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Keep-alive connections are served by threads of their own: they end with the client or this time.
        timeout = 5

        def do_GET(self) -> None:
            self._send(Reply(body={"object": "list", "data": [{"id": "m"}]}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with served.lock:
                served.requests.append(body)
                served.keys.append(self.headers["Authorization"])
                served.connections.add(self.client_address)
                number = len(served.requests)
                served.in_flight += 1
                served.most_in_flight = max(served.most_in_flight, served.in_flight)
            try:
                self._send(served.fault(number, body) or Reply(body=_answer(served, body)))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client gave up waiting
            finally:
                with served.lock:
                    served.in_flight -= 1

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.delay_s)
            payload = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload[: len(payload) // 2] if reply.cut else payload)
            self.close_connection = self.close_connection or reply.cut

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test output clean."""

    return Handler
