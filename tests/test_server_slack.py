"""Slack: every way to ask is answered, once, in the scope of whoever asks, and only signed requests are taken."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from pydantic import SecretStr

from tests.agent_home import make_home, open_home
from tests.serving import Api, api_over
from tests.slack_workspace import BOT, SECRET, Workspace, workspace

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    # One server for all tests of this file: each asks in threads of its own.
    pytest.mark.asyncio(loop_scope="module"),
]

PEOPLE: dict[str, Any] = {
    "users": {
        "U1": {"user": "li.wei", "role": "manager"},
        "U2": {"user": "zhang", "role": "viewer", "scope": ["hq/east"]},
        "U3": {"user": "wang", "role": "manager"},
    },
    "groups": {"S1": {"role": "viewer"}},
    "rooms": {"C1": {}, "CEAST": {"scope": ["hq/east"]}},
}
NPS = "10月NPS是多少？"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("slack"))


@pytest.fixture(scope="module")
def one_slack() -> Iterator[Workspace]:
    with workspace() as made:
        made.members["S1"] = ["U7"]
        yield made


class Door:
    """The server with a workspace before it."""

    def __init__(self, api: Api, slack: Workspace) -> None:
        self.api, self.slack = api, slack

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send what Slack sends, and wait until all of it is dealt with."""
        answer = await self.api.client.send(request)
        assert self.api.state.slack is not None
        await self.api.state.slack.desk.settled()
        return answer


@asynccontextmanager
async def door_over(
    home: Path, slack: Workspace, people: dict[str, Any] = PEOPLE, **settings: Any
) -> AsyncIterator[Door]:
    file = home.parent / "slack.yaml"
    file.write_text(yaml.safe_dump(people), encoding="utf-8")
    given = {
        "slack_bot_token": SecretStr("xoxb-test"),
        "slack_signing_secret": SecretStr(SECRET),
        "slack_api_url": slack.api_url,
        "slack": file,
    }
    with open_home(home, **{**given, **settings}) as app:
        async with api_over(app) as api:
            yield Door(api, slack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_door(home: Path, one_slack: Workspace) -> AsyncIterator[Door]:
    async with door_over(home, one_slack) as made:
        yield made


@pytest.fixture
def door(one_door: Door) -> Door:
    one_door.slack.forget()
    return one_door


async def test_a_mention_is_answered_in_its_thread_where_the_placeholder_was(door: Door) -> None:
    answer = await door.send(door.slack.mention(NPS, ts="1.1"))
    assert (answer.status_code, answer.text) == (200, "")
    [placeholder] = door.slack.of("chat.postMessage")
    assert (placeholder["channel"], placeholder["thread_ts"]) == ("C1", "1.1")
    updates = door.slack.of("chat.update")
    assert "56" in json.dumps(updates[-1]["blocks"], ensure_ascii=False)
    assert updates[-1]["blocks"][0]["type"] == "section"
    assert "正在分析" in placeholder["text"]


async def test_a_retried_event_and_the_message_of_a_mention_are_answered_once(door: Door) -> None:
    request = door.slack.mention(NPS, ts="2.1")
    for _ in range(3):
        again = httpx.Request("POST", request.url, content=request.content, headers=request.headers)
        assert (await door.send(again)).status_code == 200
    told_again = door.slack.message(f"<@{BOT}> {NPS}", channel="C1", ts="2.1", channel_type="channel")
    assert (await door.send(told_again)).status_code == 200
    assert len(door.slack.of("chat.postMessage")) == 1
    assert len(await turns(door, "slack-C1-2.1", "li.wei")) == 1


async def turns(door: Door, thread: str, user: str, **asker: Any) -> list[Any]:
    from tools.context import Asker

    return await door.api.state.assistant.turns(
        thread, Asker(user, asker.get("role", "manager"), asker.get("scope", ()))
    )


async def test_a_follow_up_in_our_thread_needs_no_mention_and_goes_on_from_it(door: Door) -> None:
    await door.send(door.slack.mention(NPS, ts="3.1"))
    await door.send(
        door.slack.message("那各地区呢？", channel="C1", ts="3.2", thread_ts="3.1", channel_type="channel")
    )
    assert "广东" in json.dumps(door.slack.of("chat.update")[-1], ensure_ascii=False)
    assert len(await turns(door, "slack-C1-3.1", "li.wei")) == 2


async def test_a_colleague_goes_on_where_another_with_the_same_scope_has_asked(door: Door) -> None:
    await door.send(door.slack.mention(NPS, ts="4.1"))
    await door.send(
        door.slack.message(
            "那各地区呢？", user="U3", channel="C1", ts="4.2", thread_ts="4.1", channel_type="channel"
        )
    )
    assert "广东" in json.dumps(door.slack.of("chat.update")[-1], ensure_ascii=False)
    assert [turn.question for turn in await turns(door, "slack-C1-4.1", "wang")] == [NPS, "那各地区呢？"]


@pytest.mark.parametrize(
    "event",
    [
        {"text": NPS, "thread_ts": "9.9"},  # somebody else's thread
        {"text": NPS},  # nobody asked us
        {"text": NPS, "subtype": "message_changed"},
        {"text": NPS, "bot_id": "B2"},
        {"text": "<@U3> " + NPS, "thread_ts": "9.9"},
    ],
)  # fmt: skip
async def test_what_is_none_of_our_business_is_left_alone(door: Door, event: dict[str, Any]) -> None:
    answer = await door.send(door.slack.message(channel="C1", ts="9.91", channel_type="channel", **event))
    assert answer.status_code == 200
    assert {call.method for call in door.slack.calls} <= {"auth.test"}


async def test_a_direct_message_is_answered_and_gone_on_with(door: Door) -> None:
    await door.send(door.slack.message(NPS, ts="5.1"))
    await door.send(door.slack.message("那各地区呢？", ts="5.2"))
    assert "广东" in json.dumps(door.slack.of("chat.update")[-1], ensure_ascii=False)
    assert all("thread_ts" not in one for one in door.slack.of("chat.postMessage"))


async def test_an_assistant_thread_greets_shows_a_status_and_answers(door: Door) -> None:
    started = {
        "type": "assistant_thread_started",
        "assistant_thread": {"user_id": "U1", "channel_id": "D1", "thread_ts": "6.0", "context": {}},
    }
    await door.send(door.slack.event(started))
    [prompts] = door.slack.of("assistant.threads.setSuggestedPrompts")
    assert len(prompts["prompts"]) == 3
    await door.send(door.slack.message(NPS, ts="6.1", thread_ts="6.0"))
    assert door.slack.of("assistant.threads.setStatus")[0]["thread_ts"] == "6.0"
    answer = door.slack.of("chat.postMessage")[-1]
    assert answer["thread_ts"] == "6.0" and "56" in json.dumps(answer["blocks"])


async def test_a_command_is_answered_to_whoever_gave_it_alone(door: Door) -> None:
    answer = await door.send(door.slack.command(NPS))
    assert answer.json()["response_type"] == "ephemeral"
    [respond] = door.slack.of("respond")
    assert respond["response_type"] == "ephemeral" and "56" in json.dumps(respond["blocks"])
    assert not door.slack.of("chat.postMessage")
    assert "/voice" in (await door.send(door.slack.command("帮助", trigger="t2"))).json()["text"]


@pytest.mark.parametrize("how", [{"secret": "another"}, {"age_s": 301}])
async def test_a_wrong_or_old_signature_is_refused(door: Door, how: dict[str, Any]) -> None:
    event = {"type": "message", "user": "U1", "text": NPS, "ts": "7.1", "channel": "D1", "channel_type": "im"}
    assert (await door.send(door.slack.event(event, **how))).status_code == 401
    assert not door.slack.calls


async def test_a_changed_body_or_a_missing_signature_is_refused(door: Door) -> None:
    request = door.slack.message(NPS, ts="7.2")
    changed = httpx.Request("POST", request.url, content=request.content + b" ", headers=request.headers)
    changed.headers["content-length"] = str(len(request.content) + 1)
    assert (await door.send(changed)).status_code == 401
    assert (await door.api.client.post("/slack/events", json={"type": "event_callback"})).status_code == 401
    assert not door.slack.calls


async def test_slack_may_check_the_address(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"})
    answer = await door.send(door.slack.signed("events", body, kind="application/json"))
    assert answer.status_code == 200 and "abc" in answer.text


async def test_a_stranger_is_refused_politely_and_told_their_id(door: Door) -> None:
    await door.send(door.slack.mention(NPS, user="U9", ts="8.1"))
    [words] = door.slack.of("chat.postEphemeral")
    assert words["user"] == "U9" and "U9" in words["text"]
    assert not door.slack.of("chat.postMessage")


async def test_the_members_of_a_user_group_have_its_role(door: Door) -> None:
    await door.send(door.slack.mention(NPS, user="U7", ts="8.3"))
    assert len(await turns(door, "slack-C1-8.3", "slack:U7", role="viewer")) == 1


async def test_where_others_may_not_see_as_much_the_answer_comes_by_direct_message(door: Door) -> None:
    await door.send(door.slack.mention(NPS, channel="CEAST", ts="10.1"))
    posted = door.slack.of("chat.postMessage")
    assert {one["channel"] for one in posted} == {"DU1"}
    [hint] = door.slack.of("chat.postEphemeral")
    assert (hint["channel"], hint["user"]) == ("CEAST", "U1")
    assert "56" in json.dumps(door.slack.of("chat.update")[-1]["blocks"])


async def test_the_scope_of_whoever_asks_holds_in_a_channel(door: Door) -> None:
    await door.send(door.slack.mention(NPS, user="U2", channel="CEAST", ts="11.1"))
    assert {one["channel"] for one in door.slack.of("chat.postMessage")} == {"CEAST"}
    assert "n=56" not in json.dumps(door.slack.of("chat.update")[-1], ensure_ascii=False)
    scoped = await turns(door, "slack-CEAST-11.1", "zhang", role="viewer", scope=("hq/east",))
    assert len(scoped) == 1


async def test_a_table_of_groups_comes_with_its_chart_as_a_picture(door: Door) -> None:
    await door.send(door.slack.mention("各地区的NPS是多少？", ts="12.1"))
    [upload] = door.slack.uploads
    assert b"PNG" in upload[:400]
    [shown] = door.slack.of("files.completeUploadExternal")
    assert (shown["channel_id"], shown["thread_ts"]) == ("C1", "12.1")


async def test_what_slack_refuses_is_tried_again_and_the_answer_is_not_asked_for_twice(door: Door) -> None:
    door.slack.failures["chat.update"] = ["internal_error"]
    await door.send(door.slack.mention(NPS, ts="13.1"))
    assert len(await turns(door, "slack-C1-13.1", "li.wei")) == 1
    assert "56" in json.dumps(door.slack.of("chat.update")[-1].get("blocks", ""))
    assert len(door.slack.of("chat.postMessage")) == 1
