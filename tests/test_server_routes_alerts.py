"""Alerts, tasks and approvals over HTTP: from a scan to a verdict, by role, scope and version."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from retention.alert_notices import AlertNews
from store.clock import FixedClock
from store.records import Sentiment
from tests.retention_world import NOW, World
from tests.serving import Api

BAD = Sentiment.NEGATIVE


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    home = tmp_path / "home"
    home.mkdir()
    made = World(home)
    made.says("red", 0.1, "客服一直推脱，我要解约", BAD, signals=("cancel",), org_unit="east")
    made.says("orange", 1, "别家更便宜", BAD, signals=("competitor",), org_unit="east")
    made.says("far", 1, "我要起诉你们", BAD, signals=("legal",), org_unit="west")
    made.context()
    made.close()
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW)) as app:
        yield app


async def scanned(api: Api) -> dict[str, str]:
    """Scan; the headers of a manager."""
    manager = api.key("manager")
    got = await api.client.post("/v1/alerts/scan", headers=manager)
    assert (got.status_code, got.json()["opened"], got.json()["tasks"]) == (200, 3, 3), got.text
    return manager


async def alert_of(api: Api, headers: dict[str, str], customer: str) -> dict[str, Any]:
    got = await api.client.get("/v1/alerts", params={"customer_id": customer}, headers=headers)
    [alert] = got.json()["alerts"]
    found: dict[str, Any] = alert
    return found


async def test_alerts_are_scanned_once_listed_and_shown_in_both_languages(api: Api) -> None:
    manager = await scanned(api)
    again = (await api.client.post("/v1/alerts/scan", headers=manager)).json()
    assert (again["assessed"], again["opened"]) == (0, 0)
    listed = (await api.client.get("/v1/alerts", params={"limit": 2}, headers=manager)).json()
    assert (listed["counts"]["open"], len(listed["alerts"])) == (3, 2)
    assert listed["alerts"][0]["tier"] == "red" and listed["next_cursor"]
    red = await alert_of(api, manager, "red")
    got = await api.client.get(f"/v1/alerts/{red['alert_id']}", params={"lang": "en"}, headers=manager)
    shown = got.json()
    assert "cancelling" in shown["summary"] and "director" in shown["advice"]
    assert shown["quotes"][0]["text"] == "客服一直推脱，我要解约"
    assert shown["task"]["status"] == "pending_approval" and shown["conversations"]
    assert sum(part["points"] for part in shown["parts"]) == pytest.approx(shown["score"])


async def test_a_verdict_closes_the_alert_is_taken_back_and_both_are_kept(api: Api) -> None:
    manager = await scanned(api)
    alert = await alert_of(api, manager, "orange")
    path = f"/v1/alerts/{alert['alert_id']}/verdict"
    body = {"verdict": "false_alarm", "reason": "说的是以前的供应商"}
    wrong = (await api.client.post(path, json=body, headers=api.key("analyst"))).json()
    assert (wrong["status"], wrong["closed_because"]) == ("closed", "false_alarm")
    assert wrong["task"]["status"] == "cancelled"
    back = (await api.client.post(path, json={"verdict": "accurate"}, headers=manager)).json()
    assert (back["status"], back["verdict"]) == ("open", "accurate")
    assert back["task"]["status"] == "pending_approval"
    assert [one["verdict"] for one in back["verdicts"]] == ["false_alarm", "accurate"]
    assert (await api.client.post(path, json=body, headers=api.key("viewer"))).status_code == 403


async def test_a_task_is_approved_changed_and_guarded_by_its_version(api: Api) -> None:
    manager, analyst = await scanned(api), api.key("analyst")
    task_id = (await alert_of(api, manager, "red"))["alert_id"]
    listed = (await api.client.get("/v1/tasks", params={"customer_id": "red"}, headers=manager)).json()
    [task] = listed["tasks"]
    assert task["alert_id"] == task_id and listed["counts"]["pending_approval"] == 1
    path = f"/v1/tasks/{task['task_id']}"
    assert (await api.client.patch(path, json={"status": "open"}, headers=analyst)).status_code == 403
    got = await api.client.get(path, headers=analyst)
    assert got.headers["etag"] == '"2"' and got.json()["conversations"]
    opened = await api.client.patch(
        path, json={"status": "open", "comment": "马上处理"}, headers={**manager, "If-Match": '"2"'}
    )
    assert opened.status_code == 200, opened.text
    assert opened.json()["status"] == "open" and opened.headers["etag"] == '"4"'
    assert [line["field"] for line in opened.json()["history"]] == [
        "created",
        "placed_at",
        "status",
        "comment",
    ]
    late = await api.client.patch(path, json={"status": "done", "version": 1}, headers=analyst)
    assert (late.status_code, late.json()["type"]) == (412, "urn:voiceloop:problem:outdated")
    assert (await api.client.patch(path, json={"owner": "李"}, headers=analyst)).status_code == 403
    moved = {
        "owner": "李经理",
        "due_at": "2026-11-30T18:00:00+08:00",
        "snoozed_until": "2026-11-25T09:00:00Z",
    }
    got = await api.client.patch(path, json=moved, headers=manager)
    assert (got.json()["owner"], got.json()["due_at"]) == ("李经理", "2026-11-30T18:00:00+08:00")
    woken = await api.client.patch(path, json={"snoozed_until": None}, headers=analyst)
    assert woken.json()["snoozed_until"] is None
    done = await api.client.patch(path, json={"status": "done"}, headers=analyst)
    assert done.json()["status"] == "done"
    alert = (await api.client.get(f"/v1/alerts/{task_id}", headers=manager)).json()
    assert (alert["status"], alert["closed_because"]) == ("closed", "resolved")


async def test_approvals_are_listed_and_decided_by_managers(api: Api) -> None:
    manager = await scanned(api)
    orange = await alert_of(api, manager, "orange")
    args = {"alert_id": orange["alert_id"]}
    sent = await api.client.post("/v1/tools/send_playbook_message", json=args, headers=api.key("analyst"))
    message = sent.json()["data"]["message"]
    assert message["status"] == "pending_approval"
    waiting = (await api.client.get("/v1/approvals", headers=manager)).json()["approvals"]
    assert {one["kind"] for one in waiting} == {"task", "message"} and len(waiting) == 4
    decision = {"approve": [message["message_id"]]}
    assert (
        await api.client.post("/v1/approvals", json=decision, headers=api.key("analyst"))
    ).status_code == 403
    told = (await api.client.post("/v1/approvals", json=decision, headers=manager)).json()
    assert told["approved"] == [message["message_id"]]
    again = (await api.client.post("/v1/approvals", json=decision, headers=manager)).json()
    assert again["already"][0]["status"] == "prepared"
    sent = await api.client.post("/v1/tools/send_playbook_message", json=args, headers=manager)
    assert sent.json()["data"]["message"]["status"] == "prepared" and not sent.json()["data"]["new"]
    assert any("渠道" in caveat or "channel" in caveat for caveat in sent.json()["caveats"])


async def test_a_scope_sees_its_own_and_learns_nothing_of_others(api: Api) -> None:
    manager = await scanned(api)
    far = await alert_of(api, manager, "far")
    east = api.key("manager", ("east",))
    listed = (await api.client.get("/v1/alerts", headers=east)).json()
    assert {one["customer_id"] for one in listed["alerts"]} == {"red", "orange"}
    assert listed["counts"]["open"] == 2
    tasks = (await api.client.get("/v1/tasks", headers=east)).json()
    assert {one["customer_id"] for one in tasks["tasks"]} == {"red", "orange"}
    hidden = await api.client.get(f"/v1/alerts/{far['alert_id']}", headers=east)
    nothing = await api.client.get("/v1/alerts/alert-ffffffffffffffff", headers=east)
    assert hidden.status_code == nothing.status_code == 403
    swapped = hidden.json()["detail"].replace(far["alert_id"], "alert-ffffffffffffffff")
    assert swapped == nothing.json()["detail"]
    assert (await api.client.post("/v1/alerts/scan", headers=east)).status_code == 403
    missing = await api.client.get("/v1/alerts/alert-ffffffffffffffff", headers=manager)
    assert missing.status_code == 404


async def test_observers_are_told_once_also_after_a_restart(api: Api, api_app: App) -> None:
    heard: list[str] = []

    def observe(news: AlertNews) -> None:
        assert news.task is not None and news.task.alert_id == news.alert.alert_id
        heard.append(news.notice.notice_id)

    stop = api_app.alert_notices.on_alert("test", observe)
    await scanned(api)
    assert len(heard) == len(set(heard)) == 3
    stop()
    api_app.alert_notices.on_alert("test", observe)
    assert api_app.alert_notices.dispatch() == 0 and len(heard) == 3
