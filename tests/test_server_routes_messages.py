"""Messages to customers over HTTP and on the command line: listed, stopped, tried again, opted out of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from store.clock import FixedClock
from store.messages import MessageStatus
from store.records import Sentiment
from tests.command_line import CommandLine
from tests.http_receiver import Receiver, receive
from tests.retention_world import NOW, World
from tests.serving import Api

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
SECRET = "whsec_" + "a2" * 16 + "a2tr"


def fill(home: Path) -> None:
    home.mkdir()
    made = World(home)
    for customer, unit in (("hard", "east"), ("stuck", "west")):
        said: dict[str, Any] = {"topics": ("product/usability",), "org_unit": unit}
        made.says(customer, 1, "这个功能太难用了", Sentiment.NEGATIVE, **said)
    made.context()
    made.close()


@pytest.fixture
def gateway() -> Iterator[Receiver]:
    with receive() as receiver:
        yield receiver


@pytest.fixture
def api_app(tmp_path: Path, gateway: Receiver) -> Iterator[App]:
    fill(tmp_path / "home")
    settings = Settings(
        home=tmp_path / "home",
        customer_gateway_url=f"http://{gateway.url}",
        customer_gateway_secret=SECRET,
        _env_file=None,
    )
    with open_app(settings, FixedClock(NOW)) as app:
        yield app


async def test_a_yellow_alert_is_answered_by_itself_and_people_stop_what_they_want(
    api: Api, gateway: Receiver
) -> None:
    manager, analyst, viewer = (api.key(role) for role in ("manager", "analyst", "viewer"))
    assert (await api.client.post("/v1/alerts/scan", headers=manager)).json()["messages"] == 2
    out = await api.client.put("/v1/customers/stuck/opt-outs/all", headers=analyst)
    assert [one["channel"] for one in out.json()["opt_outs"]] == ["all"], out.text
    report = api.state.app.message_sender.run()
    assert (report.sent, report.ended) == (1, 1)
    listed = (await api.client.get("/v1/messages", params={"lang": "zh"}, headers=viewer)).json()
    assert listed["counts"] == {"sent": 1, "cancelled": 1}
    stands = {one["customer_id"]: (one["status"], one["why"]) for one in listed["messages"]}
    assert stands == {"hard": ("sent", ""), "stuck": ("cancelled", "客户已退订")}
    assert len(gateway.posted) == 1 and "使用体验" in gateway.posted[0].body.decode()
    sent = next(one["message_id"] for one in listed["messages"] if one["status"] == "sent")
    assert (await api.client.get(f"/v1/messages/{sent}", headers=viewer)).json()["channel"] == "gateway"
    late = await api.client.post(f"/v1/messages/{sent}/cancel", headers=analyst)
    assert late.status_code == 400 and "cannot become cancelled" in late.text
    assert (await api.client.post(f"/v1/messages/{sent}/retry", headers=analyst)).status_code == 403
    assert (await api.client.get("/v1/messages/none", headers=viewer)).status_code == 404


async def test_what_failed_is_tried_again_by_a_manager(api: Api, gateway: Receiver) -> None:
    manager = api.key("manager")
    await api.client.post("/v1/alerts/scan", headers=manager)
    gateway.statuses = [400]
    assert api.state.app.message_sender.run().failed == 1
    [failed] = api.state.app.operations.messages(status=MessageStatus.FAILED)
    again = await api.client.post(f"/v1/messages/{failed.message_id}/retry", headers=manager)
    assert (again.json()["status"], again.json()["reason"]) == ("prepared", "")
    assert api.state.app.message_sender.run().sent == 1
    ids = [one.headers["webhook-id"] for one in gateway.posted]
    assert ids.count(failed.message_id) == 2


async def test_opt_outs_by_channel_role_and_scope(api: Api) -> None:
    manager, analyst = api.key("manager"), api.key("analyst")
    url = "/v1/customers/hard/opt-outs"
    assert (await api.client.put(f"{url}/pigeon", headers=analyst)).status_code == 400
    assert (await api.client.put(f"{url}/mail", headers=api.key("viewer"))).status_code == 403
    assert (await api.client.put(f"{url}/mail", headers=api.key("manager", ("east",)))).status_code == 403
    for _ in range(2):
        put = await api.client.put(f"{url}/mail", headers=analyst)
    assert len(put.json()["opt_outs"]) == 1
    assert (await api.client.delete(f"{url}/mail", headers=analyst)).status_code == 403
    assert (await api.client.delete(f"{url}/mail", headers=manager)).json()["opt_outs"] == []
    assert (await api.client.delete(f"{url}/mail", headers=manager)).status_code == 400


async def test_a_scope_sees_the_messages_of_its_own_customers(api: Api) -> None:
    await api.client.post("/v1/alerts/scan", headers=api.key("manager"))
    east = api.key("manager", ("east",))
    found = (await api.client.get("/v1/messages", headers=east)).json()["messages"]
    assert [one["customer_id"] for one in found] == ["hard"]
    [other] = [one for one in api.state.app.operations.messages() if one.customer_id == "stuck"]
    assert (await api.client.get(f"/v1/messages/{other.message_id}", headers=east)).status_code == 403


def test_messages_on_the_command_line(tmp_path: Path) -> None:
    run = CommandLine(tmp_path)
    run.ingest(run.write("voice.csv"))
    customers = run.write(
        "customers.csv", "客户ID,客户类型,退订,timezone\nc1,老客户,是,Asia/Tokyo\nc2,老客户,否,\n"
    )
    assert run("ingest", customers, "--kind", "customers", "--json").status == 0
    assert run("messages", "list", "--json").document == {"messages": []}
    assert run("messages", "send", "--json").document["sent"] == 0
    out = run("messages", "opt-out", "c3", "--channel", "mail", "--json").document["opt_outs"]
    assert [(one["customer_id"], one["channel"], one["source"]) for one in out] == [("c3", "mail", "cli")]
    assert run("messages", "opt-out", "c3", "--role", "viewer", "--json").status == 1
    assert run("messages", "opt-in", "c3", "--channel", "mail", "--json").document == {"opt_outs": []}
    codes = run.write(
        "codes.csv", "code,amount,currency,valid_until\nA1,20,CNY,2999-12-31\nA2,20,CNY,2001-01-01\n"
    )
    counts = [run("messages", "coupons", codes, "--json").document for _ in range(2)]
    assert [one["added"] for one in counts] == [2, 0] and counts[1]["free"] == 1
    assert run("messages", "cancel", "none", "--json").status == 2
    with open_app(Settings(home=run.home, _env_file=None)) as app:
        profiles = {one.customer_id: one.attributes for one in app.facts.customers(["c1", "c2"])}
    assert (profiles["c1"]["退订"], profiles["c2"]["退订"], profiles["c1"]["timezone"]) == (
        "是",
        "否",
        "Asia/Tokyo",
    )
