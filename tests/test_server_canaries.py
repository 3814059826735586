"""1,000 invented pieces of personal data through the whole program: none may be seen again."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.masking_canaries import Planted, commands, leaks, plant
from tests.command_line import CommandLine
from tests.openai_server import Reply, serve

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module")
def planted(folder: Path) -> Planted:
    planted = plant(folder / "files", 1_000)
    assert len(set(planted.canaries)) >= 1_000
    return planted


@pytest.fixture(scope="module")
def outputs(folder: Path, planted: Planted) -> Iterator[list[bytes]]:
    """What every command left on standard output and standard error, with all logs on."""
    voiceloop = CommandLine(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        left = []
        for command in commands(planted):
            ran = voiceloop(*command)
            assert ran.status == 0, (command[:2], ran.errors)
            left.append((ran.output + ran.errors).replace(command[1], "").encode())
        yield left


def test_the_canaries_are_in_the_files(planted: Planted) -> None:
    whole = "".join(path.read_text("utf-8") for path, _ in planted.files if path.suffix != ".xlsx")
    whole += planted.files[0][0].name
    assert sum(value in whole or json.dumps(value)[1:-1] in whole for value in planted.canaries) > 700


def test_none_is_left_in_stores_rejects_outputs_and_logs(
    folder: Path, planted: Planted, outputs: list[bytes]
) -> None:
    assert any((folder / "home").rglob("*.duckdb")) and any((folder / "home" / "chroma").rglob("*"))
    assert any((folder / "home" / "rejects").iterdir())
    found = leaks(planted, folder / "home", outputs)
    assert not found, found[:20]


def test_none_reaches_an_endpoint(
    folder: Path, planted: Planted, outputs: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[tuple[str, dict[str, Any] | str]] = [
        ("search_feedback", {"query": "电话 地址", "limit": 50}),
        ("low_score_drilldown", {}),
        ("list_themes", {}),
    ]
    with (
        serve(Reply(tool_calls=calls), Reply("客户反映的问题见证据。")) as served,
        caplog.at_level(logging.DEBUG),
    ):
        ran = CommandLine(folder)(
            "ask", "客户在抱怨什么？", "--json", llm_base_url=served.base_url, llm_model="scripted"
        )
    assert ran.status == 0, ran.errors
    bodies = json.dumps(served.requests, ensure_ascii=False)
    assert len(served.requests) >= 2 and "search_feedback" in bodies
    left = [bodies.encode(), ran.output.encode(), ran.errors.encode(), caplog.text.encode()]
    found = leaks(planted, folder / "home", left)
    assert not found, found[:20]
