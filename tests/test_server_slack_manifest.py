"""The manifest asks Slack for just what the code uses."""

import ast
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from server.routes_slack import router
from server.slack_events import COMMAND_NAME, EVENTS

ROOT = Path(__file__).resolve().parents[1]
# The scope that each method of the Web API takes, by docs.slack.dev/reference/methods; None: any token will do.
SCOPES = {
    "auth_test": None,
    "chat_postMessage": "chat:write",
    "chat_postEphemeral": "chat:write",
    "chat_update": "chat:write",
    "conversations_open": "im:write",
    "assistant_threads_setStatus": "assistant:write",
    "assistant_threads_setSuggestedPrompts": "assistant:write",
    "files_upload_v2": "files:write",
    "usergroups_users_list": "usergroups:read",
    "views_open": None,
}
# And each event: what is subscribed to in its place, and what that takes.
EVENT_SCOPES = {
    "app_mention": {"app_mention": "app_mentions:read"},
    "assistant_thread_started": {"assistant_thread_started": "assistant:write"},
    "message": {
        "message.channels": "channels:history",
        "message.groups": "groups:history",
        "message.im": "im:history",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "deploy/slack/manifest.yaml").read_text(encoding="utf-8"))
    return loaded


def called() -> set[str]:
    """The methods of Slack's client that the code calls."""
    names = set()
    for path in (ROOT / "server").glob("slack_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                on = ast.unparse(node.func.value)
                # The client of the socket is another one.
                if on.endswith("client") and not on.startswith("handler"):
                    names.add(node.func.attr)
    return names - {"retry_handlers"}


def test_the_scopes_are_those_of_the_methods_and_events_that_are_used(manifest: dict[str, Any]) -> None:
    assert called() <= set(SCOPES), "say which scope it takes, here and in the manifest"
    methods = {SCOPES[name] for name in called()} - {None}
    events = {scope for name in EVENTS for scope in EVENT_SCOPES[name].values()}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == methods | events | {"commands"}


def test_the_events_are_those_that_are_listened_to(manifest: dict[str, Any]) -> None:
    subscribed = {one for name in EVENTS for one in EVENT_SCOPES[name]}
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == subscribed


def test_the_addresses_are_those_of_the_server(manifest: dict[str, Any]) -> None:
    settings, [command] = manifest["settings"], manifest["features"]["slash_commands"]
    told = {
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        command["url"],
    }
    routes = {getattr(route, "path", "") for route in router.routes}
    assert {urlsplit(url).path for url in told} == routes
    assert command["command"] == COMMAND_NAME


def test_the_limits_of_a_manifest_are_kept(manifest: dict[str, Any]) -> None:
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["assistant_view"]["assistant_description"]) <= 300
    assert "assistant:write" in manifest["oauth_config"]["scopes"]["bot"]
