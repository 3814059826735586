"""`voiceloop serve` as a process: where it may listen, how it is found, how it ends; `voiceloop keys`."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from server.audit_journal import AuditJournal
from server.server_file import RunningServer, read_server_file
from store.sqlite_operations import SqliteOperationStore
from tests.command_line import CommandLine

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PATIENCE_S = 60


@contextmanager
def serving(home: Path, *args: str) -> Iterator[tuple["subprocess.Popen[str]", RunningServer]]:
    """A server process of its own, and what it wrote about itself."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("VOICELOOP_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve", "--port", "0", "--json", *args],
        env={**env, "VOICELOOP_HOME": str(home), "PYTHONPATH": str(Path(__file__).parent.parent)},
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while (running := read_server_file(home)) is None:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        yield process, running
    finally:
        process.kill()
        process.communicate()


def test_it_starts_with_nothing_is_found_and_ends_gracefully(voiceloop: CommandLine) -> None:
    with serving(voiceloop.home) as (process, running):
        assert stat.S_IMODE((voiceloop.home / "server.json").stat().st_mode) == 0o600
        assert running.pid == process.pid
        assert httpx.get(f"{running.url}/v1/me").json()["single_user"]
        me = httpx.get(f"{running.url}/v1/me", headers={"Authorization": f"Bearer {running.token}"})
        assert me.json()["user"] == "local"
        second = voiceloop("serve", "--port", "0", "--json")
        assert second.status == 1
        assert second.document["kind"] == "StoreLocked"
        ran = voiceloop("doctor", "--json")
        server = next(one for one in ran.document["checks"] if one["name"] == "server")
        assert server["ok"] and running.url in server["detail"]
        with socket.create_connection(("127.0.0.1", httpx.URL(running.url).port or 0)) as slow:
            # Asked before the end and whole only after it: it is answered all the same.
            slow.sendall(b"POST /v1/keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
            slow.sendall(b"Content-Type: application/json\r\nContent-Length: 14\r\n\r\n")
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            slow.sendall(b'{"name": "in"}')
            answer = slow.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 201"), answer
        output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert json.loads(output) == {"url": running.url, "pid": running.pid, "single_user": True}
    assert not (voiceloop.home / "server.json").exists()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert {"/v1/me"} <= {line.get("route") for line in lines}
    assert running.token not in errors
    assert voiceloop("audit", "verify").status == 0
    assert [key["name"] for key in voiceloop("keys", "list", "--json").document["keys"]] == ["in"]


def test_a_killed_server_loses_no_read_and_leaves_a_file_that_nobody_trusts(voiceloop: CommandLine) -> None:
    with serving(voiceloop.home) as (process, running):
        assert httpx.get(f"{running.url}/v1/audit").status_code == 200
        process.kill()
        process.wait(PATIENCE_S)
    with closing(SqliteOperationStore(voiceloop.home / "operations.sqlite")) as operations:
        AuditJournal(voiceloop.home).recover(operations)
        assert [entry.action for entry in operations.audit_entries()] == ["audit.read"]
    assert read_server_file(voiceloop.home) == running
    ran = voiceloop("doctor", "--json")
    server = next(one for one in ran.document["checks"] if one["name"] == "server")
    assert "nobody answers" in server["detail"]


def test_no_other_address_before_there_is_a_key(voiceloop: CommandLine) -> None:
    refused = voiceloop("serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.status == 1
    assert "keys create" in refused.errors
    made = voiceloop("keys", "create", "--name", "root", "--role", "admin", "--json").document
    voiceloop("keys", "revoke", made["key"]["key_id"])
    assert voiceloop("serve", "--host", "0.0.0.0", "--port", "0").status == 1


def test_a_port_that_is_taken_is_told(voiceloop: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = voiceloop("serve", "--port", str(taken.getsockname()[1]))
    assert ran.status == 1
    assert "cannot listen" in ran.errors


def test_keys_on_the_command_line(voiceloop: CommandLine) -> None:
    made = voiceloop(
        "keys", "create", "--name", "王", "--role", "analyst", "--scope", "总部/华南", "--days", "7", "--json"
    ).document
    assert made["token"].startswith(f"vl_{made['key']['key_id']}_")
    assert (made["key"]["role"], made["key"]["scope"]) == ("analyst", ["总部/华南"])
    assert made["token"].encode() not in (voiceloop.home / "operations.sqlite").read_bytes()
    assert voiceloop("keys", "create", "--name", "王").status == 2
    assert voiceloop("keys", "create", "--name", "x", "--role", "king").status == 2
    listed = voiceloop("keys", "list")
    assert made["key"]["key_id"] in listed.output and made["token"] not in listed.output
    ended = voiceloop("keys", "revoke", made["key"]["key_id"], "--json").document
    assert ended["key"]["revoked_at"] is not None
    assert voiceloop("keys", "revoke", "nope").status == 2
