"""The server as a process: where it may listen, how it is found and how it ends."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final, NamedTuple

import uvicorn
from fastapi import FastAPI

from agent.wiring import App
from server.api import create_api, open_stores
from server.api_access import is_loopback, single_user
from server.api_logs import configure_server_logs
from server.api_state import ServerState
from server.server_file import RunningServer, remove_server_file, write_server_file
from store.errors import ConfigError

# Requests in flight get so long to end, once the server is asked to.
_GRACE_S: Final = 20
# Longer than clients and proxies keep a connection that idles: one that is closed just as it is used again
# looks like a server that failed.
_KEEP_ALIVE_S: Final = 75
_BACKLOG: Final = 2_048


class Started(NamedTuple):
    """A server that takes requests now."""

    url: str
    pid: int
    single_user: bool


def run_server(app: App, host: str, port: int, started: Callable[[Started], None]) -> None:
    """Serve until interrupted. Raises ConfigError where it may not, or cannot, listen there."""
    made, now = app.keys.all(), app.clock.now()
    if not is_loopback(host) and not any(key.usable(now) for key in made):
        raise ConfigError(
            f"without an API key nobody but this machine may be served, and {host} is open to others",
            hint="make one first, `voiceloop keys create --role admin --name NAME`, or serve on 127.0.0.1",
        )
    configure_server_logs()
    # Opened before anything listens: whatever is wrong with them is said in a sentence, not in a log.
    open_stores(app)
    listening = _listen(host, port)
    url = _url(listening)
    api = create_api(app)
    config = uvicorn.Config(
        api,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        # Who is behind a proxy is told by that proxy on this machine alone.
        forwarded_allow_ips="127.0.0.1",
    )
    server = _Server(config, api, lambda state: started(_announce(app, state, url)))
    # The server ends gracefully and then raises the signal again: by itself that would skip what follows.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            server.run([listening])
    finally:
        signal.signal(signal.SIGTERM, before)
        remove_server_file(app.home, os.getpid())
        listening.close()
    if not server.started:
        hint = "the log above says why; `voiceloop doctor` looks for what is wrong"
        raise getattr(api.state, "failure", None) or ConfigError("the server did not start", hint=hint)


class _Server(uvicorn.Server):
    """Tells when it has started, and those who stream that it is about to end."""

    def __init__(self, config: uvicorn.Config, api: FastAPI, started: Callable[[ServerState], None]) -> None:
        super().__init__(config)
        self._api = api
        self._told = started
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self.started:
            self._told(self._api.state.voiceloop)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Asked to end: streams end by themselves, requests in flight are waited for."""
        if self._loop is not None and self.started:
            self._loop.call_soon_threadsafe(self._api.state.voiceloop.closing.set)
        super().handle_exit(sig, frame)


def _announce(app: App, state: ServerState, url: str) -> Started:
    pid = os.getpid()
    running = RunningServer(
        pid=pid, url=url, token=state.local_token, instance=state.instance, host=socket.gethostname()
    )
    write_server_file(app.home, running)
    return Started(url, pid, single_user(state))


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            hint="another server may run there: choose another --port, or 0 for any",
        ) from error


def _url(listening: socket.socket) -> str:
    """Where a client on this machine reaches it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
