"""Tools, themes, plans and customers over HTTP: what they give, and what they refuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.wiring import App
from tests.api_world import SOUTH, make_world, open_world
from tests.serving import Api

PLAN = {"metric": "nps", "period": "2026-10", "compare_to": "2026-09"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("nouns"))


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[App]:
    with open_world(home) as app:
        yield app


@pytest.fixture
def api_app(world: App) -> App:
    return world


async def drafted(api: Api, headers: dict[str, str]) -> dict[str, Any]:
    got = await api.client.post("/v1/tools/create_action_plan", json=PLAN, headers=headers)
    assert got.status_code == 200, got.text
    plan: dict[str, Any] = got.json()["data"]["plan"]
    return plan


async def test_tools_are_listed_with_schemas_and_called(api: Api) -> None:
    viewer = api.key("viewer")
    listed = (await api.client.get("/v1/tools", headers=viewer)).json()["tools"]
    by_name = {tool["name"]: tool for tool in listed}
    assert by_name["nps_stats"]["parameters"]["properties"]["group_by"]
    assert (by_name["nps_stats"]["permitted"], by_name["create_action_plan"]["permitted"]) == (True, False)
    body = {"group_by": ["region"], "period": {"from": "2026-10-01", "to": "2026-11-01"}}
    got = await api.client.post("/v1/tools/nps_stats", json=body, headers=viewer)
    result = got.json()
    assert {group["key"] for group in result["data"]["groups"]} == {"广东", "浙江", "上海", "北京"}
    assert result["period"]["from"].startswith("2026-10-01")


@pytest.mark.parametrize(
    ("name", "args", "status"),
    [
        ("no_such_tool", {}, 404),
        ("nps_stats", {"colour": "red"}, 400),
        ("nps_stats", {"filters": {"region": "火星"}}, 400),
        ("create_action_plan", {}, 403),
    ],
)
async def test_what_a_tool_cannot_do_is_a_problem_with_a_reason(
    api: Api, name: str, args: dict[str, Any], status: int
) -> None:
    got = await api.client.post(f"/v1/tools/{name}", json=args, headers=api.key("viewer"))
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
    assert got.json()["detail"]


async def test_themes_are_paged_and_shown_in_depth(api: Api) -> None:
    headers = api.key("analyst")
    first = (await api.client.get("/v1/themes", params={"limit": 2}, headers=headers)).json()
    assert (len(first["themes"]), first["total"]) == (2, 3)
    cursor = first["next_cursor"]
    rest = (await api.client.get("/v1/themes", params={"limit": 2, "cursor": cursor}, headers=headers)).json()
    assert rest["next_cursor"] is None
    ids = [theme["theme_id"] for theme in (*first["themes"], *rest["themes"])]
    assert len(set(ids)) == 3
    south = {"filter": ["region=广东"], "from": "2026-10-01", "to": "2026-11-01"}
    narrowed = (await api.client.get("/v1/themes", params=south, headers=headers)).json()
    assert 0 < narrowed["n"] < first["n"]
    shown = (await api.client.get(f"/v1/themes/{ids[0]}", headers=headers)).json()
    assert shown["data"]["theme_id"] == ids[0]
    none = await api.client.get("/v1/themes/t-none-such", headers=headers)
    assert none.status_code == 404
    wrong = await api.client.get("/v1/themes", params={"cursor": "nonsense"}, headers=headers)
    assert wrong.status_code == 400


async def test_a_customer_is_shown_and_one_beyond_the_scope_is_not_permitted(api: Api) -> None:
    headers = api.key("analyst")
    got = await api.client.get("/v1/customers/c001", headers=headers)
    assert got.json()["data"]["customer"]["customer_id"] == "c001"
    assert (await api.client.get("/v1/customers/nobody", headers=headers)).status_code == 404
    scoped = api.key("analyst", (SOUTH,))
    narrow = await api.client.get("/v1/customers/c001", headers=scoped)
    assert 0 < narrow.json()["n"] < got.json()["n"]
    told = await api.client.get("/v1/customers/nobody", headers=scoped)
    assert told.status_code == 403
    assert "exist" not in told.text and "没有" not in told.text


async def test_a_plan_is_drafted_read_approved_verified_and_exported(api: Api) -> None:
    analyst, manager = api.key("analyst"), api.key("manager")
    plan = await drafted(api, analyst)
    assert plan["status"] == "pending_approval"
    address = f"/v1/plans/{plan['plan_id']}"
    refused = await api.client.patch(address, json={"status": "open"}, headers=analyst)
    assert refused.status_code == 403
    english = await api.client.get(address, params={"lang": "en"}, headers=analyst)
    assert english.json()["language"] == "en"
    opened = await api.client.patch(address, json={"status": "open"}, headers=manager)
    assert (opened.json()["status"], opened.json()["window"]["from_approval"]) == ("open", True)
    listed = (await api.client.get("/v1/plans", params={"status": "open"}, headers=analyst)).json()
    assert [one["plan_id"] for one in listed["plans"]] == [plan["plan_id"]]
    checked = await api.client.post(f"{address}/verify", headers=analyst)
    assert checked.json()["state"] == "not_due"
    for format, mark in (("md", "# "), ("csv", "﻿"), ("json", "{")):
        file = await api.client.get(f"{address}/export", params={"format": format}, headers=analyst)
        assert file.content.decode().startswith(mark)
    assert (await api.client.get("/v1/plans/plan-none", headers=analyst)).status_code == 404
    scoped = api.key("admin", (SOUTH,))
    for hidden in (plan["plan_id"], "plan-none"):
        assert (await api.client.get(f"/v1/plans/{hidden}", headers=scoped)).status_code == 403
    assert (await api.client.get("/v1/plans", headers=scoped)).json()["plans"] == []
