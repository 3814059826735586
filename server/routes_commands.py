"""Commands that the command line of this machine sends, for this process holds the data folder."""

import asyncio
import base64
import contextvars
import io
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from server.api_access import check_local, from_command_line
from server.api_logs import causes, places
from server.api_problems import Busy, Conflict
from server.api_state import ServerState, StateNow
from server.remote_protocol import PATH, Frame, SentAsker, SentCommand
from server.terminal import Terminal, at_terminal
from store.errors import NotPermitted

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.wiring import App

_LOG = structlog.get_logger()
router = APIRouter()
_AT_ONCE: Final = 8
# Pieces of output that wait for a slow reader; then the command waits too.
_WAITING: Final = 256


@router.post(PATH, include_in_schema=False)
async def run_command(sent: SentCommand, request: Request, state: StateNow) -> StreamingResponse:
    """Run one command and stream its output. For the bearer of the local token alone, from this machine."""
    if not from_command_line(request, state):
        raise NotPermitted("not permitted: commands are taken from the command line of this machine alone")
    check_local(request)
    _require_same(sent)
    if state.commands >= _AT_ONCE:
        raise Busy("too many commands run already", hint="wait for one of them to end")
    return StreamingResponse(_output(sent, state), media_type="application/x-ndjson")


def _require_same(sent: SentCommand) -> None:
    if sent.version != version("voiceloop"):
        raise Conflict(
            f"the server is VoiceLoop {version('voiceloop')} and this command line {sent.version}",
            hint="end the server and start it again",
        )


async def _output(sent: SentCommand, state: ServerState) -> AsyncIterator[bytes]:
    loop, frames = asyncio.get_running_loop(), asyncio.Queue[Frame](_WAITING)
    gone = threading.Event()

    def put(frame: Frame) -> None:
        """From the command's thread."""
        try:
            if not gone.is_set():
                asyncio.run_coroutine_threadsafe(frames.put(frame), loop).result()
        except (CancelledError, RuntimeError):
            gone.set()  # the server ends
        if gone.is_set() and frame.stream != "exit":
            raise KeyboardInterrupt

    terminal = Terminal(
        stdin=_Text(io.BytesIO(base64.b64decode(sent.stdin))),
        stdout=_Text(io.BufferedWriter(_Pipe("out", put))),
        stderr=_Text(io.BufferedWriter(_Pipe("err", put))),
        out_look=sent.out,
        err_look=sent.err,
        folder=Path(sent.folder),
        app=cast("App", _Lent(state.app, sent.asker)),
    )
    run = partial(contextvars.copy_context().run, _run, sent.args, terminal, put)
    thread = threading.Thread(target=run, name="command", daemon=True)
    state.commands += 1
    thread.start()
    try:
        while True:
            frame = await frames.get()
            yield frame.model_dump_json(exclude_defaults=True).encode() + b"\n"
            if frame.stream == "exit":
                return
    finally:
        state.commands -= 1
        gone.set()
        while not frames.empty():
            frames.get_nowait()


def _run(args: list[str], terminal: Terminal, put: Callable[[Frame], None]) -> None:
    """Run the command to its end, whatever that is."""
    from server.cli import app

    status: object = 0
    try:
        with at_terminal(terminal):
            try:
                status = app(args, standalone_mode=False)
            except Exception as error:  # noqa: BLE001 - the edge of a thread: told here, or nowhere
                _LOG.error("command_failed", error=causes(error), at=places(error.__traceback__))
                terminal.stderr.write("✗ the server failed to run this command: its log says why\n")
                status = 1
            terminal.stdout.flush()
            terminal.stderr.flush()
    except KeyboardInterrupt:
        status = 130  # whoever sent it has gone
    put(Frame(stream="exit", status=status if isinstance(status, int) else 0))


class _Lent:
    """The server's application with the asker of whoever sent the command. It stays the server's to close."""

    def __init__(self, app: "App", asker: SentAsker) -> None:
        self._app = app
        self.settings: Settings = app.settings.model_copy(update=asker.model_dump())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


class _Pipe(io.RawIOBase):
    """A binary stream whose bytes become frames."""

    def __init__(self, stream: Literal["out", "err"], put: Callable[[Frame], None]) -> None:
        self._stream = stream
        self._put = put

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Send one piece."""
        piece = bytes(data)
        self._put(Frame.of(self._stream, piece))
        return len(piece)


class _Text(io.TextIOWrapper):
    """Text over such a stream; never a terminal by itself: its look says whether one is at the other end."""

    def __init__(self, binary: Any) -> None:
        super().__init__(binary, encoding="utf-8", errors="replace")
