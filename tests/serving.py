"""The server in a test: over ASGI with its lifespan run, or on a loopback port."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI

from agent.wiring import App
from server.api import create_api
from server.api_state import ServerState
from store.keys import Role

ADDRESS = "http://127.0.0.1:8765"


@dataclass(frozen=True)
class Api:
    """A running application and a client of it. Without a key it is single-user: the client is `local`."""

    api: FastAPI
    client: httpx.AsyncClient

    @property
    def state(self) -> ServerState:
        """What the handlers work with."""
        state: ServerState = self.api.state.voiceloop
        return state

    def key(self, role: Role = "admin", scope: Sequence[str] = (), name: str = "") -> dict[str, str]:
        """The headers of a new key; from then on every request needs one."""
        named = name or f"{role}-{len(self.state.keys.all())}"
        made = self.state.keys.create(name=named, role=role, scope=tuple(scope), created_by="test")
        return {"Authorization": f"Bearer {made.token}"}


@asynccontextmanager
async def running(api: FastAPI) -> AsyncIterator[None]:
    """Run the lifespan in one task of its own, as a server does: what it holds may not change tasks."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with api.router.lifespan_context(api):
            started.set()
            await ended.wait()

    task, ready = asyncio.create_task(live()), asyncio.create_task(started.wait())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        if not task.done():
            yield
    finally:
        ended.set()
        await task


@asynccontextmanager
async def api_over(app: App) -> AsyncIterator[Api]:
    """The server over an application, reached without a socket."""
    api = create_api(app)
    async with running(api), _client(api) as client:
        yield Api(api, client)


def _client(api: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=60)


@contextmanager
def serve_api(app: App) -> Iterator[str]:
    """The server on a free loopback port in a thread of its own; its address. Ends gracefully."""
    config = uvicorn.Config(create_api(app), host="127.0.0.1", port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not end"
