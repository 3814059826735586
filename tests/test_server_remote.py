"""Commands beside a real `voiceloop serve`, and MCP over standard input, each in processes of their own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server.remote import running_server
from server.server_file import RunningServer, read_server_file, write_server_file
from tests.command_line import FEED
from tests.mcp_clients import ROOT, over_stdio, said

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
_PATIENCE_S = 120


@dataclass
class Beside:
    """A data folder, and `voiceloop` run in it."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def start(self, *args: str, **settings: str) -> "subprocess.Popen[bytes]":
        given = {"home": str(self.home), **settings}
        env = {f"VOICELOOP_{name.upper()}": value for name, value in given.items()}
        return subprocess.Popen(
            [sys.executable, "-m", "server.cli", *args],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *args: str, stdin: str = "", **settings: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        process = self.start(*args, **settings)
        output, errors = process.communicate(stdin.encode(), timeout=_PATIENCE_S)
        return process.returncode, output.decode(), errors.decode()

    def serve(self) -> "subprocess.Popen[bytes]":
        """A server that takes requests now."""
        with (self.folder / "serve.log").open("wb") as log:
            env = {"VOICELOOP_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
            process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve", "--port", "0"],
                cwd=self.home.parent.parent,
                env={**os.environ, **env},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + _PATIENCE_S
        while (known := read_server_file(self.home)) is None or known.pid != process.pid:
            assert process.poll() is None, (self.folder / "serve.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        return process


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """A folder over which a server runs. What is done there in one test may be read in the next."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "feed.csv").write_text(FEED, encoding="utf-8")
    line = Beside(folder)
    server = line.serve()
    status, output, errors = line("ingest", "feed.csv", "--no-index", "--json")
    assert status == 0, errors
    assert json.loads(output)["stored"] == 4
    yield line
    server.terminate()
    assert server.wait(30) == 0, (folder / "serve.log").read_text()
    assert not (line.home / "server.json").exists()


def test_a_question_by_standard_input_is_answered_and_its_thread_is_there(beside: Beside) -> None:
    status, output, errors = beside("ask", "-", "--thread", "t1", "--json", stdin="NPS是多少？\n")
    assert status == 0, errors
    answer = json.loads(output)
    assert answer["thread_id"] == "t1" and answer["figures"]
    shown = beside("threads", "list")[1]
    assert "t1" in shown and "NPS是多少" in shown


def test_status_streams_and_words_are_those_of_a_command_that_runs_by_itself(beside: Beside) -> None:
    status, output, errors = beside("tool", "no_such_tool")
    assert status == 2 and "no_such_tool" in json.loads(output)["error"] and errors == ""
    status, output, errors = beside("ask", " ")
    assert (status, output) == (2, "") and "empty" in errors


def test_paths_are_those_of_the_folder_in_which_the_command_was_typed(beside: Beside) -> None:
    (beside.folder / "bad.csv").write_text("评价,NPS,日期\n很好,99,2026-10-01\n", encoding="utf-8")
    status, output, errors = beside(
        "ingest", "bad.csv", "--map", "nps=NPS", "--rejects", "rejects.csv", "--no-index", "--json"
    )
    assert (status, json.loads(output)["rejected"]) == (0, 1), errors
    assert "99" in (beside.folder / "rejects.csv").read_text(encoding="utf-8")


def test_who_asks_is_whom_the_settings_of_the_command_line_name(beside: Beside) -> None:
    task = json.dumps({"customer_ids": ["c3"]})
    status, output, _ = beside("tool", "create_retention_task", "--args", task, role="viewer", user="eve")
    assert status == 1 and "not permitted" in json.loads(output)["error"]
    status, output, _ = beside("tool", "nps_stats", scope='["nowhere"]')
    assert json.loads(output)["n"] == 0


def test_what_would_change_the_files_that_a_server_has_read_is_refused_with_its_address(
    beside: Beside,
) -> None:
    known = read_server_file(beside.home)
    assert known is not None
    status, output, _ = beside("serve", "--port", "0", "--json")
    assert status == 1
    refused = json.loads(output)
    assert (
        known.url in refused["error"]
        and str(known.pid) in refused["error"]
        and "end the server" in refused["hint"]
    )


def test_the_token_is_its_owners_alone_and_nobody_else_may_send_a_command(beside: Beside) -> None:
    known = read_server_file(beside.home)
    assert known is not None
    assert (beside.home / "server.json").stat().st_mode & 0o077 == 0
    look = {"is_terminal": False, "width": 80, "colors": None}
    asker = {"user": "eve", "role": "admin", "scope": [], "language": "en"}
    sent = {
        "version": "0.1.0", "args": ["keys", "list"], "folder": "/", "stdin": "",
        "out": look, "err": look, "asker": asker,
    }  # fmt: skip

    def status(headers: dict[str, str]) -> int:
        url = f"{known.url}/local/commands"
        return httpx.post(url, json=sent, headers=headers, trust_env=False).status_code

    good = {"Authorization": f"Bearer {known.token}"}
    assert status(good) == 200
    # Without keys this machine is single-user: that alone is not enough here.
    assert status({}) == 403
    assert status({"Authorization": "Bearer wrong"}) == 403
    assert status({**good, "Origin": "https://evil.example"}) == 403
    assert status({**good, "X-Forwarded-For": "10.0.0.1"}) in (401, 403)
    assert known.token not in (beside.folder / "serve.log").read_text()


async def test_mcp_over_standard_input_goes_through_the_server(beside: Beside) -> None:
    async with over_stdio(beside.folder, beside.home, role="viewer") as client:
        tools = {one.name for one in (await client.list_tools()).tools}
        found = await client.call_tool("nps_stats", {})
        refused = await client.call_tool("approve", {"approve": ["x"]})
    assert "nps_stats" in tools and "create_retention_task" not in tools
    assert found.structured_content["n"] == 4
    assert refused.is_error and "not permitted" in said(refused)


async def test_mcp_by_itself_holds_the_folder_and_lets_commands_beside_it(
    tmp_path: Path,
) -> None:
    line = Beside(tmp_path)
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    told: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with over_stdio(tmp_path, line.home) as client:
        assert client.instructions is not None and "voice-of-customer" in client.instructions
        assert len((await client.list_prompts()).prompts) == 3
        status, _, errors = line("ingest", "feed.csv", "--no-index", "--json")
        assert status == 0, errors
        asked = await client.call_tool("ask", {"question": "What is NPS?"}, progress_callback=hear)
    assert asked.structured_content["figures"] and told[0] == "calling nps_stats"
    until = time.monotonic() + 30
    while (line.home / "server.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert read_server_file(line.home) is None


def test_a_server_file_that_was_left_behind_is_removed_and_a_foreign_one_left_alone(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = RunningServer(
        pid=gone.pid, url="http://127.0.0.1:9", token="t", instance="i", host=socket.gethostname()
    )
    write_server_file(tmp_path, left)
    assert running_server(tmp_path) is None
    assert not (tmp_path / "server.json").exists()
    # Another machine's or container's is not ours to judge.
    write_server_file(tmp_path, left.model_copy(update={"host": "elsewhere"}))
    assert running_server(tmp_path) is None
    assert (tmp_path / "server.json").exists()


def test_who_answers_at_the_address_but_is_another_server_gets_no_token(
    beside: Beside, tmp_path: Path
) -> None:
    known = read_server_file(beside.home)
    assert known is not None and running_server(beside.home) == known
    write_server_file(tmp_path, known.model_copy(update={"instance": "before"}))
    assert running_server(tmp_path) is None
