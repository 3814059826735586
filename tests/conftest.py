"""What several test files share."""

from pathlib import Path

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def voiceloop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line over an empty data folder, away from any `.env` file."""
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path)
