"""A running conversation: dissatisfaction is seen, an offer is made within limits, granted once, and kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from store.clock import FixedClock
from store.facts import Selection
from store.keys import Role
from store.records import Customer
from tests.retention_world import NOW, World
from tests.serving import Api

CALM = (
    {"speaker": "customer", "text": "你好，请问怎么修改收货地址？"},
    {"speaker": "agent", "text": "在设置里修改"},
)
LEAVING = {"speaker": "customer", "text": "客服一直推脱，太气人了，我要解约！电话13800138000"}
PATH = "/v1/conversations/live"


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    home = tmp_path / "home"
    home.mkdir()
    made = World(home)
    made.says("c1", 30, "一直很好用", nps=9, org_unit="east")
    made.context()
    made.facts.add_customers([Customer(customer_id="c1", lifetime_value=9000)])
    made.close()
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW)) as app:
        yield app


async def read(api: Api, role: Role, *turns: dict[str, str], customer: str | None = "c1") -> dict[str, Any]:
    body: dict[str, Any] = {"conversation_id": "chat-1", "turns": list(turns)}
    if customer:
        body["customer_id"] = customer
    got = await api.client.post(PATH, json=body, headers=api.key(role), params={"lang": "zh"})
    assert got.status_code == 200, got.text
    found: dict[str, Any] = got.json()
    return found


async def test_a_calm_conversation_calls_for_nothing(api: Api, api_app: App) -> None:
    found = await read(api, "service", *CALM)
    assert (found["dissatisfied"], found["tier"], found["offer"], found["what_to_say"]) == (
        False,
        None,
        None,
        [],
    )
    assert api_app.operations.compensations() == []


async def test_who_wants_to_leave_is_offered_what_the_asker_may_grant_and_no_text_is_kept(
    api: Api, api_app: App
) -> None:
    found = await read(api, "service", *CALM, LEAVING)
    assert (found["dissatisfied"], found["tier"]) == (True, "red")
    assert found["signs"][0]["name"] == "cancel" and found["signs"][0]["turn"] == 2
    assert "13800138000" not in str(found)
    offer = found["offer"]
    assert (offer["kind"], offer["amount"], offer["asks"]) == ("credit", 50, "manager")
    assert "50 CNY" in offer["words"]
    assert {"apology", "limits"} <= {one["kind"] for one in found["what_to_say"]}
    again = await read(api, "service", *CALM, LEAVING, CALM[1])
    assert again["offer"]["compensation_id"] == offer["compensation_id"]
    assert len(api_app.operations.compensations()) == 1
    assert api_app.facts.count(Selection()) == 1


async def test_an_offer_is_granted_within_the_role_and_once(api: Api) -> None:
    await read(api, "service", LEAVING)
    path, body = f"{PATH}/chat-1/compensation", {"customer_id": "c1", "status": "granted"}
    service, manager = api.key("service"), api.key("manager")
    refused = await api.client.post(path, json={**body, "amount": 200}, headers=service)
    assert refused.status_code == 403 and "manager" in refused.text
    done = await api.client.post(path, json={**body, "amount": 200}, headers=manager)
    assert (done.status_code, done.json()["status"], done.json()["amount"]) == (200, "granted", 200)
    assert (await api.client.post(path, json={**body, "amount": 200}, headers=manager)).json() == done.json()
    assert (await read(api, "service", LEAVING))["offer"]["status"] == "granted"
    other = await api.client.post(f"{PATH}/none/compensation", json=body, headers=manager)
    assert other.status_code == 400


async def test_nobody_is_offered_anything_whose_limits_are_not_known(api: Api, api_app: App) -> None:
    found = await read(api, "service", LEAVING, customer=None)
    assert (found["tier"], found["offer"], found["no_offer_because"]) == ("red", None, "unknown_customer")
    assert api_app.operations.compensations() == []
