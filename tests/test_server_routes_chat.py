"""Chat over HTTP: answers, events, conversations and approvals; nobody sees another's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agent.wiring import App
from server.chat_turns import ChatTurns
from tests.agent_home import QUESTION, make_home, open_home
from tests.chat_events import events_in
from tests.openai_server import Reply, serve
from tests.serving import Api, api_over, serve_api

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("chat"))


@pytest.fixture
def fresh(home: Path) -> Path:
    """The data folder without conversations and without keys: single-user."""
    for path in (*home.glob("threads.sqlite*"), *home.glob("operations.sqlite*")):
        path.unlink()
    return home


@pytest.fixture
def api_app(fresh: Path) -> Iterator[App]:
    with open_home(fresh) as app:
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


async def test_events_are_taken_up_after_the_last_one_seen(api: Api) -> None:
    sent = await api.client.post("/v1/chat", json={"message": QUESTION, "thread_id": "r"}, headers=STREAM)
    events = events_in(sent.text)
    seen = {"Last-Event-ID": events[2].id}
    rest = await api.client.get("/v1/chat/r/events", headers=seen)
    assert events_in(rest.text) == events[3:]
    whole = await api.client.get("/v1/chat/r/events", headers={"Last-Event-ID": "of-another-turn.9"})
    assert events_in(whole.text) == events
    over = await api.client.get("/v1/chat/r/events", headers={"Last-Event-ID": events[-1].id})
    assert over.status_code == 204


async def test_a_turn_of_another_process_is_told_from_its_thread(fresh: Path) -> None:
    with open_home(fresh) as app:
        async with api_over(app) as api:
            first = await api.client.post("/v1/chat", json={"message": QUESTION, "thread_id": "kept"})
        async with api_over(app) as api:
            got = await api.client.get("/v1/chat/kept/events")
            shown = (await api.client.get("/v1/chat/kept")).json()
            none = await api.client.get("/v1/chat/never/events")
    events = events_in(got.text)
    assert [event.type for event in events] == ["figures", "citations", "answer", "done"]
    assert events[2].data["answer"]["figures"] == first.json()["figures"]
    assert shown["turns"] == [{"question": QUESTION, "answer": first.json()["answer"]}]
    assert shown["last"]["tool_calls"] == first.json()["tool_calls"]
    assert none.status_code == 404


async def test_conversations_are_listed_renamed_and_deleted(api: Api) -> None:
    for name in ("one", "two", "three"):
        await api.client.post("/v1/chat", json={"message": QUESTION, "thread_id": name})
    page = (await api.client.get("/v1/chat/threads", params={"limit": 2})).json()
    cursor = page["next_cursor"]
    rest = (await api.client.get("/v1/chat/threads", params={"limit": 2, "cursor": cursor})).json()
    names = [one["thread_id"] for one in (*page["threads"], *rest["threads"])]
    assert (sorted(names), rest["next_cursor"]) == (["one", "three", "two"], None)
    renamed = await api.client.patch("/v1/chat/one", json={"title": "十月 NPS"})
    assert renamed.json() == {"thread_id": "十月 NPS"}
    assert (await api.client.get("/v1/chat/十月 NPS")).json()["turns"][0]["question"] == QUESTION
    assert (await api.client.get("/v1/chat/one")).status_code == 404
    assert (await api.client.delete("/v1/chat/two")).status_code == 204
    assert (await api.client.delete("/v1/chat/two")).status_code == 404


async def test_nobody_sees_the_conversations_of_another(api: Api) -> None:
    mine, other = api.key("analyst", name="li"), api.key("admin", name="wang")
    narrow = api.key("analyst", ("east",), name="zhao")
    await api.client.post("/v1/chat", json={"message": QUESTION, "thread_id": "mine"}, headers=mine)
    for stranger in (other, narrow):
        assert (await api.client.get("/v1/chat/threads", headers=stranger)).json()["threads"] == []
        for method, path, body in (
            ("GET", "/v1/chat/mine", None),
            ("GET", "/v1/chat/mine/events", None),
            ("PATCH", "/v1/chat/mine", {"title": "yours"}),
            ("DELETE", "/v1/chat/mine", None),
            ("POST", "/v1/chat/mine/approvals", {"approve": "all"}),
        ):
            got = await api.client.request(method, path, json=body, headers=stranger)
            assert got.status_code == 404, (method, path)
    asked = await api.client.post(
        "/v1/chat", json={"message": "上海呢？", "thread_id": "mine"}, headers=other
    )
    assert "56" not in asked.json()["answer"]
    assert len((await api.client.get("/v1/chat/mine", headers=mine)).json()["turns"]) == 1


async def test_a_draft_is_approved_by_who_may(api: Api) -> None:
    analyst, manager = api.key("analyst", name="a"), api.key("manager", name="m")
    ask = {"message": "针对10月广东的NPS制定行动计划", "thread_id": "plan"}
    for headers in (analyst, manager):
        got = (await api.client.post("/v1/chat", json=ask, headers=headers)).json()
        assert len(got["pending_approvals"]) == 1
        listed = (await api.client.get("/v1/chat/threads", headers=headers)).json()["threads"]
        assert listed[0]["awaiting"] == [got["pending_approvals"][0]["id"]]
    address, body = "/v1/chat/plan/approvals", {"approve": "all"}
    assert (await api.client.post(address, json=body, headers=analyst)).status_code == 403
    done = await api.client.post(address, json=body, headers=manager)
    assert (done.status_code, done.json()["pending_approvals"]) == (200, [])
    again = await api.client.post(address, json=body, headers=manager)
    assert again.status_code == 400


@pytest.mark.allow_hosts(["127.0.0.1"])
async def test_one_turn_at_a_time_and_no_more_than_can_be_served(fresh: Path) -> None:
    slow = Reply("10月的情况请看报告。", delay_s=0.6)
    with serve(slow) as model, open_home(fresh, llm_base_url=model.base_url) as app:
        async with api_over(app) as api:
            api.state.turns = ChatTurns(api.state.assistant, at_once=1, waiting=1)
            ask = []
            for name, before in (("a", 0), ("a", 1), ("b", 1), ("c", 2)):
                while api.state.turns.under_way < before:
                    await asyncio.sleep(0.01)
                asked = api.client.post("/v1/chat", json={"message": QUESTION, "thread_id": name})
                ask.append(asyncio.create_task(asked))
            got = [await one for one in ask]
            moved = await api.client.patch("/v1/chat/a", json={"title": "d"})
    by_status = sorted(one.status_code for one in got)
    assert by_status == [200, 200, 409, 503]
    refused = next(one for one in got if one.status_code == 503)
    assert int(refused.headers["retry-after"]) >= 1
    assert moved.status_code == 200


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_turn_goes_on_when_nobody_listens(fresh: Path) -> None:
    slow = Reply("10月的情况请看报告。", delay_s=0.5)
    with (
        serve(slow) as model,
        open_home(fresh, llm_base_url=model.base_url) as app,
        serve_api(app) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        body = {"message": QUESTION, "thread_id": "left"}
        with client.stream("POST", "/v1/chat", json=body, headers=STREAM) as left:
            assert left.status_code == 200
        shown = client.get("/v1/chat/left/events")
        turns = client.get("/v1/chat/left").json()["turns"]
    assert [event.type for event in events_in(shown.text)][-1] == "done"
    assert len(turns) == 1 and turns[0]["answer"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"message": ""}, 422),
        ({"message": "  "}, 422),
        ({"message": "x" * 8_001}, 422),
        ({"message": QUESTION, "thread_id": "a/b"}, 422),
        ({"message": QUESTION, "thread_id": "threads"}, 422),
        ({"message": QUESTION, "thread_id": "a\u0007b"}, 400),
        ({"message": QUESTION, "role": "admin"}, 422),
    ],
)
async def test_what_is_no_question_is_a_problem(api: Api, body: dict[str, str], status: int) -> None:
    for headers in ({}, STREAM):
        got = await api.client.post("/v1/chat", json=body, headers=headers)
        assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
