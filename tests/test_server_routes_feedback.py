"""Feedback over HTTP: each item with its outcome, nothing lost or doubled, and what a scope lets see."""

import asyncio
import threading
from typing import Any

import pytest

from pipeline.rows import Draft
from server.api_problems import Busy, TooMany
from server.ingest_queue import IngestQueue
from store.facts import Selection
from tests.serving import Api

URL = "/v1/feedback"


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"feedback_id": f"a-{number}", "text": f"物流太慢，第{number}次了", "nps": 3, **more}


async def post(api: Api, items: list[Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    response = await api.client.post(URL, json={"items": items}, headers=headers or {})
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_every_item_has_its_outcome_and_wrong_ones_fail_alone(api: Api) -> None:
    told = await post(
        api,
        [
            item(1),
            item(1),
            {"text": ""},
            {"text": "好", "nps": 11},
            {"text": "好", "x": 1},
            {"nps": 9},
            {"text": 5},
        ],
    )
    assert [one["status"] for one in told["items"]] == [
        *("stored", "duplicate", "rejected", "rejected", "rejected", "stored", "rejected")
    ]
    assert (told["read"], told["stored"], told["duplicates"], told["rejected"]) == (7, 2, 1, 4)
    assert "neither a text nor a score" in told["items"][2]["reason"] and "nps" in told["items"][3]["reason"]


async def test_the_same_request_again_stores_nothing_and_with_a_key_answers_the_same(api: Api) -> None:
    items = [
        {"text": "没有编号", "customer_id": "c1", "occurred_at": "2026-11-01T09:00:00"},
        {"nps": 8},
        {"nps": 8},
    ]
    key = {"Idempotency-Key": "k1"}
    first = await post(api, items, key)
    assert (first["stored"], first["duplicates"]) == (3, 0)
    assert await post(api, items, key) == first
    assert (await post(api, items))["duplicates"] == 3
    other = await api.client.post(URL, json={"items": [item(9)]}, headers=key)
    assert other.status_code == 409


async def test_what_is_stored_is_masked_labelled_and_found_again(api: Api) -> None:
    await post(
        api, [item(1, text="电话13812345678，物流太慢，要求退款", region="广东"), item(2, text="很好用")]
    )
    shown = (await api.client.get(f"{URL}/a-1")).json()
    assert "13812345678" not in str(shown) and shown["labels"]["sentiment"] == "negative"
    page = (await api.client.get(URL, params={"filter": "region=广东"})).json()
    assert [one["feedback"]["feedback_id"] for one in page["items"]] == ["a-1"] and page["total"] == 1
    assert (await api.client.get(f"{URL}/none")).status_code == 404
    assert len((await api.client.get(URL, params={"q": "很好用"})).json()["items"]) == 1


async def test_pages_follow_each_other(api: Api) -> None:
    await post(api, [item(number) for number in range(5)])
    seen, cursor = [], None
    while True:
        page = (
            await api.client.get(URL, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [one["feedback"]["feedback_id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(seen) == [f"a-{number}" for number in range(5)]


async def test_a_conversation_comes_with_its_turns(api: Api) -> None:
    turns = [("customer", "等了三天还没到"), ("agent", "抱歉，我来查"), ("customer", "尽快吧")]
    await post(
        api,
        [
            item(n, text=text, speaker=who, conversation_id="k", turn=n, occurred_at=f"2026-11-01T09:0{n}:00")
            for n, (who, text) in enumerate(turns)
        ],
    )
    shown = (await api.client.get(f"{URL}/a-0")).json()
    assert [one["feedback"]["text"] for one in shown["conversation"]] == [text for _, text in turns]


async def test_a_label_is_put_right_by_who_may(api: Api) -> None:
    analyst, viewer = api.key("analyst"), api.key("viewer")
    await post(api, [item(1)], analyst)
    wanted = {"field": "sentiment", "value": "positive"}
    assert (await api.client.patch(f"{URL}/a-1/labels", json=wanted, headers=viewer)).status_code == 403
    done = (await api.client.patch(f"{URL}/a-1/labels", json=wanted, headers=analyst)).json()
    assert (done["after"], done["items"]) == ("positive", 1)
    assert (await api.client.get(f"{URL}/a-1", headers=viewer)).json()["labels"]["sentiment"] == "positive"
    wrong = await api.client.patch(
        f"{URL}/a-1/labels", json={"field": "sentiment", "value": "x"}, headers=analyst
    )
    assert wrong.status_code == 400


async def test_a_scope_lets_neither_in_nor_out_what_is_not_its_own(api: Api) -> None:
    everything, east = api.key("service"), api.key("analyst", ["hq/east"])
    await post(api, [item(1, org_unit="hq/east/shanghai"), item(2, org_unit="hq/west")], everything)
    own = await post(api, [item(3, org_unit="hq/east"), item(4, org_unit="hq/west"), item(5)], east)
    assert [one["status"] for one in own["items"]] == ["stored", "rejected", "rejected"]
    page = (await api.client.get(URL, headers=east)).json()
    assert {one["feedback"]["feedback_id"] for one in page["items"]} == {"a-1", "a-3"} and page["total"] == 2
    for name in ("a-2", "nobody"):
        refused = await api.client.get(f"{URL}/{name}", headers=east)
        assert refused.status_code == 403 and "not permitted" in refused.json()["detail"]
    body = {"field": "sentiment", "value": "positive"}
    assert (await api.client.patch(f"{URL}/a-2/labels", json=body, headers=east)).status_code == 403


async def test_many_requests_at_once_are_each_answered_for_their_own(api: Api) -> None:
    told = await asyncio.gather(*(post(api, [item(n), item(n + 1)]) for n in range(30)))
    assert sum(one["stored"] for one in told) == 31
    assert sum(one["duplicates"] for one in told) == 29
    assert api.state.app.facts.count(Selection()) == 31


async def test_a_full_queue_pushes_back_and_loses_nothing(api: Api) -> None:
    app, hold = api.state.app, threading.Event()

    class Slow:
        """Holds the writer up: what waits behind it fills the queue."""

        def __call__(self) -> None:
            hold.wait(20)

    queue = IngestQueue(app, Slow(), room=10)
    first = queue.put([_draft(0)])
    assert first.result(20) == ("stored",)
    with pytest.raises(TooMany) as refused:
        # The writer takes what is there; more than the room can only wait behind something.
        for number in range(1, 10_000):
            queue.put([_draft(number), _draft(-number)])
    assert refused.value.retry_after_s >= 1
    hold.set()
    queue.close()
    assert queue.waiting == 0
    with pytest.raises(Busy):
        queue.put([_draft(1)])


def _draft(number: int) -> Draft:
    return Draft(0, {"source": "test", "channel": "other", "feedback_id": f"q-{number}"}, f"第{number}条")
