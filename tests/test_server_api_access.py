"""Who may call the server, and what a refusal looks like."""

import httpx
import pytest

from agent.wiring import App
from tests.serving import Api, serve_api


async def test_it_lives(api: Api) -> None:
    response = await api.client.get("/healthz", headers={"X-Request-ID": "mine-1"})
    assert response.json() == {"status": "alive"}
    assert response.headers["X-Request-ID"] == "mine-1"


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_it_lives_on_a_port(api_app: App) -> None:
    with serve_api(api_app) as url:
        assert httpx.get(f"{url}/healthz").status_code == 200
