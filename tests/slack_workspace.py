"""A stand-in for Slack: its Web API on loopback, which keeps every call, and requests signed as Slack signs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from slack_sdk.signature import SignatureVerifier

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT, TEAM = "U0BOT", "T0TEAM"


class Call(NamedTuple):
    method: str
    args: dict[str, Any]


class Workspace:
    """`calls` in order. `failures` maps a method to the errors of its next calls; `members` groups to ids."""

    def __init__(self) -> None:
        self.url = self.socket = ""
        self.calls: list[Call] = []
        self.failures: dict[str, list[str]] = {}
        self.members: dict[str, list[str]] = {}
        self.uploads: list[bytes] = []
        self._changed = threading.Condition()
        self._made = 0

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def of(self, method: str) -> list[dict[str, Any]]:
        """The arguments of every call of a method."""
        with self._changed:
            return [call.args for call in self.calls if call.method == method]

    def forget(self) -> None:
        """Begin anew."""
        with self._changed:
            self.calls, self.uploads, self.failures = [], [], {}

    def answer(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            self.calls.append(Call(method, args))
            self._made += 1
            made = self._made
            self._changed.notify_all()
            if failing := self.failures.get(method):
                return {"ok": False, "error": failing.pop(0)}
        ts = f"1700000000.{made:06d}"
        if method == "auth.test":
            return {
                "ok": True,
                "user_id": BOT,
                "bot_id": "B0BOT",
                "team_id": TEAM,
                "url": "https://x.slack.com/",
            }
        if method == "apps.connections.open":
            return {"ok": True, "url": self.socket}
        if method == "conversations.open":
            return {"ok": True, "channel": {"id": f"D{args['users']}"}}
        if method == "usergroups.users.list":
            return {"ok": True, "users": self.members.get(str(args["usergroup"]), [])}
        if method == "files.getUploadURLExternal":
            return {"ok": True, "upload_url": f"{self.url}/upload/{made}", "file_id": f"F{made}"}
        if method == "files.completeUploadExternal":
            return {"ok": True, "files": [{"id": "F1"}]}
        return {"ok": True, "ts": ts, "channel": args.get("channel", "")}

    # What Slack sends.

    def signed(
        self, path: str, body: str, *, kind: str, age_s: int = 0, secret: str = SECRET
    ) -> httpx.Request:
        stamp = str(int(time.time()) - age_s)
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
        headers = {
            "content-type": kind,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature or "",
        }
        return httpx.Request(
            "POST", f"http://127.0.0.1:8765/slack/{path}", content=body.encode(), headers=headers
        )

    def event(self, event: dict[str, Any], *, event_id: str = "", **signed: Any) -> httpx.Request:
        self._made += 1
        body = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": "A0APP",
            "event_id": event_id or f"Ev{self._made:08d}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
            "event": event,
        }
        return self.signed("events", json.dumps(body), kind="application/json", **signed)

    def mention(
        self, text: str, *, user: str = "U1", channel: str = "C1", ts: str, **more: Any
    ) -> httpx.Request:
        event = {
            "type": "app_mention",
            "user": user,
            "text": f"<@{BOT}> {text}",
            "ts": ts,
            "channel": channel,
        }
        return self.event({**event, **more})

    def message(
        self,
        text: str,
        *,
        user: str = "U1",
        channel: str = "D1",
        ts: str,
        channel_type: str = "im",
        **more: Any,
    ) -> httpx.Request:
        event = {"type": "message", "user": user, "text": text, "ts": ts, "channel": channel}
        return self.event({**event, "channel_type": channel_type, **more})

    def command(
        self, text: str, *, user: str = "U1", trigger: str = "13345224609.738474920.8088930838d88f"
    ) -> httpx.Request:
        fields = {
            "command": "/voice", "text": text, "user_id": user, "channel_id": "C1", "team_id": TEAM,
            "trigger_id": trigger, "response_url": f"{self.url}/respond/{trigger}",
        }  # fmt: skip
        return self.signed("commands", urlencode(fields), kind="application/x-www-form-urlencoded")

    def press(
        self,
        button: dict[str, Any],
        message: dict[str, Any],
        *,
        user: str = "U1",
        channel: str = "C1",
        at: str = "1.5",
    ) -> httpx.Request:
        payload = {
            "type": "block_actions", "user": {"id": user, "team_id": TEAM}, "team": {"id": TEAM},
            "trigger_id": f"trigger-{at}", "channel": {"id": channel},
            "container": {"type": "message", "channel_id": channel, "message_ts": message["ts"]},
            "message": message, "response_url": f"{self.url}/respond/{at}",
            "actions": [{**button, "action_ts": at, "block_id": "b"}],
        }  # fmt: skip
        return self._interaction(payload)

    def submit(
        self, view: dict[str, Any], values: dict[str, Any], *, user: str = "U1", view_id: str = "V1"
    ) -> httpx.Request:
        state = {"values": {name: {name: value} for name, value in values.items()}}
        payload = {
            "type": "view_submission", "user": {"id": user, "team_id": TEAM}, "team": {"id": TEAM},
            "view": {**view, "id": view_id, "state": state},
        }  # fmt: skip
        return self._interaction(payload)

    def _interaction(self, payload: dict[str, Any]) -> httpx.Request:
        body = urlencode({"payload": json.dumps(payload)})
        return self.signed("interactions", body, kind="application/x-www-form-urlencoded")


def buttons(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The buttons of a message by their label."""
    actions = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    return {one["text"]["text"]: one for one in actions}


@contextmanager
def workspace() -> Iterator[Workspace]:
    slack = Workspace()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("content-length", 0))))

        def _serve(self, body: bytes) -> None:
            address = urlsplit(self.path)
            if address.path.startswith("/upload/"):
                slack.uploads.append(body)
                self._say(b"OK", "text/plain")
            elif address.path.startswith("/respond/"):
                slack.answer("respond", {"address": address.path, **json.loads(body)})
                self._say(b"ok", "text/plain")
            else:
                args = _args(body, self.headers.get("content-type", ""), address.query)
                told = slack.answer(address.path.removeprefix("/api/"), args)
                self._say(json.dumps(told).encode(), "application/json")

        def _say(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    slack.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _args(body: bytes, kind: str, query: str) -> dict[str, Any]:
    if "json" in kind:
        return dict(json.loads(body))
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    fields |= {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    return {name: json.loads(value) if value[:1] in "[{" else value for name, value in fields.items()}
