"""How much and how long one request may take: its body, the wait for it, and the time to the answer."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.settings import Settings
from server.api_problems import Busy, TooLarge, response_of

_LOG = structlog.get_logger()
_MB: Final = 1_000_000
# Routes that take files.
_UPLOADS: Final = ("/v1/feedback/files",)
# A body that stops coming for so long is not waited for.
_SILENCE_S: Final = 30.0


class Limits:
    """Middleware. A body too large is 413, one that stops coming 408; no answer in time is 503.

    What was asked goes on after a 503 where it runs in a thread, for a thread cannot be ended: an action is
    done once all the same, by its idempotency key. An answer that has begun, such as a stream, has no limit.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._body = int(settings.body_mb * _MB)
        self._upload = int(settings.upload_mb * _MB)
        self._timeout_s = settings.request_timeout_s
        self._given_up: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._upload if scope["path"] in _UPLOADS else self._body
        request_id = str(scope.get("state", {}).get("request_id", ""))
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > most:
            large = TooLarge(_too_large(most), hint="send it in parts")
            await response_of(large, request_id)(scope, receive, send)
            return
        begun, given_up = asyncio.Event(), False

        async def answer(message: Message) -> None:
            begun.set()
            if not given_up:
                await send(message)

        async def serve() -> None:
            await self._app(scope, _bounded(receive, most), answer)

        work = asyncio.create_task(serve())
        waiting = asyncio.create_task(begun.wait())
        try:
            await asyncio.wait({work, waiting}, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if begun.is_set() or work.done():
                await work
                return
            given_up = True
            self._give_up(work)
        except asyncio.CancelledError:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            raise
        finally:
            waiting.cancel()
        late = Busy(f"there was no answer within {self._timeout_s:g} seconds", hint="ask for less at once")
        await response_of(late, request_id)(scope, receive, send)

    def _give_up(self, work: asyncio.Task[None]) -> None:
        self._given_up.add(work)
        work.add_done_callback(self._ended)
        work.cancel()

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._given_up.discard(work)
        if not work.cancelled() and work.exception() is not None:
            _LOG.warning("given_up_request_failed", error=type(work.exception()).__name__)


def _bounded(receive: Receive, most: int) -> Receive:
    """The same body, refused once it is larger or stops coming."""
    taken, whole = 0, False

    async def bounded() -> Message:
        nonlocal taken, whole
        if whole:
            # Only a disconnection comes now, and that whenever it likes.
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), _SILENCE_S)
        except TimeoutError:
            raise HTTPException(408, f"the body stopped coming for {_SILENCE_S:g} seconds") from None
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > most:
            raise HTTPException(413, _too_large(most))
        return message

    return bounded


def _too_large(most: int) -> str:
    return f"the request is larger than {most / _MB:g} MB"
