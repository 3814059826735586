"""The turns that go on: bounded in number, one at a time in a thread, to their end whoever listens."""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import structlog

from agent.approvals import Decision
from agent.ask import Assistant, Turn
from agent.ask_events import Answer, Event, closing_events
from agent.thread_keys import thread_key
from server.api_logs import causes, places
from server.api_problems import Busy, Conflict
from server.chat_events import failed
from server.chat_log import TurnLog
from store.errors import VoiceLoopError
from tools.context import Asker

_LOG = structlog.get_logger()
# More at once only take turns at the same cores, and each holds its results in memory.
AT_ONCE: Final = 4
WAITING: Final = 100
# Turns that are over, to be read again by who lost the connection. After that the thread itself tells.
_KEPT: Final = 64
_KEPT_S: Final = 300.0
# What one turn is taken to last before any has been timed, and how much the newest counts.
_FIRST_GUESS_S: Final = 1.0
_NEWEST: Final = 0.2


def new_thread_id() -> str:
    """A name for a conversation that was given none."""
    return secrets.token_hex(6)


class ChatTurn:
    """One turn. `log` tells how it goes; `answer` waits for its end."""

    def __init__(self, key: str, thread_id: str) -> None:
        self.key = key
        self.thread_id = thread_id
        self.log = TurnLog(secrets.token_hex(4))
        self.ended_at = 0.0
        self.task: asyncio.Task[None] | None = None
        self.is_stopped = False
        self._ended = asyncio.Event()
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    @property
    def is_over(self) -> bool:
        """Whether its last event is written."""
        return self.log.over

    async def answer(self) -> Answer:
        """The answer once it is there; raises what the turn failed with."""
        await self._ended.wait()
        if self._answer is None:
            raise self._error or AssertionError("a turn ends with an answer or an error")
        return self._answer

    def take(self, event: Event) -> None:
        """Log one event of the assistant."""
        if event.type == "answer":
            self._answer = event.answer
        self.log.write(event, last=event.type == "done")
        if event.type == "done":
            self._end()

    def fail(self, error: BaseException, told: VoiceLoopError) -> None:
        """End it by an error; `told` is what readers learn of it."""
        if not self.is_over:
            self._answer, self._error = None, error
            self.log.write(failed(told), last=True)
            self._end()

    def _end(self) -> None:
        self.ended_at = time.monotonic()
        self._ended.set()


class ChatTurns:
    """Starts turns and finds them again by their thread. All of it belongs to one event loop."""

    def __init__(self, assistant: Assistant, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        """`at_once` turns run, `waiting` more wait for their go; any beyond that is sent away."""
        self._assistant = assistant
        self._most = at_once + waiting
        self._at_once = at_once
        self._go = asyncio.Semaphore(at_once)
        self._turns: OrderedDict[str, ChatTurn] = OrderedDict()
        self._held: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lasts_s = _FIRST_GUESS_S
        self._closing = False

    @property
    def under_way(self) -> int:
        """How many turns run or wait."""
        return len(self._tasks)

    def ask(
        self,
        question: str,
        *,
        thread_id: str,
        asker: Asker,
        streamed: bool,
        earlier: Sequence[Turn] = (),
    ) -> ChatTurn:
        """Start a turn; `streamed` where somebody wants its steps and not only how it ends.

        Raises Conflict where a turn of the thread is under way, Busy where too many are, ToolInputError for
        the name of a thread that cannot be one.
        """
        about = {"thread_id": thread_id, "asker": asker, "earlier": earlier}
        events = self._assistant.stream(question, **about) if streamed else self._whole(question, **about)  # type: ignore[arg-type]
        return self._start(thread_id, asker, events)

    def decide(self, decision: Decision, *, thread_id: str, asker: Asker) -> ChatTurn:
        """Start carrying out what was decided in a thread; raises as `ask`."""
        return self._start(thread_id, asker, self._decided(decision, thread_id, asker))

    def of(self, thread_id: str, asker: Asker) -> ChatTurn | None:
        """The last turn of a thread of this asker, where it goes on or was over a short while ago."""
        return self._turns.get(thread_key(asker, thread_id))

    def stop(self, thread_id: str, asker: Asker) -> bool:
        """End the turn of a thread that is under way, without its answer; whether there was one."""
        turn = self.of(thread_id, asker)
        if turn is None or turn.is_over or turn.task is None:
            return False
        turn.is_stopped = True
        return turn.task.cancel()

    @contextmanager
    def held(self, thread_id: str, asker: Asker) -> Iterator[None]:
        """Keep turns out of a thread while its name changes, and forget its last one then.

        Raises Conflict where a turn of the thread is under way.
        """
        key = thread_key(asker, thread_id)
        self._require_idle(key, thread_id)
        self._held.add(key)
        try:
            yield
            self._turns.pop(key, None)
        finally:
            self._held.discard(key)

    def _require_idle(self, key: str, thread_id: str) -> None:
        turn = self._turns.get(key)
        if key in self._held or (turn is not None and not turn.is_over):
            raise Conflict(
                f"thread {thread_id!r} is answering another question",
                hint=f"wait for its end: GET /v1/chat/{thread_id}/events",
            )

    async def close(self, patience_s: float = 30.0) -> None:
        """Let what is under way end within that time; what does not is told so, and can be asked again."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, thread_id: str, asker: Asker, events: AsyncIterator[Event]) -> ChatTurn:
        key = thread_key(asker, thread_id)
        self._require_idle(key, thread_id)
        if self._closing or len(self._tasks) >= self._most:
            wait_s = self._lasts_s * len(self._tasks) / self._at_once
            raise Busy("too many questions are being answered", retry_after_s=wait_s, hint="ask again then")
        self._forget()
        turn = ChatTurn(key, thread_id)
        self._turns[key] = turn
        self._turns.move_to_end(key)
        task = asyncio.create_task(self._run(turn, events))
        turn.task = task
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, turn=turn))
        return turn

    async def _run(self, turn: ChatTurn, events: AsyncIterator[Event]) -> None:
        async with self._go:
            started = time.monotonic()
            async for event in events:
                turn.take(event)
            self._lasts_s += _NEWEST * (time.monotonic() - started - self._lasts_s)

    def _ended(self, task: asyncio.Task[None], turn: ChatTurn) -> None:
        """What became of a turn's task; one that wrote its last event needs no more."""
        self._tasks.discard(task)
        if task.cancelled() and turn.is_stopped:
            told = Conflict("the turn was stopped before its answer was there", hint="ask again")
            turn.fail(told, told)
            return
        if task.cancelled():
            stopped = Busy("the server was stopped before the answer was there", hint="ask the same again")
            turn.fail(stopped, stopped)
            return
        error = task.exception()
        if isinstance(error, VoiceLoopError):
            turn.fail(error, error)
        elif error is not None:
            _LOG.error("turn_failed", causes=causes(error), places=places(error.__traceback__))
            turn.fail(error, VoiceLoopError("the turn failed"))

    async def _whole(
        self, question: str, *, thread_id: str, asker: Asker, earlier: Sequence[Turn]
    ) -> AsyncIterator[Event]:
        answer = await self._assistant.ask(question, thread_id=thread_id, asker=asker, earlier=earlier)
        for event in closing_events(answer):
            yield event

    async def _decided(self, decision: Decision, thread_id: str, asker: Asker) -> AsyncIterator[Event]:
        for event in closing_events(await self._assistant.decide(decision, thread_id=thread_id, asker=asker)):
            yield event

    def _forget(self) -> None:
        """Let go of turns that were over long ago, or that are too many."""
        now = time.monotonic()
        over = [key for key, turn in self._turns.items() if turn.is_over]
        for at, key in enumerate(over):
            if len(over) - at > _KEPT or now - self._turns[key].ended_at > _KEPT_S:
                del self._turns[key]
