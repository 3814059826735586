"""Signing in to the web page: the cookie, what another site cannot do with it, and its end."""

import httpx

from tests.serving import Api

HERE = {"Origin": "http://127.0.0.1:8765"}


async def sign_in(api: Api, headers: dict[str, str]) -> httpx.Response:
    key = headers["Authorization"].removeprefix("Bearer ")
    return await api.client.post("/v1/session", json={"key": key}, headers=HERE)


async def test_a_key_signs_in_and_the_cookie_stands_for_it(api: Api) -> None:
    response = await sign_in(api, api.key("manager", ["hq/east"], name="li"))
    assert response.status_code == 200
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
    assert "vl_" not in cookie.replace("vl_session", "")
    me = (await api.client.get("/v1/me")).json()
    assert (me["user"], me["role"], me["scope"]) == ("li", "manager", ["hq/east"])
    assert me["csrf"] == response.json()["csrf"]


async def test_unsafe_requests_of_a_session_need_the_csrf_token(api: Api) -> None:
    csrf = (await sign_in(api, api.key("admin"))).json()["csrf"]
    wanted = {"name": "made in a page"}
    assert (await api.client.post("/v1/keys", json=wanted)).status_code == 403
    for headers in ({"X-CSRF-Token": "x"}, {"X-CSRF-Token": csrf, "Origin": "http://evil.example"}):
        assert (await api.client.post("/v1/keys", json=wanted, headers=headers)).status_code == 403
    headers = {"X-CSRF-Token": csrf, **HERE}
    assert (await api.client.post("/v1/keys", json=wanted, headers=headers)).status_code == 201


async def test_signing_out_ends_the_session_and_not_only_the_cookie(api: Api) -> None:
    csrf = (await sign_in(api, api.key("viewer"))).json()["csrf"]
    kept = api.client.cookies["vl_session"]
    assert (await api.client.delete("/v1/session", headers={"X-CSRF-Token": csrf})).status_code == 204
    api.client.cookies.set("vl_session", kept)
    assert (await api.client.get("/v1/me")).status_code == 401
    actions = [entry.action for entry in api.state.app.operations.audit_entries()]
    assert actions == ["key.create", "session.open", "session.end"]


async def test_revoking_the_key_ends_its_sessions(api: Api) -> None:
    await sign_in(api, api.key("viewer"))
    [key] = api.state.keys.all()
    api.state.keys.revoke(key.key_id, revoked_by="test")
    assert (await api.client.get("/v1/me")).status_code == 401


async def test_a_wrong_key_does_not_sign_in_and_guessing_is_slowed(api: Api) -> None:
    api.key("viewer")
    answers = [await api.client.post("/v1/session", json={"key": f"vl_{n}"}) for n in range(12)]
    assert [a.status_code for a in answers] == [401] * 10 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 5


async def test_another_site_cannot_sign_somebody_in(api: Api) -> None:
    key = api.key("viewer")["Authorization"].removeprefix("Bearer ")
    response = await api.client.post(
        "/v1/session", json={"key": key}, headers={"Origin": "http://evil.example"}
    )
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


async def test_a_cookie_nobody_gave_is_nobody(api: Api) -> None:
    api.key("admin")
    for value in ("x", "vs_0123456789abcdef_" + "A" * 43):
        api.client.cookies.set("vl_session", value)
        assert (await api.client.get("/v1/me")).status_code == 401
