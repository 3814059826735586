"""A small data folder and one question to an endpoint, for tests of the agent at the wire."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.ask_events import Answer, Event
from agent.settings import Settings
from agent.wiring import App, open_app
from pipeline.account import IngestOptions
from store.clock import FixedClock
from tools.context import Asker

NOW: Final = datetime(2026, 11, 22, 4, tzinfo=UTC)
QUESTION: Final = "10月NPS是多少？"
ROWS: Final = "日期,评价,NPS,地区\n" + "".join(
    f"2026-10-{day:02d},物流太慢了第{day}单等了很久,{score},{region}\n"
    for day in range(1, 29)
    for score, region in ((3, "广东"), (9, "上海"))
)


def make_home(folder: Path) -> Path:
    """A data folder with 56 answers of October: 28 promoters, 28 detractors."""
    source = folder / "feedback.csv"
    source.write_text(ROWS, encoding="utf-8")
    home = folder / "home"
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW)) as app:
        report = app.ingestor.ingest([source], IngestOptions())
        assert report.stored == 56
    return home


def open_home(home: Path, **settings: Any) -> App:
    """The application over it; `settings` are those of the endpoint."""
    plain: dict[str, Any] = {"llm_model": "scripted", "llm_timeout_s": 20, "llm_context_tokens": 32_768}
    return open_app(Settings(home=home, _env_file=None, **{**plain, **settings}), FixedClock(NOW))


def ask_all(app: App, questions: list[str], *, thread: str) -> list[Answer]:
    """Ask in one thread, one after the other."""

    async def run() -> list[Answer]:
        async with app.assistant() as assistant:
            return [await assistant.ask(q, thread_id=thread, asker=Asker()) for q in questions]

    return asyncio.run(run())


def ask_each(app: App, questions: list[str], *, thread: str) -> list[Answer]:
    """Ask each in a thread of its own."""

    async def run() -> list[Answer]:
        async with app.assistant() as assistant:
            return [
                await assistant.ask(question, thread_id=f"{thread}-{number}", asker=Asker())
                for number, question in enumerate(questions)
            ]

    return asyncio.run(run())


def ask(app: App, question: str = QUESTION, *, thread: str) -> Answer:
    """Ask one question."""
    return ask_all(app, [question], thread=thread)[0]


def events_of(app: App, question: str = QUESTION, *, thread: str) -> list[Event]:
    """The events of one question."""

    async def run() -> list[Event]:
        async with app.assistant() as assistant:
            return [event async for event in assistant.stream(question, thread_id=thread, asker=Asker())]

    return asyncio.run(run())
