"""Insight reports over HTTP: from the cache until something they tell of changes, each within its scope."""

from typing import Any

import pytest

from pipeline.items import drafts_of
from pipeline.rows import Draft
from tests.serving import Api

URL = "/v1/insights"
PERIOD = {"from": "2026-11-01", "to": "2026-11-15", "language": "zh"}


def store(api: Api, first: int, count: int, **more: Any) -> None:
    """Past the queue, which would have the texts embedded and so change the data once more."""
    items = [
        {
            "feedback_id": f"i-{n}",
            "text": f"物流太慢，第{n}单等了五天",
            "nps": n % 11,
            "occurred_at": f"2026-11-{1 + n % 14:02d}T09:00:00",
            **more,
        }
        for n in range(first, first + count)
    ]
    app = api.state.app
    drafts = drafts_of(items, zone=app.settings.zone, now=app.clock.now())
    assert (
        app.feedback_writer().write([one for one in drafts if isinstance(one, Draft)], "test").stored == count
    )


def values(report: dict[str, Any]) -> list[str]:
    return [one["value"] for one in report["headlines"]]


async def test_a_report_is_made_once_until_the_data_changes(api: Api) -> None:
    store(api, 0, 40)
    first = await api.client.get(URL, params=PERIOD)
    assert first.status_code == 200 and first.json()["period"]["start"].startswith("2026-11-01")
    made = len(api.state.insights)
    again = await api.client.get(URL, params=PERIOD)
    assert again.content == first.content and len(api.state.insights) == made
    tag = {"If-None-Match": first.headers["ETag"]}
    same = await api.client.get(URL, params=PERIOD, headers=tag)
    assert same.status_code == 304 and not same.content
    body = {"items": [{"text": "又晚了", "occurred_at": "2026-11-03T09:00:00"}]}
    assert (await api.client.post("/v1/feedback", json=body)).json()["stored"] == 1
    fresh = await api.client.get(URL, params=PERIOD, headers=tag)
    assert fresh.status_code == 200 and fresh.headers["ETag"] != first.headers["ETag"]
    assert "40" in values(first.json()) and "41" in values(fresh.json())


async def test_each_format_is_of_the_same_report(api: Api) -> None:
    store(api, 0, 20)
    kinds = {"json": "application/json", "md": "text/markdown", "html": "text/html", "pdf": "application/pdf"}
    begin = {"json": b"{", "md": b"# ", "html": b"<!doctype html>", "pdf": b"%PDF"}
    tags = set()
    for format, kind in kinds.items():
        told = await api.client.get(URL, params={**PERIOD, "format": format})
        assert told.status_code == 200 and told.headers["content-type"].startswith(kind)
        assert told.content.lower().startswith(begin[format].lower())
        tags.add(told.headers["ETag"])
    assert len(tags) == len(kinds) and len(api.state.insights) == 1


async def test_a_scope_has_reports_of_its_own(api: Api) -> None:
    store(api, 0, 20, org_unit="hq/east")
    store(api, 20, 30, org_unit="hq/west")
    whole, east = api.key("viewer"), api.key("viewer", ["hq/east"])
    for headers, size in ((whole, "50"), (east, "20")):
        told = (await api.client.get(URL, params=PERIOD, headers=headers)).json()
        assert size in values(told)
    refused = await api.client.get(URL, params={**PERIOD, "filter": "org_unit=hq/west"}, headers=east)
    assert refused.status_code == 403 and refused.json()["detail"].startswith("不允许")


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "yesterday", "to": "2026-11-02"},
        {"from": "2026-13-01", "to": "2026-14-01"},
        {"from": "2026-11-05", "to": "2026-11-01"},
        {"kind": "yearly"},
        {"filter": "no-equals"},
        {"filter": "nothing=here"},
    ],
)
async def test_what_is_not_understood_is_said(api: Api, wrong: dict[str, str]) -> None:
    store(api, 0, 5)
    told = await api.client.get(URL, params=wrong)
    assert told.status_code in (400, 422)
    assert told.headers["content-type"] == "application/problem+json" and told.json()["detail"]
