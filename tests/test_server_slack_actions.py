"""The buttons and forms of Slack: approvals, verdicts with a reason, changes of a task, each once."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from pydantic import SecretStr

from agent.settings import Settings
from agent.wiring import open_app
from server.notice_rounds import NoticeRounds
from store.clock import FixedClock
from store.records import Sentiment, TaskStatus
from tests.retention_world import NOW, World
from tests.serving import api_over
from tests.slack_workspace import SECRET, Workspace, buttons, workspace
from tests.test_server_slack import PEOPLE, Door

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.asyncio(loop_scope="module"),
]
CUSTOMERS = ("13800138001", "13800138002", "13800138003", "13800138004")


@pytest.fixture(scope="module")
def slack() -> Iterator[Workspace]:
    with workspace() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_door(tmp_path_factory: pytest.TempPathFactory, slack: Workspace) -> AsyncIterator[Door]:
    home = tmp_path_factory.mktemp("alerts")
    world = World(home)
    for customer in CUSTOMERS:
        world.says(
            customer,
            0.1,
            "客服一直推脱，我要解约",
            Sentiment.NEGATIVE,
            signals=("cancel",),
            org_unit="hq/east",
        )
    world.context()
    world.close()
    people = {**PEOPLE, "alerts": [{"room": "CALERT"}]}
    (home / "slack.yaml").write_text(yaml.safe_dump(people), encoding="utf-8")
    settings = Settings(
        home=home,
        slack_bot_token=SecretStr("xoxb-test"),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=slack.api_url,
        _env_file=None,
    )
    with open_app(settings, FixedClock(NOW)) as app:
        async with api_over(app) as api:
            yield Door(api, slack)


@pytest.fixture(scope="module")
def alerts(one_door: Door) -> list[dict[str, Any]]:
    """The messages of the alerts, as they were posted; the first test of the module takes the first."""
    app = one_door.api.state.app
    rounds = NoticeRounds(app)
    rounds.begin()
    app.alert_scan.run()
    rounds.round()
    posted = one_door.slack.of("chat.postMessage")
    assert len(posted) == len(CUSTOMERS)
    ids = {alert.alert_id for alert in app.operations.alerts()}
    assert {json.loads(buttons(one["blocks"])["准确"]["value"])["alert"] for one in posted} == ids
    return [{**one, "ts": f"20.{at}"} for at, one in enumerate(posted)]


@pytest.fixture
def door(one_door: Door, alerts: list[dict[str, Any]]) -> Door:
    one_door.slack.forget()
    return one_door


def alert_of(message: dict[str, Any]) -> str:
    return str(json.loads(buttons(message["blocks"])["准确"]["value"])["alert"])


async def press(door: Door, message: dict[str, Any], label: str, user: str = "U1", at: str = "1.5") -> None:
    button = buttons(message["blocks"])[label]
    request = door.slack.press(button, message, user=user, channel="CALERT", at=at)
    assert (await door.send(request)).status_code == 200


async def test_an_alert_tells_its_context_and_no_customer(door: Door, alerts: list[dict[str, Any]]) -> None:
    told = json.dumps(alerts, ensure_ascii=False)
    assert "客服一直推脱，我要解约" in told and "解约或取消" in told and "2026-11-22 14:00" in told
    assert not any(customer in told for customer in CUSTOMERS)
    assert list(buttons(alerts[0]["blocks"])) == ["准确", "误报", "编辑任务"]
    rounds = NoticeRounds(door.api.state.app)
    rounds.begin()
    rounds.round()
    assert not door.slack.of("chat.postMessage")


async def test_accurate_is_recorded_and_stands_in_place_of_the_buttons(
    door: Door, alerts: list[dict[str, Any]]
) -> None:
    await press(door, alerts[0], "准确")
    await press(door, alerts[0], "准确")
    [verdict] = door.api.state.app.operations.verdicts(alert_id=alert_of(alerts[0]))
    assert (verdict.verdict, verdict.by) == ("accurate", "li.wei")
    [update] = door.slack.of("chat.update")
    assert (update["channel"], update["ts"]) == ("CALERT", "20.0")
    assert list(buttons(update["blocks"])) == ["编辑任务"]
    assert "已标为准确 · li.wei" in json.dumps(update["blocks"], ensure_ascii=False)


async def test_a_false_alarm_asks_for_the_reason_and_ends_the_alert(
    door: Door, alerts: list[dict[str, Any]]
) -> None:
    await press(door, alerts[1], "误报", at="2.5")
    [opened] = door.slack.of("views.open")
    assert opened["trigger_id"] == "trigger-2.5"
    request = door.slack.submit(
        opened["view"], {"reason": {"type": "plain_text_input", "value": "是测试数据"}}
    )
    assert (await door.send(request)).status_code == 200
    app = door.api.state.app
    [verdict] = app.operations.verdicts(alert_id=alert_of(alerts[1]))
    assert (verdict.verdict, verdict.reason) == ("false_alarm", "是测试数据")
    alert = app.operations.alert(alert_of(alerts[1]))
    assert alert is not None and alert.status == "closed"
    assert "已标为误报" in json.dumps(door.slack.of("chat.update")[-1]["blocks"], ensure_ascii=False)


def filled(view: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The fields of a task's form as they were opened, but for those given."""
    fields: dict[str, Any] = {}
    for block in view["blocks"]:
        element = block["element"]
        kind = {"type": element["type"]}
        if element["type"] == "static_select":
            fields[block["block_id"]] = {**kind, "selected_option": element["initial_option"]}
        elif element["type"] == "datetimepicker":
            fields[block["block_id"]] = {**kind, "selected_date_time": element.get("initial_date_time")}
        else:
            fields[block["block_id"]] = {**kind, "value": element.get("initial_value")}
    for name, value in given.items():
        key = next(one for one in ("value", "selected_option", "selected_date_time") if one in fields[name])
        fields[name][key] = value
    return fields


async def test_a_task_is_changed_by_its_form(door: Door, alerts: list[dict[str, Any]]) -> None:
    await press(door, alerts[2], "编辑任务", at="3.5")
    [opened] = door.slack.of("views.open")
    due = int(NOW.timestamp()) + 7_200 * 12
    values = filled(opened["view"], owner="陈经理", due_at=due, comment="已电话联系")
    assert (await door.send(door.slack.submit(opened["view"], values, view_id="V2"))).status_code == 200
    operations = door.api.state.app.operations
    [task] = [one for one in operations.tasks() if one.alert_id == alert_of(alerts[2])]
    assert (task.owner, task.due_at and int(task.due_at.timestamp())) == ("陈经理", due)
    assert "已电话联系" in [event.after for event in operations.task_events(task.task_id)]
    assert "陈经理" in json.dumps(door.slack.of("chat.update")[-1]["blocks"], ensure_ascii=False)


async def test_a_form_sent_unchanged_changes_nothing(door: Door, alerts: list[dict[str, Any]]) -> None:
    await press(door, alerts[2], "编辑任务", at="4.5")
    [opened] = door.slack.of("views.open")
    await door.send(door.slack.submit(opened["view"], filled(opened["view"]), view_id="V3"))
    assert [one["text"] for one in door.slack.of("chat.postEphemeral")] == ["没有改动。"]


@pytest.mark.parametrize("user", ["U2", "U9"])
async def test_who_may_not_judge_is_told_so(door: Door, alerts: list[dict[str, Any]], user: str) -> None:
    await press(door, alerts[3], "准确", user=user, at=f"5.{user}")
    [refused] = door.slack.of("chat.postEphemeral")
    assert refused["user"] == user and refused["text"]
    assert not door.slack.of("chat.update")
    assert not door.api.state.app.operations.verdicts(alert_id=alert_of(alerts[3]))


async def drafted(door: Door) -> tuple[dict[str, Any], str]:
    """A message with a task that awaits approval, and the task's id."""
    from agent.approvals import stored_draft
    from server.slack_messages import answer_messages

    app = door.api.state.app
    task = next(one for one in app.operations.tasks(status=TaskStatus.PENDING_APPROVAL))
    [blocks] = answer_messages("请批准。", [stored_draft(task, expired=False)], "zh", app.settings.zone)
    return {"ts": "30.1", "thread_ts": "30.0", "blocks": blocks}, task.task_id


async def test_a_draft_is_refused_to_an_analyst_and_approved_by_a_manager_once(door: Door) -> None:
    message, task_id = await drafted(door)
    operations = door.api.state.app.operations
    await press(door, message, "批准", user="U2", at="6.1")
    [refused] = door.slack.of("chat.postEphemeral")
    assert "viewer" in refused["text"] and "manager" in refused["text"]
    waiting = operations.task(task_id)
    assert waiting is not None and waiting.status is TaskStatus.PENDING_APPROVAL
    request = door.slack.press(buttons(message["blocks"])["批准"], message, channel="CALERT", at="6.2")
    for _ in range(3):
        again = httpx.Request("POST", request.url, content=request.content, headers=request.headers)
        assert (await door.send(again)).status_code == 200
    task = operations.task(task_id)
    assert task is not None and (task.status, task.approved_by) == (TaskStatus.OPEN, "li.wei")
    [update] = door.slack.of("chat.update")
    assert not buttons(update["blocks"]) and "已批准 · li.wei" in json.dumps(update, ensure_ascii=False)
    [told] = door.slack.of("chat.postMessage")
    assert told["thread_ts"] == "30.0" and task_id in told["text"]


async def test_a_draft_is_turned_down(door: Door) -> None:
    message, task_id = await drafted(door)
    await press(door, message, "驳回", at="7.1")
    task = door.api.state.app.operations.task(task_id)
    assert task is not None and task.status is TaskStatus.REJECTED
