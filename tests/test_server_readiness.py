"""Readiness tells which part fails, and does not call a server ready that is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from server.readiness import Readiness
from tests.serving import Api


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    settings = Settings(
        home=tmp_path / "home", _env_file=None, llm_base_url="http://127.0.0.1:9/v1", llm_model="none"
    )
    with open_app(settings) as app:
        yield app


async def test_ready_without_its_model_endpoint_which_is_told(api: Api) -> None:
    response = await api.client.get("/readyz")
    parts = {part["name"]: part for part in response.json()["parts"]}
    assert response.status_code == 200
    assert {name for name, part in parts.items() if part["ok"]} == {
        "server",
        "facts",
        "operations",
        "vectors",
        "disk",
        "audit",
    }
    assert not parts["endpoint"]["ok"] and not parts["endpoint"]["required"]


async def test_a_server_that_is_ending_is_not_ready(api: Api) -> None:
    api.state.closing.set()
    response = await api.client.get("/readyz")
    assert response.status_code == 503
    assert [p["name"] for p in response.json()["parts"] if p["required"] and not p["ok"]] == ["server"]


async def test_a_broken_store_is_named_without_its_path(api: Api) -> None:
    path = api.state.app.home / "operations.sqlite"
    api.state.app.keys.close()
    path.write_bytes(b"not a database, " * 4_096)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    api.state.readiness = Readiness(api.state.app)
    response = await api.client.get("/readyz")
    assert response.status_code == 503
    failing = {p["name"]: p["detail"] for p in response.json()["parts"] if p["required"] and not p["ok"]}
    assert failing == {"operations": "StoreError"}
    assert str(path.parent) not in response.text
