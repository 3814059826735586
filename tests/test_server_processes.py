"""The command line in processes of its own: a full disk, a folder that may not be written, two at a time."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import FEED, CommandLine

ROOT = Path(__file__).parents[1]
ROWS = 3_000
LARGE = "评价,NPS,日期,备注\n" + "".join(
    f"第{n}次购买，物流太慢了，等了{n % 50}天,{n % 11},2026-{n % 9 + 1:02d}-{n % 28 + 1:02d},{n * 7919}\n"
    for n in range(ROWS)
)
# Root's right to pass over permissions is given up, as no service should have it.
UNPRIVILEGED = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "server.cli", *sys.argv[1:]])
"""
SMALL_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from server.cli import main
main()
"""


def start(line: CommandLine, *args: str | int | Path, code: str = "") -> "subprocess.Popen[str]":
    """Start `voiceloop` (or `code` that ends in it) in a process of its own."""
    how = ["-c", textwrap.dedent(code)] if code else ["-m", "server.cli"]
    return subprocess.Popen(
        [sys.executable, *how, *map(str, args)],
        cwd=line.folder,
        env={**os.environ, "VOICELOOP_HOME": str(line.home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def end(process: "subprocess.Popen[str]") -> tuple[int, Any]:
    """Exit status and the one document."""
    output, errors = process.communicate()
    assert "Traceback" not in errors, errors
    return process.returncode, json.loads(output)


@pytest.fixture
def filled(voiceloop: CommandLine) -> CommandLine:
    """The command line over a data folder that holds four items."""
    ran = voiceloop.ingest(voiceloop.write("before.csv"))
    assert ran.status == 0, ran.output
    return voiceloop


def test_a_locked_data_folder_names_its_owner_and_loses_nothing(filled: CommandLine) -> None:
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(filled.home / "facts.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    more = filled.write("more.csv", FEED.replace("10-0", "11-0"))
    for command in (
        ("ingest", str(more), "--no-index", "--json"),
        ("tool", "nps_stats"),
        ("ask", "NPS是多少？", "--json"),
        ("themes", "--json"),
    ):
        ran = filled(*command)
        assert ran.status == 1, ran.output
        assert ran.document["kind"] == "StoreLocked"
        assert f"process {holder.pid}" in ran.document["error"]
        assert f"stop process {holder.pid}" in ran.document["hint"]
    assert filled("tasks", "list", "--json").document == {"tasks": []}
    holder.communicate("\n")
    assert filled.ingest(more).document["stored"] == 4
    assert filled.stored() == 8


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file size limits as on Linux")
@pytest.mark.parametrize("room", [8_000, 600_000])
def test_a_full_disk_keeps_what_was_stored_and_the_next_run_completes(filled: CommandLine, room: int) -> None:
    path = filled.write("large.csv", LARGE)
    before = {p.name: p.stat().st_size for p in filled.home.iterdir() if p.is_file()}
    status, told = end(start(filled, room, "ingest", path, "--no-index", "--json", code=SMALL_FILES))
    assert (status, told["kind"]) == (1, "StoreFull"), (told, before)
    assert "run" in told["hint"] and "again" in told["hint"]
    held = filled.stored()
    assert 4 <= held < 4 + ROWS
    done = filled.ingest(path)
    assert (done.status, done.document["duplicates"]) == (0, held - 4)
    assert filled.stored() == 4 + ROWS
    assert filled("audit", "verify", "--json").status == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file size limits as on Linux")
def test_a_full_disk_under_the_vectors_is_said_to_be_one(tmp_path: Path) -> None:
    code = """
    import resource, sys
    import numpy as np
    from pathlib import Path
    from store.errors import StoreFull
    from vectorstore.chroma_index import ChromaIndex
    index = ChromaIndex(Path(sys.argv[1]), "test", 64)
    vectors = np.random.default_rng(0).random((200, 64), np.float32)
    add = lambda start: index.add([f"k{n}" for n in range(start, start + 200)], vectors)
    add(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    try:
        for start in range(200, 20_000, 200):
            add(start)
    except StoreFull as full:
        print("reindex" in full.hint)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    index.reset()
    add(0)
    print(index.count())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "chroma")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["True", "200"], done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="capabilities as on Linux")
def test_a_data_folder_that_may_not_be_written(filled: CommandLine) -> None:
    kept = [filled.home, *filled.home.rglob("*")]
    for path in kept:
        path.chmod(0o500 if path.is_dir() else 0o400)
    more = filled.write("more.csv", FEED.replace("10-0", "11-0"))
    try:
        runs = [
            end(start(filled, *command, code=UNPRIVILEGED))
            for command in (("ingest", more, "--no-index", "--json"), ("tasks", "list", "--json"))
        ]
    finally:
        for path in kept:
            path.chmod(0o700 if path.is_dir() else 0o600)
    for status, told in runs:
        assert status == 1
        assert told["kind"] == "StoreError"
        assert str(filled.home) in told["error"]
        assert "VOICELOOP_HOME" in told["hint"]
    assert filled.stored() == 4


def test_a_data_folder_that_cannot_be_made(voiceloop: CommandLine) -> None:
    path = voiceloop.write("file")
    ran = voiceloop("ingest", voiceloop.write("a.csv"), "--json", home=str(path / "home"))
    assert (ran.status, ran.document["kind"]) == (1, "StoreError")
    assert "VOICELOOP_HOME" in ran.document["hint"]
    ran = voiceloop("tool", "nps_stats", home=str(path))
    assert (ran.status, ran.document["kind"]) == (1, "StoreError")
    assert path.read_text("utf-8") == FEED


def test_two_processes_ingest_the_same_file_and_nothing_is_doubled(voiceloop: CommandLine) -> None:
    path = voiceloop.write("large.csv", LARGE)
    command = ("ingest", path, "--no-index", "--json")
    ends = [end(process) for process in [start(voiceloop, *command), start(voiceloop, *command)]]
    stored = [told["stored"] for status, told in ends if status == 0]
    refused = [told["kind"] for status, told in ends if status == 1]
    assert len(stored) + len(refused) == 2
    assert sum(stored) == ROWS
    assert set(refused) <= {"StoreLocked"}
    assert voiceloop.ingest(path).document["duplicates"] == ROWS
    assert voiceloop.stored() == ROWS


def test_two_processes_decide_on_one_task_and_one_decision_stands(filled: CommandLine) -> None:
    args = '{"customer_ids": ["c1", "c3"], "tier": "orange", "reason": "看了竞品报价"}'
    assert filled("tool", "create_retention_task", "--args", args).status == 0
    same, rival = (task["task_id"] for task in filled("tasks", "list", "--json").document["tasks"])
    entries = filled("audit", "verify", "--json").document["entries"]

    def decide(task: str, *statuses: str) -> list[tuple[int, Any]]:
        running = [start(filled, "tasks", "update", task, "--status", s, "--json") for s in statuses]
        return [end(process) for process in running]

    # Approving looks whether the customer has left, so one process may find the facts held by the other.
    ends = decide(same, "open", "open")
    assert {told["status"] for status, told in ends if status == 0} == {"open"}
    assert {told["kind"] for status, told in ends if status} <= {"StoreLocked"}
    ends = decide(rival, "open", "rejected")
    assert sorted(status for status, _ in ends) in ([0, 1], [0, 2])
    assert {told["kind"] for status, told in ends if status} <= {"StoreLocked", "ToolInputError"}
    winner = next(told["status"] for status, told in ends if status == 0)
    assert filled("tasks", "show", rival, "--json").document["status"] == winner
    assert filled("audit", "verify", "--json").document["entries"] == entries + 2
