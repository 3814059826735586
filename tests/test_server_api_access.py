"""Who may call the server, as what, and what a refusal looks like."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from agent.wiring import App
from tests.serving import Api, serve_api

LOCAL = "127.0.0.1:8765"


async def test_without_keys_whoever_sits_here_is_the_user_of_the_settings(api: Api) -> None:
    me = (await api.client.get("/v1/me")).json()
    assert (me["user"], me["role"], me["scope"], me["single_user"]) == ("local", "admin", [], True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Forwarded-For": "10.0.0.1"}, 401),
        ({"Forwarded": "for=10.0.0.1"}, 401),
        ({"Origin": f"http://{LOCAL}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "localhost:8765"}, 200),
        ({"Host": "[::1]:8765"}, 200),
    ],
)
async def test_a_page_elsewhere_cannot_use_the_single_user(
    api: Api, headers: dict[str, str], status: int
) -> None:
    assert (await api.client.get("/v1/me", headers=headers)).status_code == status


async def test_another_machine_is_nobody_without_a_key(api: Api) -> None:
    transport = httpx.ASGITransport(api.api, client=("10.1.2.3", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{LOCAL}") as far:
        response = await far.get("/v1/me")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_once_there_is_a_key_everybody_needs_one(api: Api) -> None:
    headers = api.key("analyst", ["hq/east"], name="wang")
    assert (await api.client.get("/v1/me")).status_code == 401
    me = (await api.client.get("/v1/me", headers=headers)).json()
    assert (me["user"], me["role"], me["scope"], me["single_user"]) == ("wang", "analyst", ["hq/east"], False)


async def test_a_revoked_last_key_does_not_open_the_door_again(api: Api) -> None:
    headers = api.key("admin")
    [key] = api.state.keys.all()
    api.state.keys.revoke(key.key_id, revoked_by="test")
    refused = await api.client.get("/v1/me", headers=headers)
    assert refused.status_code == 401
    assert "revoked" in refused.json()["detail"]
    assert (await api.client.get("/v1/me")).status_code == 401


async def test_a_key_ends_at_its_time(api: Api) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    made = api.state.keys.create(name="old", role="viewer", scope=(), created_by="test", expires_at=past)
    response = await api.client.get("/v1/me", headers={"Authorization": f"Bearer {made.token}"})
    assert response.status_code == 401


@pytest.mark.parametrize("spoil", ["last", "id", "short", "none"])
async def test_a_token_that_is_nearly_right_is_wrong(api: Api, spoil: str) -> None:
    token = api.key("admin")["Authorization"].removeprefix("Bearer ")
    wrong = {
        "last": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "id": "vl_" + "0" * 12 + token[15:],
        "short": token[:-2],
        "none": "secret",
    }[spoil]
    response = await api.client.get("/v1/me", headers={"Authorization": f"Bearer {wrong}"})
    assert response.status_code == 401
    assert wrong not in response.text


async def test_the_command_lines_token_is_the_local_asker_even_where_keys_exist(api: Api) -> None:
    api.key("viewer")
    headers = {"Authorization": f"Bearer {api.state.local_token}"}
    me = (await api.client.get("/v1/me", headers=headers)).json()
    assert (me["user"], me["role"]) == ("local", "admin")


@pytest.mark.parametrize(
    ("path", "headers", "language"),
    [
        ("/v1/me", {}, "zh"),
        ("/v1/me", {"Accept-Language": "fr, en-GB;q=0.8, zh;q=0.2"}, "en"),
        ("/v1/me", {"Accept-Language": "en", "Cookie": "lang=zh"}, "zh"),
        ("/v1/me?lang=en", {"Cookie": "lang=zh"}, "en"),
        ("/v1/me?lang=xx", {}, "zh"),
    ],
)
async def test_language_is_what_is_said_nearest(
    api: Api, path: str, headers: dict[str, str], language: str
) -> None:
    assert (await api.client.get(path, headers=headers)).json()["language"] == language


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("analyst", 200), ("service", 200), ("admin", 200)]
)
async def test_metrics_need_a_role(api: Api, role: str, status: int) -> None:
    headers = api.key(role)  # type: ignore[arg-type]
    response = await api.client.get("/metrics", headers=headers)
    assert response.status_code == status
    if status == 403:
        problem = response.json()
        assert problem["type"] == "urn:voiceloop:problem:not-permitted"
        assert problem["request_id"] == response.headers["X-Request-ID"]
        assert response.headers["content-type"] == "application/problem+json"


async def test_keys_are_made_listed_and_revoked(api: Api) -> None:
    admin = api.key("admin", name="root")
    wanted = {"name": "feed", "role": "service", "scope": ["hq/east"], "days": 30}
    made = await api.client.post("/v1/keys", json=wanted, headers=admin)
    assert made.status_code == 201
    key, token = made.json()["key"], made.json()["token"]
    own = {"Authorization": f"Bearer {token}"}
    assert (await api.client.get("/v1/me", headers=own)).json()["role"] == "service"
    assert (await api.client.post("/v1/keys", json=wanted, headers=admin)).status_code == 409
    assert (await api.client.get("/v1/keys", headers=own)).status_code == 403
    listed = await api.client.get("/v1/keys", headers=admin)
    assert token not in listed.text
    noted = {one["name"]: one for one in listed.json()["keys"]}
    assert noted["feed"]["last_used_at"] is not None
    ended = await api.client.delete(f"/v1/keys/{key['key_id']}", headers=admin)
    assert ended.json()["revoked_at"] is not None
    assert (await api.client.get("/v1/me", headers=own)).status_code == 401
    assert (await api.client.delete("/v1/keys/ffffffffffff", headers=admin)).status_code == 404
    actions = [entry.action for entry in api.state.app.operations.audit_entries()]
    assert actions == ["key.create", "key.create", "key.revoke"]


async def test_a_scoped_administrator_makes_no_key_beyond_the_scope(api: Api) -> None:
    whole, east = api.key("admin", name="root"), api.key("admin", ["hq/east"], name="east")
    for scope, status in (([], 403), (["hq/west"], 403), (["hq"], 403), (["hq/east/store 1"], 201)):
        wanted = {"name": f"{scope}", "scope": scope}
        assert (await api.client.post("/v1/keys", json=wanted, headers=east)).status_code == status
    listed = (await api.client.get("/v1/keys", headers=east)).json()["keys"]
    assert {tuple(one["scope"]) for one in listed} == {("hq/east",), ("hq/east/store 1",)}
    root = next(one for one in api.state.keys.all() if one.name == "root")
    assert (await api.client.delete(f"/v1/keys/{root.key_id}", headers=east)).status_code == 403
    assert (await api.client.get("/v1/audit", headers=east)).status_code == 403
    assert (await api.client.get("/v1/audit", headers=whole)).status_code == 200


async def test_a_blank_unit_is_no_scope(api: Api) -> None:
    response = await api.client.post("/v1/keys", json={"name": "x", "scope": [" / "]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "body.scope.0"


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_it_serves_on_a_port(api_app: App) -> None:
    with serve_api(api_app) as url:
        assert httpx.get(f"{url}/healthz").json()["status"] == "alive"
