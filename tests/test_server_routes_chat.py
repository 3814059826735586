"""Chat over HTTP: answers, events, conversations and approvals; nobody sees another's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wiring import App
from tests.agent_home import QUESTION, make_home, open_home
from tests.chat_events import events_in
from tests.serving import Api

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("chat"))


@pytest.fixture
def api_app(home: Path) -> Iterator[App]:
    (home / "threads.sqlite").unlink(missing_ok=True)
    with open_home(home) as app:
        yield app


async def test_a_question_is_answered_as_on_the_command_line(api: Api) -> None:
    got = await api.client.post("/v1/chat", json={"message": QUESTION})
    assert got.status_code == 200, got.text
    answer = got.json()
    assert "0.0" in answer["answer"]
    assert [call["name"] for call in answer["tool_calls"]] == ["nps_stats"]
    assert {figure["text"] for figure in answer["figures"]} >= {"56", "28"}
    again = await api.client.post("/v1/chat", json={"message": "上海呢？", "thread_id": answer["thread_id"]})
    assert again.json()["thread_id"] == answer["thread_id"]
    assert "上海" in again.json()["answer"]


async def test_the_same_turn_comes_as_events_with_ids(api: Api) -> None:
    got = await api.client.post("/v1/chat", json={"message": QUESTION, "thread_id": "s1"}, headers=STREAM)
    assert got.headers["content-type"].startswith("text/event-stream")
    assert got.headers["x-thread-id"] == "s1"
    events = events_in(got.text)
    types = [event.type for event in events]
    assert types[:2] == ["step_started", "step_finished"]
    assert types[-4:] == ["figures", "citations", "answer", "done"]
    pieces = "".join(event.data["text"] for event in events if event.type == "token")
    assert pieces.strip() == events[-2].data["answer"]["answer"].strip()
    assert len({event.id for event in events}) == len(events)
    assert events[-1].id.endswith(".end")
