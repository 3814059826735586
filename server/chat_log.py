"""What happened in one turn of a chat, to be followed while it goes on and read again for a while after."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from server.chat_events import ChatEvent

# Of so many events the oldest are let go: the answer, which comes last, stands in place of the pieces.
_MOST: Final = 2_000
_LAST: Final = "end"


class Logged(NamedTuple):
    """An event with the id that a reader who has seen it goes on from."""

    id: str
    event: ChatEvent


class TurnLog:
    """The events of one turn in order. One writer, any number of readers, all on one event loop.

    An id is `<turn>.<number>`, that of the last event `<turn>.<number>.end`.
    """

    def __init__(self, turn: str) -> None:
        self.turn = turn
        self._kept: deque[Logged] = deque(maxlen=_MOST)
        self._written = 0
        self._changed = asyncio.Event()
        self.over = False

    def write(self, event: ChatEvent, *, last: bool = False) -> None:
        """Append an event; nothing can follow the last one."""
        if self.over:
            raise AssertionError("a turn that is over has no further events")
        self._written += 1
        name = f"{self.turn}.{self._written}"
        self._kept.append(Logged(f"{name}.{_LAST}" if last else name, event))
        self.over = last
        self._changed.set()
        self._changed = asyncio.Event()

    def after(self, last_id: str) -> int:
        """How many events a reader has seen by the id of the last; 0 where it is no id of this turn."""
        turn, _, rest = last_id.partition(".")
        number = rest.partition(".")[0]
        return int(number) if turn == self.turn and number.isascii() and number.isdigit() else 0

    def is_seen(self, seen: int) -> bool:
        """Whether who has seen so many events has seen all written so far."""
        return seen >= self._written

    async def follow(
        self, seen: int, *, pause_s: float, closing: asyncio.Event
    ) -> AsyncIterator[Logged | None]:
        """The events after so many as they come, to the last or until `closing`; None after each pause."""
        seen = min(seen, self._written)
        while True:
            changed = self._changed
            gone = self._written - len(self._kept)
            new = list(self._kept)[max(0, seen - gone) :]
            seen = self._written
            for logged in new:
                yield logged
            if seen < self._written:
                continue
            if self.over or closing.is_set():
                return
            if not await _either(changed, closing, pause_s):
                yield None


async def _either(one: asyncio.Event, other: asyncio.Event, within_s: float) -> bool:
    """Wait for one of two events; whether one came within that time."""
    waits = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        done, _ = await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()


def is_last(event_id: str) -> bool:
    """Whether who has seen the event of this id has seen all of its turn."""
    return event_id.endswith(f".{_LAST}")
