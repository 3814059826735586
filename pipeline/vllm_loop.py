"""One event loop in a thread of its own, so that plain calls can use asynchronous clients."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_END: Final = object()


class LoopThread:
    """Runs coroutines for callers in any thread but its own; connections live on between calls.

    The thread starts with the first call. Close it to stop it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run to the end and return the result; an interrupted caller cancels what it waited for."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncIterator[_T]) -> Iterator[_T]:
        """Draw from an asynchronous iterator; leaving early closes it."""
        drawing = asyncio.Lock()

        async def step() -> _T | object:
            async with drawing:
                return await anext(source, _END)

        async def finish() -> None:
            # A step that was cancelled clears up first.
            async with drawing:
                if isinstance(source, AsyncGenerator):
                    await source.aclose()

        try:
            while (item := self.run(step())) is not _END:
                yield item  # type: ignore[misc]
        finally:
            self.run(finish())

    def close(self) -> None:
        """Stop the loop and its thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop
