"""How the command line finds the server that runs over a data folder: `server.json` in it.

It holds the server's process, its address and a token that only its owner may read; it goes when the server
ends. After a kill it stays and names an address where nobody answers, so ask `/healthz` before relying on it.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

_NAME: Final = "server.json"


class RunningServer(BaseModel):
    """One running server. `token` as bearer makes a request the settings' local asker.

    `instance` is what `/healthz` answers with: whoever listens there now may be another. `host` is the
    machine or container whose process it is.
    """

    pid: int
    url: str
    token: str
    instance: str = ""
    host: str = ""


def write_server_file(home: Path, running: RunningServer) -> None:
    """Write it whole and readable by its owner alone, or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    part = home / f"{_NAME}.{running.pid}"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(running.model_dump(), file)
    part.replace(home / _NAME)


def read_server_file(home: Path) -> RunningServer | None:
    """The server over this data folder; None where there is no such file or it cannot be read."""
    try:
        return RunningServer.model_validate_json((home / _NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def remove_server_file(home: Path, pid: int) -> None:
    """Remove it where it is still that process's."""
    running = read_server_file(home)
    if running is not None and running.pid == pid:
        with suppress(OSError):
            (home / _NAME).unlink()
