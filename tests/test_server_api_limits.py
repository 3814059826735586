"""Limits of size, time and rate; request ids; what is never told of an error of ours."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from agent.settings import Settings
from agent.wiring import App, open_app
from server.api_limits import Limits
from server.api_metrics import Metrics
from server.api_problems import TooMany, handle_problems
from server.api_rates import Rates
from server.api_requests import Requests
from server.api_traces import Traces
from store.errors import ModelUnavailable, NotPermitted, StoreError, StoreFull, StoreLocked, ToolInputError
from tests.serving import Api

SECRET = "张三的电话是13800000000"


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    settings = Settings(home=tmp_path / "home", _env_file=None, body_mb=0.001, rate_per_s=0.01, rate_burst=3)
    with open_app(settings) as app:
        yield app


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The middleware over routes that fail or dawdle."""
    app = FastAPI()
    handle_problems(app)
    settings = Settings(home=tmp_path, _env_file=None, request_timeout_s=0.3)
    app.add_middleware(Limits, settings=settings)
    app.add_middleware(Requests, metrics=Metrics(), traces=Traces())
    errors = {
        "input": ToolInputError("say it so", hint="like this"),
        "permitted": NotPermitted("no"),
        "locked": StoreLocked("busy"),
        "full": StoreFull("full"),
        "model": ModelUnavailable("down"),
        "store": StoreError(SECRET),
        "other": RuntimeError(SECRET),
    }

    @app.get("/fail/{name}")
    def fail(name: str) -> None:
        raise errors[name]

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(30)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("input", 400, "tool-input-error"),
        ("permitted", 403, "not-permitted"),
        ("locked", 503, "store-locked"),
        ("full", 507, "store-full"),
        ("model", 503, "model-unavailable"),
        ("store", 500, "internal-server-error"),
        ("other", 500, "internal-server-error"),
    ],
)
async def test_an_error_is_a_problem_document_without_what_is_ours(
    small: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], name: str, status: int, kind: str
) -> None:
    response = await small.get(f"/fail/{name}", headers={"X-Request-ID": "r-1"})
    assert response.status_code == status
    problem = response.json()
    assert problem["type"] == f"urn:voiceloop:problem:{kind}"
    assert (problem["status"], problem["request_id"]) == (status, "r-1")
    assert SECRET not in response.text
    assert (response.headers.get("Retry-After") is not None) == (status == 503)
    if name == "other":
        assert SECRET not in "".join(capsys.readouterr())


async def test_no_answer_in_time_is_503(small: httpx.AsyncClient) -> None:
    response = await small.get("/slow")
    assert response.status_code == 503
    assert "0.3 seconds" in response.json()["detail"]


async def test_a_harmful_request_id_is_replaced(small: httpx.AsyncClient) -> None:
    given = 'x"} {"level":"forged'
    response = await small.get("/fail/input", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == response.json()["request_id"] != given


async def test_a_body_too_large_is_refused_told_or_not(api: Api) -> None:
    headers = {"Content-Type": "application/json"}

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 600

    told = await api.client.post("/v1/keys", content=b" " * 1_800, headers=headers)
    untold = await api.client.post("/v1/keys", content=parts(), headers=headers)
    assert (told.status_code, untold.status_code) == (413, 413)
    assert untold.headers["content-type"] == "application/problem+json"


async def test_a_key_that_asks_too_often_is_told_when_to_come_again(api: Api) -> None:
    one, other = api.key("viewer"), api.key("viewer")
    answers = [await api.client.get("/v1/me", headers=one) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert 95 <= int(answers[-1].headers["Retry-After"]) <= 100
    assert answers[-1].json()["type"] == "urn:voiceloop:problem:too-many"
    assert (await api.client.get("/v1/me", headers=other)).status_code == 200


def test_a_bucket_fills_again() -> None:
    now = 0.0
    rates = Rates(rate_per_s=2, burst=2, monotonic=lambda: now)
    for _ in range(2):
        rates.take("key", "a")
    with pytest.raises(TooMany) as told:
        rates.take("key", "a")
    assert told.value.retry_after_s == 0.5
    now = 0.5
    rates.take("key", "a")


async def test_answers_stay_in_no_browser_and_no_frame(api: Api) -> None:
    headers = (await api.client.get("/v1/me")).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_unknown_paths_and_wrong_bodies_are_problems_too(api: Api) -> None:
    unknown = await api.client.get("/v1/nothing")
    wrong = await api.client.post("/v1/keys", json={"name": "x", "role": "king"})
    method = await api.client.put("/v1/me")
    assert [r.status_code for r in (unknown, wrong, method)] == [404, 422, 405]
    for response in (unknown, wrong, method):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
    assert wrong.json()["errors"][0]["where"] == "body.role"
