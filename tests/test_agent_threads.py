"""Long threads: one checkpoint is kept, old results go, what is leaned on stays."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from agent.ask_events import Answer
from agent.thread_room import TURNS_WITH_RESULTS
from agent.wiring import App
from tests.agent_home import make_home, open_home
from tools.context import Asker

TURNS = TURNS_WITH_RESULTS + 6


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("threads"))


def ask(app: App, *questions: str, thread: str) -> list[Answer]:
    async def run() -> list[Answer]:
        async with app.assistant() as assistant:
            return [await assistant.ask(one, thread_id=thread, asker=Asker()) for one in questions]

    return asyncio.run(run())


def sizes(home: Path) -> tuple[int, int]:
    """Checkpoints, and the bytes of the newest."""
    with sqlite3.connect(home / "threads.sqlite") as file:
        row = file.execute("SELECT count(*), max(length(checkpoint)) FROM checkpoints").fetchone()
    return int(row[0]), int(row[1])


def test_a_long_thread_keeps_one_checkpoint_and_does_not_grow_by_its_results(home: Path) -> None:
    with open_home(home) as app:
        ask(app, *["10月上海的NPS是多少？"] * (TURNS_WITH_RESULTS + 1), thread="long")
        kept, full = sizes(home)
        ask(app, *["10月上海的NPS是多少？"] * 6, thread="long")
    assert kept == 1
    count, later = sizes(home)
    # Six more turns add their questions and answers; each result is several thousand bytes.
    assert (count, later < full * 1.2) == (1, True)


def test_every_question_and_answer_of_a_long_thread_is_shown(home: Path) -> None:
    with open_home(home) as app:
        ask(app, *["10月NPS是多少？"] * TURNS, thread="shown")

        async def turns() -> list[str]:
            async with app.assistant() as assistant:
                return [turn.answer for turn in await assistant.turns("shown", Asker())]

        answers = asyncio.run(turns())
    assert len(answers) == TURNS
    assert all(answers)


def test_a_question_leans_on_one_far_above_it(home: Path) -> None:
    follow_ups = [question for _ in range(TURNS // 2) for question in ("那满意度呢？", "那NPS呢？")]
    with open_home(home) as app:
        *_, last = ask(app, "10月上海的NPS是多少？", *follow_ups, thread="leaning")
    assert last.tool_calls[0].name == "nps_stats"
    assert last.tool_calls[0].args["filters"] == {"region": "上海"}
