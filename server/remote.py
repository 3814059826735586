"""The command line beside a running server: finds it and sends it the command instead of opening stores."""

import base64
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from server.server_file import RunningServer, read_server_file, remove_server_file
from server.terminal import console_of, look_of, terminal
from store.errors import StoreError, StoreLocked, VoiceLoopError

if TYPE_CHECKING:
    from agent.settings import Settings
    from server.remote_protocol import SentCommand

# How long a server that lives may take to say so.
_PATIENCE_S: Final = 5.0


def running_server(home: Path) -> RunningServer | None:
    """The live server over a data folder; None where there is none. What a killed one left is removed."""
    known = read_server_file(home)
    if known is None:
        return None
    if known.host != socket.gethostname():
        # Of another machine or container, whose processes cannot be seen from here.
        return None
    if not _lives(known.pid):
        remove_server_file(home, known.pid)
        return None
    return known if _is(known) else None


def send_command(server: RunningServer, settings: "Settings", *, reads: bool) -> int:
    """Have the server run the command that was typed here, and write its output here; the exit status.

    `reads`: the command reads standard input, of which at most 1 MB is sent along.
    """
    import httpx

    from server.remote_protocol import PATH

    request = _request(settings, reads=reads)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    timeout = httpx.Timeout(_PATIENCE_S, read=None)
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False) as client,
            client.stream(
                "POST", server.url + PATH, content=request.model_dump_json(), headers=headers
            ) as response,
        ):
            if response.status_code != 200:
                raise _refused(response.read(), server)
            return _shown(response.iter_lines(), server)
    except httpx.HTTPError as error:
        raise _broken_off(server) from error


def beside_server(server: RunningServer) -> StoreLocked:
    """What a command says that cannot run while a server does."""
    return StoreLocked(
        f"a server runs over this data folder: {held_by(server)}",
        hint="end the server, run this command, and start the server again",
    )


def held_by(server: RunningServer) -> str:
    """Which server that is, in words."""
    return f"{server.url} (process {server.pid})"


def holder(home: Path, error: StoreLocked) -> StoreLocked:
    """The same error, told with the server that holds the folder and could not be asked."""
    known = read_server_file(home)
    if known is None:
        return error
    where = "" if known.host == socket.gethostname() else f" on {known.host}"
    hint = f"the server {held_by(known)}{where} holds it and cannot be reached from here: end it, or wait"
    return StoreLocked(error.message, hint=hint)


def _request(settings: "Settings", *, reads: bool) -> "SentCommand":
    from importlib.metadata import version

    from server.remote_protocol import SentCommand, asker_sent

    here = terminal()
    return SentCommand(
        version=version("voiceloop"),
        args=sys.argv[1:],
        folder=str(Path.cwd()),
        stdin=_standard_input() if reads else "",
        out=look_of(console_of(here.stdout, None, wide=True)),
        err=look_of(console_of(here.stderr, None, wide=False)),
        asker=asker_sent(settings),
    )


def _standard_input() -> str:
    from server.remote_protocol import STDIN_BYTES

    data = terminal().stdin.buffer.read(STDIN_BYTES)
    return base64.b64encode(data).decode()


def _shown(lines: Iterable[str], server: RunningServer) -> int:
    from server.remote_protocol import Frame

    streams: dict[str, TextIO] = {"out": sys.stdout, "err": sys.stderr}
    for line in lines:
        frame = Frame.model_validate_json(line)
        if frame.stream == "exit":
            return frame.status
        stream = streams[frame.stream]
        stream.flush()
        stream.buffer.write(frame.bytes)
        stream.buffer.flush()
    raise _broken_off(server)


def _refused(body: bytes, server: RunningServer) -> VoiceLoopError:
    import orjson

    try:
        problem = orjson.loads(body)
        return StoreError(str(problem["detail"]), hint=str(problem.get("hint", "")))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return StoreError(f"the server {held_by(server)} did not take the command")


def _broken_off(server: RunningServer) -> StoreError:
    return StoreError(
        f"the server {held_by(server)} ended before the command was done", hint="run the command again"
    )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is(known: RunningServer) -> bool:
    """Whether who answers at that address is that server."""
    import httpx

    try:
        with httpx.Client(timeout=_PATIENCE_S, trust_env=False) as client:
            answer = client.get(f"{known.url}/healthz").json()
        return bool(answer.get("instance") == known.instance)
    except (httpx.HTTPError, ValueError, AttributeError):
        return False
