"""Socket Mode: what comes over the connection that we opened is taken and answered like a request."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from pydantic import SecretStr

from tests.agent_home import make_home
from tests.slack_workspace import BOT, TEAM, workspace
from tests.test_server_slack import NPS, door_over

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


async def test_a_mention_over_the_socket_is_acknowledged_and_answered(tmp_path: Path) -> None:
    acknowledged: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    event = {"type": "app_mention", "user": "U1", "text": f"<@{BOT}> {NPS}", "ts": "1.1", "channel": "C1"}
    payload = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event": event}

    async def connected(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        await socket.send_json(
            {"type": "events_api", "envelope_id": "E1", "payload": payload, "accepts_response_payload": False}
        )
        async for message in socket:
            if message.type is WSMsgType.TEXT and "envelope_id" in message.data and not acknowledged.done():
                acknowledged.set_result(json.loads(message.data)["envelope_id"])
        return socket

    application = web.Application()
    application.router.add_get("/socket", connected)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        with workspace() as slack:
            slack.socket = f"ws://127.0.0.1:{runner.addresses[0][1]}/socket"
            given: dict[str, Any] = {"slack_app_token": SecretStr("xapp-test"), "slack_signing_secret": None}
            async with door_over(make_home(tmp_path), slack, **given) as door:
                assert await asyncio.wait_for(acknowledged, 60) == "E1"
                assert door.api.state.slack is not None
                await door.api.state.slack.desk.settled()
                assert "n=56" in json.dumps(slack.of("chat.update")[-1], ensure_ascii=False)
                # Without a signing secret nobody may come by HTTP.
                assert (await door.api.client.send(slack.mention(NPS, ts="1.2"))).status_code == 404
    finally:
        await runner.cleanup()
