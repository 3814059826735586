"""The writer of items: promised outcomes, accounts of batches, an item that breaks it, a killed server."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from pipeline.indexing import index_pending
from pipeline.rows import Draft
from server.ingest_promises import Promise, Promises
from server.ingest_queue import IngestQueue
from store.clock import SystemClock
from store.errors import VoiceLoopError
from store.facts import Selection
from store.records import Batch
from tests.serving import Api, api_over

ROOT = Path(__file__).parents[1]
URL = "/v1/feedback"
REQUESTS, EACH = 20, 30


def nothing() -> None:
    """Embeds nothing."""


def draft(name: str, **more: Any) -> Draft:
    return Draft(0, {"source": "test", "channel": "other", "feedback_id": name, **more}, f"第{name}条，很慢")


def items(request: int) -> list[dict[str, Any]]:
    """Each request shares half of its items with the next one."""
    first = request * EACH // 2
    return [{"feedback_id": f"k-{n}", "text": f"物流太慢，第{n}单"} for n in range(first, first + EACH)]


async def test_one_key_sent_twice_at_once_stores_once_and_answers_both_alike(api: Api) -> None:
    body = {"items": items(0)}
    told = await asyncio.gather(*(api.client.post(URL, json=body, headers=key(0)) for _ in range(6)))
    assert {answer.status_code for answer in told} == {200}
    assert all(answer.json() == told[0].json() for answer in told)
    assert told[0].json()["stored"] == EACH == api.state.app.facts.count(Selection())


async def test_what_was_promised_before_a_kill_is_stored_and_answered_so(api: Api) -> None:
    asked = [{"feedback_id": "p-1", "text": "好"}, {"feedback_id": "p-2", "text": "不好"}, {"text": ""}]
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    # As a process leaves it that is killed between the promise and the commit of the facts.
    owner = f"feedback:{api.state.app.settings.user}"
    Promises(api.state.app.replies, SystemClock()).keep(
        {Promise(owner, "killed", digest): ("stored", "stored", "rejected")}
    )
    again = {"Idempotency-Key": "killed"}
    told = (await api.client.post(URL, json={"items": asked}, headers=again)).json()
    assert [one["status"] for one in told["items"]] == ["stored", "stored", "rejected"]
    assert api.state.app.facts.count(Selection()) == 2
    assert (await api.client.post(URL, json={"items": asked}, headers=again)).json() == told
    other = await api.client.post(URL, json={"items": asked[:1]}, headers=again)
    assert other.status_code == 409 and other.headers["content-type"] == "application/problem+json"


def test_a_request_that_cannot_be_stored_fails_alone(api_app: App) -> None:
    queue = IngestQueue(api_app, nothing)
    answers = [
        queue.put([draft("good-1")]),
        # No feedback has such a score: nothing that reads requests lets it through.
        queue.put([draft("bad", nps=99)]),
        queue.put([draft("good-2"), "why it is rejected"]),
    ]
    assert answers[0].result(20) == ("stored",)
    assert answers[2].result(20) == ("stored", "rejected")
    with pytest.raises(VoiceLoopError, match="could not be stored"):
        answers[1].result(20)
    queue.close()
    assert api_app.facts.existing_ids(["good-1", "bad", "good-2"]) == {"good-1", "good-2"}


def test_a_batch_is_indexed_once_its_last_item_is_in(api_app: App) -> None:
    operations = api_app.operations
    queue = IngestQueue(api_app, nothing, quiet_s=3_600)
    assert queue.put([draft("a")]).result(20) == ("stored",)
    parts = (api_app.facts, operations, api_app.index, api_app.embedder)
    # Somebody embeds while more may come: the batch stays open.
    assert index_pending(*parts).texts == 1
    assert {one.stage for one in operations.batches()} == {"received"}
    assert queue.put([draft("a"), draft("b")]).result(20) == ("duplicate", "stored")
    queue.close()
    batches = operations.batches()
    assert {one.stage for one in batches} == {"stored"}
    assert [sum(getattr(one, name) for one in batches) for name in ("read", "stored", "duplicates")] == [
        3,
        2,
        1,
    ]
    assert index_pending(*parts).texts == 1
    assert operations.batches(unfinished=True) == []


def test_a_batch_that_a_killed_server_left_open_is_taken_up(api_app: App) -> None:
    operations, now = api_app.operations, SystemClock().now()
    left = Batch(batch_id="api-20260101T0000-abc", source="api", path="", stage="received", started_at=now)
    file = left.model_copy(update={"batch_id": "a-file"})
    operations.save_batch(left)
    operations.save_batch(file)
    asked = threading.Event()
    queue = IngestQueue(api_app, asked.set)
    assert asked.wait(20)
    queue.close()
    assert {one.batch_id: one.stage for one in operations.batches()} == {
        left.batch_id: "stored",
        file.batch_id: "received",
    }


def key(request: int) -> dict[str, str]:
    return {"Idempotency-Key": f"request-{request}"}


@contextmanager
def serving(home: Path) -> "Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]":
    """`voiceloop serve` as a process of its own, and a client of it."""
    command = [sys.executable, "-m", "server.cli", "serve", "--port", "0", "--json"]
    environment = {**os.environ, "VOICELOOP_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (
        (home.parent / "server.log").open("ab") as log,
        subprocess.Popen(
            command, cwd=home.parent, env=environment, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        try:
            assert process.stdout is not None
            url = orjson.loads(process.stdout.readline())["url"]
            with httpx.Client(base_url=url, timeout=60) as client:
                yield client, process
        finally:
            process.kill()
            process.wait()


def send(client: httpx.Client, request: int) -> dict[str, Any] | None:
    """The answer to one request; None where the server was gone."""
    try:
        got = client.post(URL, json={"items": items(request)}, headers=key(request))
    except httpx.TransportError:
        return None
    assert got.status_code == 200, got.text
    return dict(got.json())


@pytest.mark.enable_socket
async def test_a_killed_server_has_lost_nothing_it_answered_and_doubles_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as (client, process), ThreadPoolExecutor(6) as senders:
        waiting = {request: senders.submit(send, client, request) for request in range(REQUESTS)}
        waiting[REQUESTS // 3].result(60)
        process.kill()
        first = {request: answer.result(60) for request, answer in waiting.items()}
    answered = {request for request, answer in first.items() if answer is not None}
    assert answered and len(answered) < REQUESTS
    with open_app(Settings(home=home, _env_file=None)) as app:
        async with api_over(app) as api:
            again = {}
            for request in range(REQUESTS):
                told = await api.client.post(URL, json={"items": items(request)}, headers=key(request))
                again[request] = told.json()
        for request in answered:
            assert again[request] == first[request]
        distinct = {one["feedback_id"] for request in range(REQUESTS) for one in items(request)}
        assert sum(told["stored"] for told in again.values()) == len(distinct)
        assert app.facts.count(Selection()) == len(distinct)
        assert app.facts.existing_ids(sorted(distinct)) == distinct
