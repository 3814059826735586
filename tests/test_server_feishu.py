"""Feishu: encrypted and signed events only, each answered once, approvals by cards."""

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from pydantic import SecretStr

from agent.approvals import stored_draft
from store.records import Task, TaskStatus
from tests.agent_home import NOW, make_home, open_home
from tests.serving import Api, api_over

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.asyncio(loop_scope="module"),
]
KEY, TOKEN = "encrypt-key-of-the-app", "verification-token"
PEOPLE = {
    "users": {
        "ou_li": {"user": "li.wei", "role": "manager"},
        "ou_zhang": {"user": "zhang", "role": "viewer", "scope": ["hq/east"]},
    },
    "rooms": {"oc_all": {}},
}
NPS = "10月NPS是多少？"


class Platform:
    """A stand-in for Feishu's open platform, which keeps what it is asked."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.expire_once = False

    def answer(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, path, body))
        if path.endswith("/internal"):
            return {"code": 0, "tenant_access_token": "t-1", "expire": 7200}
        if self.expire_once:
            self.expire_once = False
            return {"code": 99991663, "msg": "token expired"}
        return {"code": 0, "data": {"message_id": f"om_{len(self.calls)}"}}

    def cards(self, method: str) -> list[str]:
        return [body["content"] for verb, path, body in self.calls if verb == method and "/im/" in path]


@contextmanager
def platform() -> Iterator[Platform]:
    made = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told = json.dumps(made.answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_PATCH = do_POST  # noqa: N815 - the name that http.server calls

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def sealed(event: dict[str, Any], key: str = KEY) -> bytes:
    padder = PKCS7(128).padder()
    padded = padder.update(json.dumps(event).encode()) + padder.finalize()
    vector = b"0123456789abcdef"
    cipher = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(vector)).encryptor()
    body = base64.b64encode(vector + cipher.update(padded) + cipher.finalize()).decode()
    return json.dumps({"encrypt": body}).encode()


def request(event: dict[str, Any], *, key: str = KEY, age_s: int = 0, signed: bool = True) -> httpx.Request:
    body, stamp, nonce = sealed(event, key), str(int(time.time()) - age_s), "n0nce"
    made = hashlib.sha256(f"{stamp}{nonce}{KEY}".encode() + body).hexdigest()
    headers = {
        "x-lark-request-timestamp": stamp,
        "x-lark-request-nonce": nonce,
        "content-type": "application/json",
    }
    if signed:
        headers["x-lark-signature"] = made
    return httpx.Request("POST", "http://127.0.0.1:8765/feishu/events", content=body, headers=headers)


def message(
    text: str, message_id: str, *, user: str = "ou_li", chat: str = "oc_p2p", kind: str = "p2p", **more: Any
) -> dict[str, Any]:
    mentions = [{"key": "@_user_1", "id": {"open_id": "ou_bot"}}] if kind == "group" else []
    return {
        "schema": "2.0",
        "header": {"event_id": f"ev-{message_id}", "event_type": "im.message.receive_v1", "token": TOKEN},
        "event": {
            "sender": {"sender_id": {"open_id": user}, "sender_type": "user"},
            "message": {
                "message_id": message_id, "chat_id": chat, "chat_type": kind, "message_type": "text",
                "content": json.dumps({"text": f"@_user_1 {text}" if mentions else text}), "mentions": mentions, **more,
            },
        },
    }  # fmt: skip


class Door:
    def __init__(self, api: Api, feishu: Platform) -> None:
        self.api, self.feishu = api, feishu

    async def send(self, asked: httpx.Request) -> httpx.Response:
        answer = await self.api.client.send(asked)
        assert self.api.state.feishu is not None
        await self.api.state.feishu.desk.settled()
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    home = make_home(tmp_path_factory.mktemp("feishu"))
    (home / "feishu.yaml").write_text(yaml.safe_dump(PEOPLE), encoding="utf-8")
    with platform() as feishu:
        given = {
            "feishu_app_id": "cli_1",
            "feishu_app_secret": SecretStr("s"),
            "feishu_encrypt_key": SecretStr(KEY),
            "feishu_verification_token": SecretStr(TOKEN),
            "feishu_api_url": feishu.url,
        }
        with open_home(home, **given) as app:
            async with api_over(app) as api:
                yield Door(api, feishu)


@pytest.fixture
def door(one_door: Door) -> Door:
    one_door.feishu.calls = []
    return one_door


async def test_the_address_may_be_checked(door: Door) -> None:
    check = {"type": "url_verification", "challenge": "abc", "token": TOKEN}
    assert (await door.send(request(check, signed=False))).json() == {"challenge": "abc"}


async def test_three_deliveries_of_a_message_give_one_answer(door: Door) -> None:
    for _ in range(3):
        assert (await door.send(request(message(NPS, "om_q1")))).json() == {}
    assert len(door.feishu.cards("POST")) == 1
    [answer] = door.feishu.cards("PATCH")
    assert "n=56" in answer


async def test_a_follow_up_goes_on_and_an_expired_token_is_asked_for_again(door: Door) -> None:
    door.feishu.expire_once = True
    await door.send(request(message("那各地区呢？", "om_q2")))
    assert "广东" in json.loads(door.feishu.cards("PATCH")[-1])["elements"][0]["content"]
    assert sum(path.endswith("/internal") for _, path, _ in door.feishu.calls) == 1


@pytest.mark.parametrize("how", [{"age_s": 301}, {"signed": False}, {"key": "another"}])
async def test_a_wrong_old_or_missing_signature_is_refused(door: Door, how: dict[str, Any]) -> None:
    assert (await door.send(request(message(NPS, "om_q3"), **how))).status_code == 401
    assert not door.feishu.calls


async def test_a_group_whose_members_may_see_all_is_answered_there(door: Door) -> None:
    await door.send(request(message(NPS, "om_q4", chat="oc_all", kind="group")))
    assert [path for verb, path, _ in door.feishu.calls if verb == "POST" and "/im/" in path] == [
        "/open-apis/im/v1/messages/om_q4/reply"
    ]


async def test_in_any_other_group_the_answer_comes_by_direct_message(door: Door) -> None:
    await door.send(request(message(NPS, "om_q5", chat="oc_some", kind="group")))
    aside, direct = [body for verb, path, body in door.feishu.calls if verb == "POST" and "/im/" in path]
    assert "n=56" not in aside["content"] and direct["receive_id"] == "ou_li"


async def test_a_stranger_is_told_their_id(door: Door) -> None:
    await door.send(request(message(NPS, "om_q6", user="ou_x")))
    [words] = door.feishu.cards("POST")
    assert "ou_x" in words and not door.feishu.cards("PATCH")


async def test_a_card_approves_once_and_only_for_who_may(door: Door) -> None:
    operations = door.api.state.app.operations
    task = Task(
        task_id="task-1",
        status=TaskStatus.PENDING_APPROVAL,
        owner="陈",
        summary="回访",
        created_at=NOW,
        created_by="li.wei",
    )
    operations.propose_task(task)
    digest = stored_draft(task, expired=False).digest

    def press(user: str, event_id: str) -> httpx.Request:
        value = {"kind": "task", "id": "task-1", "digest": digest, "language": "zh", "decision": "approve"}
        return request(
            {
                "schema": "2.0",
                "header": {"event_id": event_id, "event_type": "card.action.trigger", "token": TOKEN},
                "event": {
                    "operator": {"open_id": user},
                    "action": {"value": value},
                    "context": {"open_message_id": "om_1"},
                },
            }
        )

    await door.send(press("ou_zhang", "p1"))
    [refused] = door.feishu.cards("POST")
    assert "viewer" in refused
    door.feishu.calls = []
    for _ in range(3):
        await door.send(press("ou_li", "p2"))
    decided = operations.task("task-1")
    assert decided is not None and (decided.status, decided.approved_by) == (TaskStatus.OPEN, "li.wei")
    assert len(door.feishu.cards("POST")) == 1
