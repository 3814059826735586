"""A scripted OpenAI-compatible server in a process of its own: `python -m evals.model_server TOOL`.

Answers a question by one call of the tool, and its result by a sentence with the result's own n. Prints
its port.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx

_N: Final = re.compile(r'"n":(\d+)')
_ARGUMENTS: Final = '{"period": "2026-10", "group_by": ["region"]}'
_WAIT_S: Final = 20.0


def serve(tool: str) -> None:
    """Run until ended; the bodies asked with last are at GET /v1/bodies."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet an answer: a head and a body apart would wait for each other's acknowledgement (40 ms).
        wbufsize = -1

        def do_GET(self) -> None:
            self._send(bodies[-8:] if self.path.endswith("/bodies") else {"data": [{"id": "scripted"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.endswith("/chat/completions"):
                self.send_error(404)
                return
            bodies.append(body)
            self._send(_reply(tool, body))

        def _send(self, document: Any) -> None:
            payload = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: standard output holds the port alone."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def _reply(tool: str, body: dict[str, Any]) -> dict[str, Any]:
    last = body["messages"][-1]
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if last["role"] == "tool":
        n = _N.findall(str(last["content"]))[-1]
        message["content"] = f"共有 n={n} 条评分。"
    else:
        function = {"name": tool, "arguments": _ARGUMENTS}
        message["tool_calls"] = [
            {"id": f"call_{time.monotonic_ns()}", "type": "function", "function": function}
        ]
    finish = "stop" if message["content"] else "tool_calls"
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


async def answered_bodies(client: "httpx.AsyncClient", base_url: str, last: int) -> list[Any]:
    """The bodies of the last requests, oldest first."""
    found: list[Any] = (await client.get(f"{base_url}/bodies")).json()
    return found[-last:]


def wait_until_up(base_url: str) -> None:
    """Wait until the server answers. Raises TimeoutError after 20 seconds."""
    import httpx

    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        try:
            httpx.get(f"{base_url}/models", timeout=1, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{base_url} does not answer")


if __name__ == "__main__":
    serve(sys.argv[1])
