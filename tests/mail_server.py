"""An SMTP server on loopback that keeps the mail handed to it, and fails where it is told to."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any


@dataclass
class MailServer:
    """`rcpt` and `end` are the answers to the recipient and to the end of the text; an empty `end` hangs up.

    `before_end` is told how many mails there were by then.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    rcpt: str = "250 OK"
    end: str = "250 taken"
    before_end: Callable[[int], None] | None = None

    @property
    def url(self) -> str:
        """What the setting says."""
        return f"smtp+plain://127.0.0.1:{self.port}"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    served = MailServer()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().decode("ascii").strip():
                word = line.partition(" ")[0].upper()
                if word == "RCPT":
                    served.recipients.append(line)
                    self._say(served.rcpt)
                elif word == "DATA":
                    self._say("354 go on")
                    self._take()
                    if served.before_end is not None:
                        served.before_end(len(served.mails))
                    if not served.end:
                        return
                    self._say(served.end)
                elif word == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 OK")

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            found: Any = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            served.mails.append(found)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    served.port = server.server_address[1]
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
