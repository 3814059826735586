"""The label server client against a local server: overload, faults, restarts, dead replicas, cancelling."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from pipeline.vllm_client import Answer, Endpoint, VllmClient, retry_after
from pipeline.vllm_limits import AdaptiveLimit, Limits
from pipeline.vllm_replicas import Replica, choose
from store.errors import ConfigError, NotLabelled
from tests.label_server import Reply, serve

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BODY = {"input": ["慢"], "truncate_prompt_tokens": 10}


@asynccontextmanager
async def client(*urls: str, **settings: Any) -> AsyncIterator[VllmClient]:
    made = VllmClient(Endpoint(urls, **{"timeout_s": 5.0, "patience_s": 5.0, **settings}))
    try:
        yield made
    finally:
        await made.close()


def unused_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def post_all(client: VllmClient, count: int) -> list[Answer]:
    answers: list[Answer] = []
    async for arrived in client.bounded(range(count), lambda _: client.post("/classify", BODY)):
        answers += arrived
    return answers


async def test_connections_are_reused_and_requests_stay_within_the_limit() -> None:
    limits = Limits(start=2, most=6)
    with serve(lambda number, body: Reply(body={}, delay_s=0.01)) as server:
        async with client(server.base_url, limits=limits) as one:
            assert len(await post_all(one, 60)) == 60
        assert len(server.requests) == 60
        assert len(server.connections) <= 6
        assert 2 <= server.most_in_flight <= 6


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    times: list[float] = []

    def busy_once(number: int, body: dict[str, Any]) -> Reply | None:
        times.append(time.monotonic())
        return Reply(429, {"error": "busy"}, (("Retry-After", "1"),)) if number == 1 else None

    with serve(busy_once) as server:
        async with client(server.base_url) as one:
            answer = await one.post("/classify", BODY)
    assert answer.requests == 2
    assert times[1] - times[0] >= 1.0


async def test_a_server_that_stays_busy_is_given_up_with_that_reason() -> None:
    with serve(lambda number, body: Reply(503, {})) as server:
        async with client(server.base_url, patience_s=0.6) as one:
            with pytest.raises(NotLabelled) as raised:
                await one.post("/classify", BODY)
    assert raised.value.reason == "overloaded"
    assert raised.value.requests == len(server.requests) > 1


async def test_overload_under_load_loses_and_doubles_nothing() -> None:
    def crowded(number: int, body: dict[str, Any]) -> Reply | None:
        with gate:
            held["now"] += 1
            full = held["now"] > 3
        try:
            return Reply(503, {}, (("Retry-After", "0.02"),)) if full else Reply(body={}, delay_s=0.0)
        finally:
            time.sleep(0.01)
            with gate:
                held["now"] -= 1

    gate, held = threading.Lock(), {"now": 0}
    with serve(crowded) as server:
        async with client(server.base_url, limits=Limits(start=16, most=32)) as one:
            answers = await post_all(one, 120)
    assert len(answers) == 120
    assert sum(answer.requests for answer in answers) == len(server.requests)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(500, {"error": "x"}), "server_error"),
        (Reply(body=b"<html>gateway</html>"), "server_error"),
        (Reply(body=[1]), "server_error"),
        (Reply(body={}, delay_s=0.4), "timeout"),
        (Reply(400, {"error": "too long"}), "refused"),
        (Reply(401, {"error": "key"}), "refused"),
        (Reply(404, {"error": "no such model"}), "refused"),
    ],
)
async def test_what_cannot_be_had_is_said_with_its_reason(reply: Reply, reason: str) -> None:
    with serve(lambda number, body: reply) as server:
        async with client(server.base_url, timeout_s=0.2) as one:
            with pytest.raises(NotLabelled) as raised:
                await one.post("/classify", BODY)
    assert raised.value.reason == reason
    assert len(server.requests) == (1 if reason == "refused" else 3)


@pytest.mark.parametrize(
    "fault", [Reply(500, {}), Reply(body={"data": "x" * 500}, cut=True), Reply(body={}, delay_s=0.6)]
)
async def test_one_fault_is_made_good(fault: Reply) -> None:
    with serve(lambda number, body: fault if number == 1 else None) as server:
        async with client(server.base_url, timeout_s=0.3) as one:
            answer = await one.post("/classify", BODY)
    assert answer.requests == 2


async def test_a_dead_replica_is_left_for_a_live_one() -> None:
    with serve() as server:
        async with client(unused_address(), server.base_url) as one:
            answers = await post_all(one, 40)
    assert len(answers) == len(server.requests) == 40


async def test_replicas_share_the_work() -> None:
    slow = Reply(body={}, delay_s=0.01)
    with serve(lambda n, b: slow) as first, serve(lambda n, b: slow) as second:
        async with client(first.base_url, second.base_url) as one:
            await post_all(one, 60)
    assert min(len(first.requests), len(second.requests)) >= 20


async def test_a_server_that_restarts_is_waited_for_and_nothing_is_lost() -> None:
    async with AsyncExitStack() as stack:
        with serve(lambda number, body: Reply(body={}, delay_s=0.02)) as server:
            port = int(server.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
            one = await stack.enter_async_context(client(server.base_url, patience_s=20.0))
            waiting = asyncio.create_task(post_all(one, 60))
            while len(server.requests) < 20:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.7)
        assert not waiting.done()
        with serve(port=port) as again:
            answers = await waiting
    assert len(answers) == 60
    assert 20 <= len(server.requests) < 60
    # Only what was under way when the server went is asked a second time.
    assert 60 <= len(server.requests) + len(again.requests) <= 60 + server.most_in_flight


async def test_a_server_that_is_away_is_given_up_for_all_at_once_and_tried_again_later() -> None:
    address = unused_address()
    async with client(address, patience_s=0.2) as one:
        with pytest.raises(NotLabelled) as raised:
            await one.post("/classify", BODY)
        assert raised.value.reason == "unreachable"
        results = await asyncio.gather(
            *(one.post("/classify", BODY) for _ in range(50)), return_exceptions=True
        )
        assert all(isinstance(result, NotLabelled) for result in results)
        with serve(port=int(address.rsplit(":", 1)[1])):
            for _ in range(100):
                try:
                    await one.post("/classify", BODY)
                except NotLabelled:
                    await asyncio.sleep(0.05)
                else:
                    break
            else:
                pytest.fail("the server came back and was not asked again")


async def test_a_cancelled_request_gives_its_place_back() -> None:
    with serve(lambda number, body: Reply(body={}, delay_s=0.3) if number <= 2 else None) as server:
        async with client(server.base_url, limits=Limits(start=2, most=2)) as one:
            held = [asyncio.create_task(one.post("/classify", BODY)) for _ in range(4)]
            await asyncio.sleep(0.1)
            for task in held:
                task.cancel()
            assert all(
                isinstance(r, asyncio.CancelledError)
                for r in await asyncio.gather(*held, return_exceptions=True)
            )
            assert len(await post_all(one, 5)) == 5


async def test_work_is_drawn_only_as_fast_as_results_are_taken() -> None:
    drawn = 0

    def work() -> Any:
        nonlocal drawn
        for item in range(1000):
            drawn += 1
            yield item

    with serve() as server:
        async with client(server.base_url, limits=Limits(start=2, most=4)) as one:
            results = one.bounded(work(), lambda _: one.post("/classify", BODY))
            await anext(results)
            await asyncio.sleep(0.2)
            assert drawn <= 8
            await results.aclose()  # type: ignore[attr-defined]
    assert len(server.requests) <= 8


async def test_the_key_is_sent() -> None:
    with serve() as server:
        async with client(server.base_url, api_key="s3cret") as one:
            await one.post("/classify", BODY)
    assert server.keys == ["Bearer s3cret"]


def test_the_limit_grows_by_doubling_then_by_one_and_is_cut_once_a_round() -> None:
    limit = AdaptiveLimit(Limits(start=4, most=100, latency_goal_s=10))
    for _ in range(4):
        limit.succeeded(sent_at=0, now=1, in_flight=limit.current)
    assert limit.current == 8
    for _ in range(3):
        limit.overloaded(sent_at=1, now=2)
    assert limit.current == 4
    for _ in range(5):
        limit.succeeded(sent_at=2, now=3, in_flight=limit.current)
    assert limit.current == 5
    for _ in range(50):
        limit.succeeded(sent_at=4, now=5, in_flight=1)
    assert limit.current == 5, "a limit that holds nothing back does not grow"
    for at in range(100):
        limit.overloaded(sent_at=10 + at, now=10 + at)
    assert limit.current == 1


def test_latency_over_the_goal_eases_the_limit() -> None:
    limit = AdaptiveLimit(Limits(start=40, most=100, latency_goal_s=2))
    limit.succeeded(sent_at=0, now=5, in_flight=40)
    assert limit.current == 32


def test_a_replica_that_failed_is_tried_by_one_request() -> None:
    replica, other = Replica("http://a", Limits()), Replica("http://b", Limits())
    replica.failed(0, 0)
    assert choose([replica, other], 0.1) is other
    assert choose([replica], 0.1) is None
    assert choose([replica], 1.0) is replica
    replica.in_flight = 1
    assert choose([replica], 1.0) is None
    replica.succeeded(0.9, 1.0)
    assert choose([replica], 1.0) is replica


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after("2.5") == 2.5
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("soon") is None
    assert retry_after(None) is None


async def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError):
        VllmClient(Endpoint(("localhost:8000",)))
    with pytest.raises(ConfigError):
        VllmClient(Endpoint(()))
