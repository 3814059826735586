"""Senders killed in the middle of sending: nothing is lost, each message has one effect."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from store.messages import Message, MessageStatus
from store.sqlite_operations import SqliteOperationStore
from tests.http_receiver import receive
from tests.mail_server import mail_server
from tests.retention_world import NOW, World

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
LETTERS = 8
ROOT = Path(__file__).resolve().parents[1]
# Imports once and forks a sender for each line: home, moment, channel, address. Says its pid, then how it ended.
SENDERS = """
import os, sys
from datetime import datetime
from pathlib import Path
import httpx, duckdb, sqlalchemy
from agent.settings import Settings
from agent.wiring import open_app
from retention import channel_gateway, channel_mail, message_sender
from store import duckdb_facts, sqlite_contacts
from store.clock import FixedClock

def send(home, now, name, url):
    secret = "whsec_" + "a2" * 16 + "a2tr"
    channel = {"gateway": {"customer_gateway_url": url, "customer_gateway_secret": secret},
               "mail": {"customer_mail_url": url, "customer_mail_from": "care@example.org"}}[name]
    settings = Settings(home=Path(home), _env_file=None, **channel)
    with open_app(settings, FixedClock(datetime.fromisoformat(now))) as app:
        app.message_sender.run()

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        send(*line.split())
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


class Senders:
    """One sender after the other, each some minutes later than the last."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VOICELOOP")}
        self._forker = subprocess.Popen(
            [sys.executable, "-c", SENDERS], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._pid = 0
        self._now = NOW

    def run(self, home: Path, channel: str, url: str) -> int:
        """The signal that ended it; 0 where it came to its end."""
        assert self._forker.stdin is not None and self._forker.stdout is not None
        self._now += timedelta(minutes=10)
        self._forker.stdin.write(f"{home} {self._now.isoformat()} {channel} {url}\n")
        self._forker.stdin.flush()
        self._pid = int(self._forker.stdout.readline())
        status = int(self._forker.stdout.readline())
        assert os.WIFSIGNALED(status) or status == 0
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        self._forker.communicate(timeout=30)


@pytest.fixture(scope="module")
def senders() -> Iterator[Senders]:
    made = Senders()
    yield made
    made.close()


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[SqliteOperationStore]:
    world = World(tmp_path)
    world.context()
    world.close()
    store = SqliteOperationStore(tmp_path / "operations.sqlite")
    yield store
    store.close()


def prepare(operations: SqliteOperationStore, n: int) -> None:
    for number in range(n):
        message = Message(
            message_id=f"message-{number:03d}", customer_id=f"c{number:03d}", playbook="ces", kind="survey",
            language="zh", title="请您评价", text=f"第 {number} 封", translation="x", created_at=NOW,
            created_by="test", status=MessageStatus.PREPARED, prepared_at=NOW,
        )  # fmt: skip
        operations.propose_message(message)


def test_killed_senders_lose_nothing_and_the_gateway_knows_each_letter_by_its_id(
    senders: Senders, operations: SqliteOperationStore, tmp_path: Path
) -> None:
    prepare(operations, LETTERS)
    kills = LETTERS // 2
    with receive() as gateway:
        # Before the answer and after it: by then the letter is there, and the store does not know yet.
        gateway.before_answer = lambda n: senders.kill() if n % 3 == 0 and n // 3 <= kills else None
        gateway.after_answer = lambda n: senders.kill() if n % 3 == 1 and n // 3 < kills else None
        ended: list[int] = []
        while not ended or ended[-1]:
            ended.append(senders.run(tmp_path, "gateway", f"http://{gateway.url}"))
    assert len(ended) > kills and set(ended[:-1]) == {signal.SIGKILL}
    assert {one.status for one in operations.messages()} == {MessageStatus.SENT}
    letters = Counter((one.headers["webhook-id"], one.body) for one in gateway.posted)
    assert {letter for letter, _ in letters} == {f"message-{n:03d}" for n in range(LETTERS)}
    # The same letter may come twice, never another one under its id; each kill repeats one at most.
    assert len(letters) == LETTERS and len(gateway.posted) < LETTERS + len(ended)
    assert operations.verify_audit() > 0


def test_a_mail_of_which_nobody_knows_is_not_sent_again(
    senders: Senders, operations: SqliteOperationStore, tmp_path: Path
) -> None:
    prepare(operations, 2)
    (tmp_path / "addresses.csv").write_text("customer_id,mail\nc000,a@example.com\nc001,b@example.com\n")
    with mail_server() as server:
        server.before_end = lambda n: senders.kill() if n == 1 else None
        assert [senders.run(tmp_path, "mail", server.url) for _ in range(2)] == [signal.SIGKILL, 0]
    stands = {one.message_id: (one.status.value, one.reason) for one in operations.messages()}
    assert stands == {"message-000": ("failed", "unsure"), "message-001": ("sent", "")}
    assert [one["Message-ID"] for one in server.mails] == [
        "<message-000@example.org>",
        "<message-001@example.org>",
    ]
