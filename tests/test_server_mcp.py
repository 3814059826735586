"""MCP over HTTP with the official SDK's client: what is offered, to whom, and what a key may not learn."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest
from mcp import MCPError

from agent.settings import Settings
from agent.wiring import App, open_app
from pipeline.account import IngestOptions
from server.mcp_words import mcp_words
from store.clock import FixedClock
from store.keys import Role
from store.records import TaskStatus
from tests.mcp_clients import MODES, ROOT, over_http, said
from tests.serving import serve_api
from tools.catalogue import ALL_TOOLS
from tools.registry import RANK

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)
EAST, WEST = "east/s1", "west-canary/s9"
PER_UNIT = 20
ROWS = "feedback_id,occurred_at,text,nps,org_unit,customer_id\n" + "".join(
    f"{name}-{day},2026-10-{day:02d},{words}第{day}次,{score},{unit},{name}-c{day % 4}\n"
    for day in range(1, PER_UNIT + 1)
    for name, unit, score, words in (
        ("e", EAST, 9, "质量很好，很满意"),
        ("w", WEST, 1, "客服态度差，要求退款，金丝雀"),
    )
)
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
BOTH = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("mcp")
    feed = folder / "feed.csv"
    feed.write_text(ROWS, encoding="utf-8")
    with open_app(Settings(home=folder / "home", _env_file=None), FixedClock(NOW)) as app:
        assert app.ingestor.ingest([feed], IngestOptions()).stored == 2 * PER_UNIT
        yield app


@pytest.fixture(scope="module")
def url(app: App) -> Iterator[str]:
    with serve_api(app) as address:
        yield address


def key(app: App, role: Role, *scope: str) -> dict[str, str]:
    name = f"{role}-{len(app.keys.all())}"
    made = app.keys.create(name=name, role=role, scope=scope, created_by="test")
    return {"Authorization": f"Bearer {made.token}"}


def key_id(headers: dict[str, str]) -> str:
    return headers["Authorization"].split("_")[1]


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_of_either_protocol_sees_tools_schemas_and_hints(
    app: App, url: str, mode: str
) -> None:
    async with over_http(url, key(app, "admin"), mode=mode) as client:
        tools = {one.name: one for one in (await client.list_tools()).tools}
        found = await client.call_tool("nps_stats", {"group_by": ["org_unit"]})
    assert set(tools) == {"ask", "approve", "list_approvals", *(spec.name for spec in ALL_TOOLS)}
    nps = tools["nps_stats"]
    assert nps.description is not None and "Net Promoter" in nps.description
    assert set(nps.input_schema["properties"]) >= {"period", "filters", "group_by"}
    assert nps.output_schema is not None and "evidence" in nps.output_schema["properties"]
    hints = {
        name: one.annotations and (one.annotations.read_only_hint, one.annotations.destructive_hint)
        for name, one in tools.items()
    }
    assert hints["nps_stats"] == (True, False)
    assert hints["create_retention_task"] == (False, False)
    assert hints["approve"] == (False, True)
    assert found.structured_content["n"] == 2 * PER_UNIT
    assert json.loads(said(found))["data"]["nps"] == found.structured_content["data"]["nps"] == 0.0


async def test_descriptions_results_and_refusals_are_in_the_language_of_the_client(
    app: App, url: str
) -> None:
    async with over_http(url, key(app, "viewer"), language="zh-CN") as client:
        tools = {one.name: one for one in (await client.list_tools()).tools}
        prompt = await client.get_prompt("weekly_review", {"period": "10月"})
        found = await client.call_tool("nps_stats", {"filters": {"org_unit": "no-such"}})
        wrong = await client.call_tool("no_such_tool", {})
    assert "净推荐值" in (tools["nps_stats"].description or "")
    assert tools["ask"].input_schema["properties"]["question"]["description"] == "问题，中文或英文"
    assert "请复盘「10月」" in prompt.messages[0].content.text  # type: ignore[union-attr]
    assert "没有名为" in said(wrong)
    assert any("\u4e00" <= sign <= "\u9fff" for sign in said(found))


@pytest.mark.parametrize("role", ["viewer", "analyst", "service", "manager", "admin"])
async def test_what_a_role_may_not_use_is_neither_listed_nor_run(app: App, url: str, role: Role) -> None:
    async with over_http(url, key(app, role)) as client:
        listed = {one.name for one in (await client.list_tools()).tools}
        prompts = {one.name for one in (await client.list_prompts()).prompts}
        may = {one.name for one in ALL_TOOLS if RANK[role] >= RANK[one.role]}
        may |= {"ask"} | ({"approve", "list_approvals"} if RANK[role] >= RANK["manager"] else set())
        assert listed == may
        assert ("keep_customers" in prompts) == (RANK[role] >= RANK["analyst"])
        for name in {"approve", "list_approvals", "create_retention_task"} - listed:
            refused = await client.call_tool(name, {})
            assert refused.is_error and "not permitted" in said(refused), name


async def test_a_viewer_of_one_unit_learns_nothing_of_another(app: App, url: str) -> None:
    async with over_http(url, key(app, "viewer", "east")) as client:
        nps = await client.call_tool("nps_stats", {"group_by": ["org_unit"]})
        assert nps.structured_content["n"] == PER_UNIT
        asked = await client.call_tool("ask", {"question": "How many feedback items by org unit, and NPS?"})
        for tool, args in (
            ("search_feedback", {"contains": ["金丝雀"]}),
            ("customer_360", {"customer_id": "w-c1"}),
            ("metric_stats", {"metric": "volume", "group_by": ["org_unit", "customer_id"]}),
            ("nps_stats", {"filters": {"org_unit": WEST}}),
        ):
            found = await client.call_tool(tool, args)
            shown = json.dumps(found.structured_content, ensure_ascii=False) + said(found)
            # What was asked for may be said again; nothing else.
            assert "金丝雀第" not in shown and "w-1" not in shown, tool
            assert found.is_error or tool not in ("customer_360", "nps_stats"), tool
        own = await client.read_resource("voiceloop://feedback/e-1")
        assert json.loads(own.contents[0].text)["feedback"]["feedback_id"] == "e-1"  # type: ignore[union-attr]
        refused = []
        for name in ("w-1", "there-is-none"):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(f"voiceloop://feedback/{name}")
            refused.append(str(caught.value))
        assert refused[0] == refused[1] and "not permitted" in refused[0]
        report = await client.read_resource("voiceloop://insights/monthly")
    told = said(asked) + report.contents[0].text  # type: ignore[union-attr]
    assert "canary" not in told and "金丝雀" not in told
    assert asked.structured_content["tool_calls"][0]["n"] == PER_UNIT


async def test_what_acts_only_drafts_and_who_may_approves_by_id(app: App, url: str) -> None:
    async with over_http(url, key(app, "analyst")) as analyst, over_http(url, key(app, "manager")) as manager:
        drafted = await analyst.call_tool("create_retention_task", {"customer_ids": ["w-c1"]})
        task = drafted.structured_content["data"]["tasks"][0]["task_id"]
        status = {one.task_id: one.status for one in app.operations.tasks()}
        assert status[task] is TaskStatus.PENDING_APPROVAL
        tried = await analyst.call_tool("approve", {"approve": [task]})
        assert tried.is_error and "not permitted" in said(tried)
        waiting = await manager.call_tool("list_approvals", {})
        assert [one["id"] for one in waiting.structured_content["approvals"]] == [task]
        done = await manager.call_tool("approve", {"approve": [task]})
        again = await manager.call_tool("approve", {"approve": [task]})
        everything = await manager.call_tool("approve", {"approve": "all"})
    assert done.structured_content["approved"] == [task]
    assert again.structured_content["already"][0]["id"] == task
    assert everything.is_error
    assert {one.task_id: one.status for one in app.operations.tasks()}[task] is TaskStatus.OPEN


async def test_ask_tells_its_steps_and_goes_on_in_its_thread(app: App, url: str) -> None:
    told: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with over_http(url, key(app, "analyst")) as client:
        first = await client.call_tool(
            "ask", {"question": "What was NPS in 2026-10?"}, progress_callback=hear
        )
        thread = first.structured_content["thread_id"]
        more = await client.call_tool("ask", {"question": "By org unit?", "thread_id": thread})
    assert told[:2] == ["calling nps_stats", f"nps_stats answered, n = {2 * PER_UNIT}"]
    assert first.structured_content["figures"] and thread in said(first)
    assert more.structured_content["thread_id"] == thread and EAST in said(more)


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_is_cancelled_leaves_the_client_in_working_order(
    app: App, url: str, mode: str
) -> None:
    async with over_http(url, key(app, "analyst"), mode=mode) as client:
        with anyio.CancelScope() as scope:

            async def leave(progress: float, total: float | None, message: str | None) -> None:
                scope.cancel()

            await client.call_tool("ask", {"question": "NPS by org unit?"}, progress_callback=leave)
        assert scope.cancelled_caught
        after = await client.call_tool("nps_stats", {})
    assert after.structured_content["n"] == 2 * PER_UNIT


async def test_two_clients_at_once_each_get_what_is_theirs(app: App, url: str) -> None:
    async def count(headers: dict[str, str]) -> set[int]:
        async with over_http(url, headers) as client:
            found = await asyncio.gather(*(client.call_tool("nps_stats", {}) for _ in range(5)))
        return {one.structured_content["n"] for one in found}

    one, both = key(app, "viewer", "east"), key(app, "viewer")
    found = await asyncio.gather(count(one), count(both), count(one))
    assert list(found) == [{PER_UNIT}, {2 * PER_UNIT}, {PER_UNIT}]


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("nps_stats", {"period": {"from": "'; DROP TABLE feedback; --"}}),
        ("nps_stats", {"filters": {"x\x00y": ["\ufffd\u202e"]}}),
        ("nps_stats", {"filters": {"org_unit": {"$ne": None}}}),
        ("nps_stats", {"group_by": ["a" * 50_000]}),
        ("nps_stats", {"limit": 10**30}),
        ("nps_stats", {"surprise": True}),
        ("search_feedback", {"query": "x" * 200_000}),
        ("ask", {"question": " "}),
        ("ask", {"question": "x" * 9_000}),
        ("ask", {"question": 1}),
        ("ask", {"question": "NPS?", "thread_id": "../../etc/passwd\x00"}),
        ("approve", {"approve": ["x"] * 1_000}),
        ("approve", {"approve": ["there-is-none"]}),
        ("../../etc/passwd", {}),
        ("", {}),
    ],
)
async def test_hostile_arguments_are_refused_in_words(
    app: App, url: str, tool: str, args: dict[str, Any]
) -> None:
    async with over_http(url, key(app, "admin")) as client:
        try:
            answer = said(found := await client.call_tool(tool, args))
            refused = bool(found.is_error)
        except (MCPError, UnicodeEncodeError, ValueError) as error:
            answer, refused = str(error), True
        assert refused and len(answer) < 3_000
        assert "Traceback" not in answer and "/server/" not in answer and "request id" not in answer
        assert (await client.call_tool("nps_stats", {})).structured_content["n"] == 2 * PER_UNIT


@pytest.mark.parametrize(
    "uri",
    ["voiceloop://feedback/no-such", "voiceloop://keys", "file:///etc/passwd", "voiceloop://insights/x"],
)
async def test_what_is_no_resource_or_prompt_is_an_error_of_the_protocol(
    app: App, url: str, uri: str
) -> None:
    async with over_http(url, key(app, "viewer")) as client:
        with pytest.raises(MCPError, match="there is no"):
            await client.read_resource(uri)
        with pytest.raises(MCPError, match="no prompt"):
            await client.get_prompt("keep_customers")
        with pytest.raises(MCPError, match="no arguments"):
            await client.get_prompt("find_cause", {"system": "obey"})
        listed = await client.list_resources()
        templates = await client.list_resource_templates()
    assert {one.uri for one in listed.resources} >= {"voiceloop://themes", "voiceloop://insights/weekly"}
    assert "voiceloop://feedback/{feedback_id}" in {one.uri_template for one in templates.resource_templates}


def test_without_a_key_or_from_a_foreign_page_nothing_is_served(app: App, url: str) -> None:
    good = {**BOTH, **key(app, "viewer")}

    def post(headers: dict[str, str]) -> httpx.Response:
        return httpx.post(f"{url}/mcp", json=INITIALIZE, headers=headers, trust_env=False)

    assert post(good).status_code == 200
    wrong = post({**BOTH, "Authorization": "Bearer vl_wrong_key"})
    assert wrong.status_code == 401 and wrong.headers["WWW-Authenticate"].startswith("Bearer")
    assert post(BOTH).status_code == 401
    assert post({**good, "Origin": "https://evil.example"}).status_code == 403
    assert post({**good, "Origin": url}).status_code == 200
    assert httpx.get(f"{url}/mcp", headers=good, trust_env=False).status_code == 405
    large = {**INITIALIZE, "params": {"filler": "x" * 2_000_000}}
    assert httpx.post(f"{url}/mcp", json=large, headers=good, trust_env=False).status_code == 413


def test_a_session_ends_with_its_key_and_is_of_no_use_to_another(app: App, url: str) -> None:
    mine, other = {**BOTH, **key(app, "viewer")}, {**BOTH, **key(app, "admin")}
    begun = httpx.post(f"{url}/mcp", json=INITIALIZE, headers=mine, trust_env=False)
    session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-06-18"}
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}

    def status(headers: dict[str, str]) -> int:
        sent = {**headers, **session}
        return httpx.post(f"{url}/mcp", json=listing, headers=sent, trust_env=False).status_code

    assert status(mine) == 200
    assert status(other) == 404
    app.keys.revoke(key_id(mine), revoked_by="test")
    assert status(mine) == 401


async def test_reads_are_audited_with_the_key(app: App, url: str) -> None:
    headers = key(app, "viewer")
    async with over_http(url, headers) as client:
        await client.read_resource("voiceloop://feedback/e-2")
        await client.call_tool("customer_360", {"customer_id": "e-c1"})
    for _ in range(100):
        kept = [one for one in app.operations.audit_entries() if one.detail.get("key") == key_id(headers)]
        if len(kept) == 2:
            break
        await asyncio.sleep(0.05)
    assert [(one.action, one.subject) for one in kept] == [
        ("feedback.read", "e-2"),
        ("tool.run", "customer_360"),
    ]


def test_the_client_of_the_guide_runs_as_it_is_written(
    app: App, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    code = guide.partition("```python\n")[2].partition("```")[0]
    token = key(app, "viewer")["Authorization"].removeprefix("Bearer ")
    for written, here in (("vl_...", token), ("http://127.0.0.1:8000", url), ("last 30 days", "2026-10")):
        assert written in code
        code = code.replace(written, here)
    exec(compile(code, "docs/mcp.md", "exec"), {})
    assert "'nps': 0.0" in capsys.readouterr().out


def test_the_words_of_the_server_are_complete_in_both_languages() -> None:
    def check(node: Any, path: str) -> None:
        if isinstance(node, dict) and "zh" in node:
            assert set(node) == {"zh", "en"} and all(node.values()), path
        elif isinstance(node, dict):
            for name, one in node.items():
                check(one, f"{path}/{name}")

    words = mcp_words()
    for part in ("instructions", "tools", "lines", "resources", "prompts"):
        check(words[part], part)
    for name in words["prompts"]:
        for language in ("zh", "en"):
            assert (ROOT / "prompts" / f"mcp_{name}_{language}.md").is_file()
