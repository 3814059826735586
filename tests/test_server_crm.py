"""CRMs over HTTP and on the command line: events by signature, how far they are by role, both sides by hand."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.settings import Settings
from agent.wiring import App, open_app
from evals.crm_receivers import HUBSPOT, KEY, SECRET, Hubspot
from evals.crm_stand_in import StandIn, serving
from store.clock import FixedClock
from store.records import Task, TaskStatus
from tests.command_line import CommandLine
from tests.retention_world import NOW
from tests.serving import Api

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
EVENT = {
    "specversion": "1.0",
    "id": "7f3a",
    "source": "urn:acme:crm",
    "type": "org.voiceloop.task.wish",
    "subject": "task-1",
    "time": "2026-11-22T12:10:00+08:00",
    "data": {"status": "done", "comment": "已回电，客户续约"},
}


@pytest.fixture
def hubspot() -> Iterator[StandIn]:
    with serving(Hubspot(FixedClock(NOW)), HUBSPOT) as at:
        yield at


def crm_file(home: Path, url: str) -> None:
    home.mkdir(exist_ok=True)
    crms = [
        {"name": "gateway", "kind": "webhook", "url": "http://127.0.0.1:1/", "secret": SECRET},
        {"name": "hubspot", "kind": "hubspot", "url": url, "token": "pat-1"},
    ]
    path = home / "crm.yaml"
    path.write_text(yaml.safe_dump({"crms": crms}), encoding="utf-8")


def add_task(app: App) -> None:
    app.operations.propose_task(
        Task(
            task_id="task-1",
            status=TaskStatus.OPEN,
            owner="销售",
            summary="要走",
            created_at=app.clock.now(),
            created_by="scan",
        )
    )


@pytest.fixture
def api_app(tmp_path: Path, hubspot: StandIn) -> Iterator[App]:
    crm_file(tmp_path / "home", hubspot.url)
    with open_app(Settings(home=tmp_path / "home", _env_file=None), FixedClock(NOW)) as app:
        add_task(app)
        app.crm_store.claim("gateway", NOW)
        yield app


def signed(event: dict[str, Any], at: datetime = NOW, key: bytes = KEY) -> dict[str, Any]:
    body, stamp = json.dumps(event).encode(), str(int(at.timestamp()))
    made = hmac.new(key, f"{event['id']}.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/cloudevents+json",
        "webhook-id": str(event["id"]),
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,old v1,{base64.b64encode(made).decode()}",
    }
    return {"content": body, "headers": headers}


async def test_a_signed_event_has_one_effect(api: Api, api_app: App) -> None:
    first = await api.client.post("/v1/crm/gateway/events", **signed(EVENT))
    assert (first.status_code, first.json()) == (200, {"changes": 1, "verdicts": 0})
    again = await api.client.post("/v1/crm/gateway/events", **signed(EVENT))
    assert again.json() == {"changes": 0, "verdicts": 0}
    task = api_app.operations.task("task-1")
    assert task is not None
    assert task.status is TaskStatus.DONE
    assert {line.actor for line in api_app.operations.task_events("task-1")} == {"scan", "crm:gateway"}


async def test_what_is_not_signed_or_old_or_no_event_is_refused(api: Api, api_app: App) -> None:
    post = api.client.post
    unsigned = signed(EVENT)["headers"] | {"webhook-signature": ""}
    url = "/v1/crm/gateway/events"
    assert (await post(url, content=signed(EVENT)["content"], headers=unsigned)).status_code == 401
    assert (await post(url, **signed(EVENT, key=b"x" * 32))).status_code == 401
    assert (await post(url, **signed(EVENT, at=datetime(2026, 11, 22, 3, tzinfo=UTC)))).status_code == 401
    wrong = await post(url, **signed(EVENT | {"data": {"status": "open"}}))
    assert (wrong.status_code, "data.status" in wrong.text) == (400, True)
    other = await post(url, **signed(EVENT | {"subject": "task-9"}))
    assert (other.status_code, "ever told" in other.text) == (400, True)
    assert (await post("/v1/crm/hubspot/events", **signed(EVENT))).status_code == 404
    assert (await post("/v1/crm/none/events", **signed(EVENT))).status_code == 404
    task = api_app.operations.task("task-1")
    assert task is not None
    assert task.status is TaskStatus.OPEN


async def test_how_far_crms_are_is_told_to_managers_of_everything(api: Api) -> None:
    assert (await api.client.get("/v1/crm", headers=api.key("analyst"))).status_code == 403
    assert (await api.client.get("/v1/crm", headers=api.key("manager", ("east",)))).status_code == 403
    found = (await api.client.get("/v1/crm", headers=api.key("manager"))).json()["crms"]
    assert [one["name"] for one in found] == ["gateway", "hubspot"]
    retried = await api.client.post("/v1/crm/gateway/retry", headers=api.key("admin"))
    assert retried.status_code == 200
    assert (await api.client.post("/v1/crm/none/retry", headers=api.key("admin"))).status_code == 404


def test_by_hand_on_the_command_line(tmp_path: Path, hubspot: StandIn) -> None:
    crm_file(tmp_path / "home", hubspot.url)
    with open_app(Settings(home=tmp_path / "home", _env_file=None)) as app:
        add_task(app)
    run = CommandLine(tmp_path)
    assert "voiceloop_task_id" in run("crm", "prepare", "hubspot", "--json").document["made"]["hubspot"]
    done = run("crm", "sync", "--json").document["crms"]
    assert (done["hubspot"]["sent"]["arrived"], done["gateway"]["sent"]["failed"]) == (1, 1)
    told = {one["name"]: one for one in run("crm", "status", "--json").document["crms"]}
    assert (told["hubspot"]["up_to_date"], told["gateway"]["waiting"]) == (1, 1)
    assert told["gateway"]["tasks"][0]["detail"] == "gateway cannot be reached (ConnectError)"
    assert run("crm", "retry", "gateway", "--json").document == {"tasks": 1}
    assert run("crm", "sync", "none", "--json").status != 0


def test_a_wrong_file_is_named_without_its_secrets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    crm_file(home, "https://api.hubapi.com")
    text = (home / "crm.yaml").read_text(encoding="utf-8")
    (home / "crm.yaml").write_text(text.replace(SECRET, "short-secret"), encoding="utf-8")
    said = CommandLine(tmp_path)("crm", "status", "--json")
    assert said.status != 0
    assert "short-secret" not in said.output + said.errors
    assert "CRM gateway" in said.output
