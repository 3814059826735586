"""Every route x role x scope: who may, who may not, and that nobody learns of another unit."""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import httpx
import pytest
import pytest_asyncio
import yaml
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from agent.wiring import App
from server.api import ROUTERS
from store.keys import Role
from tests.api_world import SOUTH, make_world, open_world
from tests.serving import Api, api_over
from tools.registry import RANK

ROUTES: Final[dict[str, dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "api_routes.yaml").read_text("utf-8")
)
ROLES: Final[tuple[Role, ...]] = get_args(Role)
# What only rows outside the scoped callers' unit carry.
ELSEWHERE: Final = ("浙江", "上海", "北京", "华东", "华北", "杭州", "西湖店", "徐汇店", "朝阳店")
PLAN: Final = {"metric": "nps", "period": "2026-10", "compare_to": "2026-09"}


class Known(NamedTuple):
    """Ids that exist, made by somebody who may see everything."""

    plan: str
    thread: str


def routes() -> Iterator[APIRoute]:
    """Every route that the routers have."""
    for router in ROUTERS:
        yield from _api_routes(router.routes)


def _api_routes(found: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with open_world(make_world(tmp_path_factory.mktemp("roles")), rate_per_s=0) as app:
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(world: App) -> AsyncIterator[Api]:
    async with api_over(world) as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def known(served: Api) -> Known:
    """A plan and a thread over everything, which no scope may see."""
    owner = served.key("admin", name="owner")
    plan = await served.client.post("/v1/tools/create_action_plan", json=PLAN, headers=owner)
    asked = {"message": "10月各地区的NPS是多少？"}
    thread = await served.client.post("/v1/chat", json=asked, headers=owner)
    return Known(plan.json()["data"]["plan"]["plan_id"], thread.json()["thread_id"])


def request_of(route: APIRoute, known: Known, number: int) -> httpx.Request:
    """The request that the table names for a route."""
    entry = ROUTES[route.operation_id or ""]
    values = {"plan": known.plan, "thread": known.thread, "n": number}
    path = route.path
    for name, value in entry.get("path", {}).items():
        path = path.replace(f"{{{name}}}", str(value).format(**values))
    body = _filled(entry.get("body"), values)
    method = sorted(route.methods or ())[0]
    files = entry.get("files")
    sent = {name: (f"{name}.csv", text) for name, text in files.items()} if files else None
    return httpx.Request(
        method,
        f"http://127.0.0.1:8765{path}",
        params=entry.get("query"),
        json=body,
        files=sent,
        data=entry.get("form"),
    )


def _filled(body: Any, values: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, values) for name, value in body.items()}
    return body.format(**values) if isinstance(body, str) else body


def test_every_route_has_an_entry() -> None:
    assert sorted(ROUTES) == sorted(route.operation_id or route.path for route in routes())


def test_what_is_served_beside_the_documented_routes_is_known(served: Api) -> None:
    """The page and its files, for whoever comes; MCP and the command line, which have tests of their own."""
    beside = {route.path for route in served.api.routes if isinstance(route, Mount)}
    for router in ROUTERS:
        beside |= {r.path for r in router.routes if isinstance(r, APIRoute) and not r.include_in_schema}
    assert beside <= {"/", "/web/{fingerprint}/{path:path}", "/local/commands", "/mcp"}


@pytest.mark.asyncio(loop_scope="module")
async def test_roles_and_scopes(served: Api, known: Known) -> None:
    """One test for all: the requests are many and the world is one."""
    wrong: list[str] = []
    number = 0
    for scope in ((), (SOUTH,)):
        for role in ROLES:
            headers = served.key(role, scope)
            for route in routes():
                number += 1
                got = await _send(served, request_of(route, known, number), headers)
                wrong += _judged(route, role, scope, got)
    for route in routes():
        got = await _send(served, request_of(route, known, 0), {})
        needed = ROUTES[route.operation_id or ""]["role"]
        if needed != "open" and got.status_code != 401:
            wrong.append(f"{route.operation_id} without a key: {got.status_code}")
    assert not wrong, "\n".join(wrong)


async def _send(served: Api, request: httpx.Request, headers: dict[str, str]) -> httpx.Response:
    request.headers.update(headers)
    return await served.client.send(request)


def _judged(route: APIRoute, role: Role, scope: tuple[str, ...], got: httpx.Response) -> list[str]:
    entry = ROUTES[route.operation_id or ""]
    who = f"{route.operation_id} as {role} of {scope or 'everything'}: {got.status_code}"
    needed = entry["role"]
    found = []
    if got.status_code >= 500 and got.status_code != 503:
        found.append(f"{who} {got.text[:200]}")
    below = needed != "open" and RANK[role] < RANK[needed]
    refused = below or (bool(scope) and entry.get("whole", False))
    if refused and got.status_code != 403:
        found.append(f"{who}, 403 was due")
    if not refused and not scope and got.status_code == 403 and not entry.get("own", False):
        found.append(f"{who}, it may: {got.text[:200]}")
    told = [name for name in ELSEWHERE if name in got.text] if scope else []
    if told:
        found.append(f"{who} tells of {told}: {got.text[:300]}")
    return found
