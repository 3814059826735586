"""The examples of docs/api.md, run as they stand and in their order against a real server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from agent.wiring import App
from tests.agent_home import make_home, open_home
from tests.serving import serve_api

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PAGE: Final = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8")
EXAMPLES: Final = re.findall(r"^```(sh|python) run\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with open_home(make_home(tmp_path_factory.mktemp("docs"))) as app:
        yield app


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
def test_every_example_works(app: App, tmp_path: Path) -> None:
    assert len(EXAMPLES) >= 10
    with serve_api(app) as address:
        token = app.keys.create(name="docs", role="manager", scope=(), created_by="test").token
        known = {"VOICELOOP_URL": address, "VOICELOOP_KEY": token, "NO_PROXY": "127.0.0.1"}
        folder = Path(sys.executable).parent
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        for language, example in EXAMPLES:
            command = ["bash", "-euo", "pipefail", "-c"] if language == "sh" else [sys.executable, "-c"]
            done = subprocess.run(
                [*command, example],
                env={**known, "PATH": path, "PYTHONIOENCODING": "utf-8"},
                cwd=tmp_path,
                capture_output=True,
                timeout=60,
                check=False,
            )
            told = done.stderr.decode(errors="replace")
            assert done.returncode == 0, f"{example}\n{told}\n{done.stdout.decode(errors='replace')[:500]}"
            assert done.stdout.strip()


def test_every_command_that_sends_something_is_run() -> None:
    """An example without the mark would not be tried."""
    unmarked = re.findall(r"^```(?:sh|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert not [one for one in unmarked if "curl" in one or "openai" in one]
