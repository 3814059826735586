"""Takes events from outside once each, deals with them in the background, and goes on after a restart.

An event is kept before it is acknowledged, so that none is lost once the sender believes it arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from server.api_logs import causes, places
from server.api_problems import Busy
from store.clock import Clock
from store.errors import StoreError
from store.inbox import Inbox, Incoming, Source

_LOG = structlog.get_logger()
# Seconds before each further attempt; after the last one the event is given up.
_PAUSES: Final = (2, 10, 60, 300)
_MOST: Final = len(_PAUSES) + 1


class Later(Exception):
    """What an event needs cannot be had now: it is tried again."""


Handler = Callable[[Incoming], Awaitable[None]]
GiveUp = Callable[[Incoming], Awaitable[None]]


class Desk:
    """Deals with the events of one source, by a handler a kind. All of it belongs to one event loop."""

    def __init__(
        self, source: Source, inbox: Inbox, clock: Clock, handlers: Mapping[str, Handler], give_up: GiveUp
    ) -> None:
        """`give_up` is told of an event that could not be dealt with after several attempts."""
        self._source: Source = source
        self._inbox = inbox
        self._clock = clock
        self._handlers = handlers
        self._give_up = give_up
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def take(self, event_id: str, kind: str, payload: Mapping[str, str]) -> bool:
        """Keep an event and begin to deal with it; False where it was taken before."""
        incoming = Incoming(
            source=self._source,
            event_id=event_id,
            kind=kind,
            payload=payload,
            received_at=self._clock.now(),
            attempts=1,
        )
        if not await run_in_threadpool(self._inbox.take, incoming):
            return False
        # What comes once the server ends is dealt with after its next start.
        if not self._closing:
            self._follow(asyncio.create_task(self._deal(incoming, 1)))
        return True

    async def resume(self) -> int:
        """Go on with what an earlier process has not finished; how many events that are."""
        waiting = await run_in_threadpool(self._inbox.waiting, self._source)
        for incoming in waiting:
            self._follow(asyncio.create_task(self._again(incoming)))
        return len(waiting)

    def aside(self, work: Awaitable[None]) -> None:
        """Do something that needs no keeping, without letting anybody wait for it."""
        self._follow(asyncio.create_task(self._tried(work)))

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, patience_s: float = 30.0) -> None:
        """Let what is under way end within that time; the rest is handed to the next start."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _follow(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tried(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and it is logged
            _LOG.warning(f"{self._source}_aside_failed", error=causes(error), at=places(error.__traceback__))

    async def _again(self, incoming: Incoming) -> None:
        """Deal with it once more. Counted before: an event that ends the process each time ends as well."""
        attempt = await run_in_threadpool(self._inbox.begin, self._source, incoming.event_id)
        await self._deal(await self._as_kept(incoming), attempt)

    async def _deal(self, incoming: Incoming, attempt: int) -> None:
        while True:
            if attempt <= _MOST and await self._handled(incoming, attempt):
                return
            if attempt >= _MOST:
                await self._given_up(incoming)
                return
            await asyncio.sleep(_PAUSES[attempt - 1])
            attempt = await run_in_threadpool(self._inbox.begin, self._source, incoming.event_id)
            incoming = await self._as_kept(incoming)

    async def _handled(self, incoming: Incoming, attempt: int) -> bool:
        """Whether there is no more to do about it now."""
        try:
            await self._handlers[incoming.kind](incoming)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and tried again
            if self._closing and isinstance(error, Later | Busy | StoreError):
                return True
            _LOG.warning(
                f"{self._source}_attempt_failed",
                kind=incoming.kind,
                attempt=attempt,
                error=causes(error),
                at=places(error.__traceback__),
            )
            return False
        await run_in_threadpool(self._inbox.settle, self._source, incoming.event_id, "done")
        return True

    async def _given_up(self, incoming: Incoming) -> None:
        _LOG.error(f"{self._source}_given_up", kind=incoming.kind)
        await self._tried(self._give_up(incoming))
        await run_in_threadpool(self._inbox.settle, self._source, incoming.event_id, "failed")

    async def _as_kept(self, incoming: Incoming) -> Incoming:
        """The event with how far it has come, as the store knows it."""
        waiting = await run_in_threadpool(self._inbox.waiting, self._source)
        return next((one for one in waiting if one.event_id == incoming.event_id), incoming)
