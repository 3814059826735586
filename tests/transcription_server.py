"""A small local server that speaks OpenAI's audio transcription protocol, with a script of good and bad answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One scripted answer; `drop` closes the connection instead."""

    document: Any = None
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass(frozen=True)
class Asked:
    """One request: its form fields, the file's name and bytes, and the authorization header."""

    path: str
    fields: dict[str, str]
    file_name: str
    file: bytes
    authorization: str | None


@dataclass
class Served:
    """The server's address, its script (the last reply repeats) and what it was asked."""

    base_url: str
    replies: list[Reply]
    requests: list[Asked] = field(default_factory=list)


@contextmanager
def serve(*replies: Reply) -> Iterator[Served]:
    """Run the server on a free loopback port."""
    served = Served("", list(replies))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.requests.append(_asked(self.path, self.headers, body))
            reply = served.replies[min(len(served.requests), len(served.replies)) - 1]
            if reply.drop:
                self.close_connection = True
                return
            payload = reply.raw if reply.raw is not None else json.dumps(reply.document).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
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


def _asked(path: str, headers: Message, body: bytes) -> Asked:
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    fields: dict[str, str] = {}
    name, data = "", b""
    form = BytesParser().parsebytes(head + body)
    for part in form.get_payload():
        assert isinstance(part, Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        filename = part.get_filename()
        if filename is None:
            fields[str(part.get_param("name", header="content-disposition"))] = content.decode()
        else:
            name, data = filename, content
    return Asked(path, fields, name, data, headers["Authorization"])


def failure(status: int, message: str, **headers: str) -> Reply:
    """An error in OpenAI's form."""
    return Reply({"error": {"message": message, "type": "x"}}, status, headers=headers)
