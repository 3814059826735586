"""A client that works through threads with approvals and may be killed at any statement of the stores.

Run in a process of its own by evals/kill_resume.py. It keeps nothing between processes: what is left to do it
reads from the threads themselves, as a person would who opens the conversation again.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy import Engine, event

from agent.approvals import Decision
from agent.ask import Assistant
from agent.settings import Settings
from agent.wiring import App
from store.clock import FixedClock
from tools.context import Asker

NOW: Final = datetime(2026, 11, 22, 4, tzinfo=UTC)
MANAGER: Final = Asker("wang", "manager")


@dataclass(frozen=True)
class Errand:
    """One thread's work: the questions in order; what they draft is approved at once."""

    thread: str
    questions: tuple[str, ...]


def errand(number: int) -> Errand:
    """Questions, a task for a customer of its own, and a plan for a region of its own."""
    return Errand(
        f"线程 {number}/甲",
        (
            "10月NPS是多少？",
            "那11月呢？",
            f"给客户C{1000 + number}创建挽留任务",
            f"城市{number}的差评率太高了，制定一个行动计划",
        ),
    )


def work(home: Path, first: int, last: int, kill_at: int | None, told: Connection) -> None:
    """Do the errands from `first` to before `last`; end by SIGKILL at the `kill_at`-th statement of the last.

    Statements are those of conversations and operations, commits included. `told` is sent at the end how many
    the last errand took.
    """
    counter = Statements()

    async def run() -> None:
        with WatchedApp(Settings(home=home, _env_file=None), counter) as app:
            async with app.assistant() as assistant:
                for number in range(first, last):
                    counter.start(kill_at if number == last - 1 else None)
                    await do(assistant, app, errand(number))

    asyncio.run(run())
    told.send(counter.seen)


async def do(assistant: Assistant, app: App, one: Errand) -> None:
    """Bring one errand to its end from wherever it stands."""
    done = {turn.question for turn in await _turns(assistant, app, one.thread) if turn.answer}
    for question in one.questions:
        if question not in done:
            await assistant.ask(question, thread_id=one.thread, asker=MANAGER)
        entry = next(e for e in app.threads.entries(MANAGER) if e.name == one.thread)
        if entry.drafts:
            await assistant.decide(Decision(approve="all"), thread_id=one.thread, asker=MANAGER)


async def _turns(assistant: Assistant, app: App, thread: str) -> list[Any]:
    if all(entry.name != thread for entry in app.threads.entries(MANAGER)):
        return []
    return list(await assistant.turns(thread, MANAGER))


class Statements:
    """Counts the statements that the stores are sent; ends this process by SIGKILL at a given one."""

    def __init__(self) -> None:
        self.seen = 0
        self._kill_at: int | None = None

    def start(self, kill_at: int | None) -> None:
        """Count from here."""
        self.seen, self._kill_at = 0, kill_at

    def count(self, _statement: str) -> None:
        """Called by SQLite before each statement, BEGIN and COMMIT among them."""
        self.seen += 1
        if self.seen == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedApp(App):
    """The application with every statement of conversations and operations counted."""

    def __init__(self, settings: Settings, statements: Statements) -> None:
        super().__init__(settings, FixedClock(NOW))
        self._statements = statements
        event.listen(Engine, "connect", lambda file, _record: file.set_trace_callback(statements.count))

    @asynccontextmanager
    async def checkpointer(self) -> AsyncIterator[AsyncSqliteSaver]:
        """Counts what the graph writes."""
        async with super().checkpointer() as checkpointer:
            await checkpointer.conn.set_trace_callback(self._statements.count)
            yield checkpointer
