"""The high-risk pool over HTTP and on the command line: listed, changed by people, by role and scope."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from store.clock import FixedClock
from store.records import Sentiment
from tests.command_line import CommandLine
from tests.retention_world import NOW, World
from tests.serving import Api


def fill(home: Path, days: float = 0) -> None:
    home.mkdir()
    made = World(home)
    made.says("red", days + 0.1, "我要解约", Sentiment.NEGATIVE, signals=("cancel",), org_unit="east")
    made.says("low", days + 3, nps=4, org_unit="west")
    made.context()
    made.close()


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    fill(tmp_path / "home")
    with open_app(Settings(home=tmp_path / "home", _env_file=None), FixedClock(NOW)) as app:
        yield app


async def test_the_pool_is_filled_by_the_scan_and_changed_by_people(api: Api) -> None:
    manager, analyst = api.key("manager"), api.key("analyst")
    assert (await api.client.post("/v1/alerts/scan", headers=manager)).status_code == 200
    found = (await api.client.get("/v1/pool", params={"lang": "zh"}, headers=analyst)).json()
    assert (found["customers"], found["without_carer"]) == (2, 0)
    texts = {one["customer_id"]: [each["text"] for each in one["reasons"]] for one in found["pool"]}
    assert texts["low"] == ["2026-11-19 NPS 只给了 4 分"]
    put = await api.client.put("/v1/pool/new", json={"why": "续约前没有动静"}, headers=analyst)
    assert put.status_code == 200 and put.json()["reasons"][0]["kind"] == "manual", put.text
    assert put.json()["carer"] == "客户关怀小组"
    refused = await api.client.put("/v1/pool/new", json={"carer": "王"}, headers=manager)
    assert refused.status_code == 400 and "care team" in refused.text
    assert (await api.client.delete("/v1/pool/low", headers=analyst)).status_code == 403
    out = await api.client.delete("/v1/pool/low", headers=manager)
    assert out.json()["left_because"] == "removed"
    await api.client.post("/v1/alerts/scan", headers=manager)
    again = (await api.client.get("/v1/pool", headers=manager)).json()
    assert {one["customer_id"] for one in again["pool"]} == {"red", "new"}


async def test_a_scope_sees_its_own_customers_and_changes_nothing(api: Api) -> None:
    await api.client.post("/v1/alerts/scan", headers=api.key("manager"))
    east = api.key("manager", ("east",))
    found = (await api.client.get("/v1/pool", headers=east)).json()
    assert [one["customer_id"] for one in found["pool"]] == ["red"]
    assert (await api.client.delete("/v1/pool/red", headers=east)).status_code == 403


async def test_churn_risk_tells_who_of_them_is_cared_for(api: Api) -> None:
    await api.client.post("/v1/alerts/scan", headers=api.key("manager"))
    got = await api.client.post("/v1/tools/churn_risk", json={}, headers=api.key("viewer"))
    cared_for = {one["customer_id"]: one["pool"] for one in got.json()["data"]["customers"]}
    assert cared_for["red"]["carer"] == "客户关怀小组" and cared_for["red"]["days"] == 0


def test_the_pool_on_the_command_line(tmp_path: Path) -> None:
    fill(tmp_path / "home", days=100)
    run = CommandLine(tmp_path)
    assert run("pool", "scan", "--json").document["entered"] == 1  # no alert has been raised yet
    assert run("pool", "add", "vip", "--why", "老客户", "--json").document["carer"]
    listed = run("pool", "list", "--json").document["pool"]
    assert {one["customer_id"] for one in listed} == {"low", "vip"}
    assert run("pool", "remove", "vip", "--role", "viewer", "--json").status == 1
    assert run("pool", "remove", "vip", "--json").document["left_because"] == "removed"
    assert run("pool", "assign", "low", "王", "--json").status == 2
