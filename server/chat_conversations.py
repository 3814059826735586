"""Conversations of clients that send the whole of it each time: which thread each of them is.

A thread is named by the questions asked in it, so that a conversation finds its own again, after a restart
too. Where two go on differently from the same questions, the first takes the thread along, and the other
begins a new one with what it says was told.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from starlette.concurrency import run_in_threadpool

from agent.ask import Turn
from agent.thread_store import NoThread, ThreadStore
from server.api_problems import Conflict
from server.chat_turns import ChatTurn, ChatTurns, new_thread_id
from tools.context import Asker

_MARK: Final = "completions-"
# Of a conversation whose thread is not found, so many turns are taken as told.
_TOLD: Final = 20


@dataclass(frozen=True)
class Conversation:
    """What was said before, oldest first, and the question now."""

    earlier: tuple[Turn, ...]
    question: str

    @property
    def name(self) -> str:
        """The thread it is once its question is answered."""
        return _named([*self._asked, self.question])

    @property
    def name_before(self) -> str | None:
        """The thread that it goes on from; None at its beginning."""
        return _named(self._asked) if self.earlier else None

    @property
    def _asked(self) -> list[str]:
        return [turn.question for turn in self.earlier]


class Conversations:
    """Finds, begins and renames the threads of conversations."""

    def __init__(self, turns: ChatTurns, threads: ThreadStore) -> None:
        self._turns = turns
        self._threads = threads

    async def ask(self, said: Conversation, asker: Asker, *, streamed: bool) -> ChatTurn:
        """Start the turn of its question; raises as ChatTurns.ask."""
        thread_id = await self._thread(said, asker)
        told = said.earlier[-_TOLD:]
        return self._turns.ask(
            said.question, thread_id=thread_id, asker=asker, streamed=streamed, earlier=told
        )

    async def _thread(self, said: Conversation, asker: Asker) -> str:
        """The thread to ask in, under the name that it will be found by the next time."""
        name = said.name
        try:
            with self._turns.held(name, asker):
                # Another conversation of these very questions ended here: it may go on as a new one.
                await self._attempt(self._threads.delete, name, asker)
                if said.name_before is not None:
                    with self._turns.held(said.name_before, asker):
                        await self._attempt(self._threads.rename, said.name_before, name, asker)
        except Conflict:
            # The same is being asked at this moment: neither is to wait for the other.
            return f"{name}-{new_thread_id()}"
        return name

    async def _attempt(self, change: Callable[..., None], *args: object) -> None:
        with suppress(NoThread):
            await run_in_threadpool(change, *args)


def _named(questions: Sequence[str]) -> str:
    said = "\x1f".join(question.strip() for question in questions)
    return _MARK + sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]
