"""What several test files share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from tests.command_line import CommandLine

if TYPE_CHECKING:
    from tests.serving import Api


@pytest.fixture
def voiceloop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line over an empty data folder, away from any `.env` file."""
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path)


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    """What `api` serves: an empty data folder. A test file with data of its own overrides this fixture."""
    with open_app(Settings(home=tmp_path / "home", _env_file=None)) as app:
        yield app


@pytest.fixture
async def api(api_app: App) -> AsyncIterator["Api"]:
    """The server over `api_app`: `.client` reaches it, `.key(role, scope)` gives the headers of a new key."""
    from tests.serving import api_over

    async with api_over(api_app) as served:
        yield served
