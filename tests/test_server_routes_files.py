"""Files over HTTP."""

import asyncio
from typing import Any

import pytest

from tests.serving import Api

URL = "/v1/feedback/files"
CSV = "评价,评分,城市,日期\n物流太慢,2,广州,2026-11-01\n很好用,5,深圳,2026-11-02\n一般,9,深圳,2026-11-03\n".encode()


async def upload(api: Api, body: bytes = CSV, name: str = "评论.csv", **form: Any) -> Any:
    headers = form.pop("headers", {})
    return await api.client.post(URL, files={"file": (name, body)}, data=form, headers=headers)


async def ended(api: Api, run: str) -> dict[str, Any]:
    for _ in range(600):
        job = (await api.client.get(f"/v1/jobs/{run}")).json()
        if job["finished_at"] is not None:
            return dict(job)
        await asyncio.sleep(0.05)
    raise AssertionError("the job did not end")


async def test_a_dry_run_shows_the_mapping_and_stores_nothing(api: Api) -> None:
    shown = (await upload(api, dry_run="true")).json()
    assert shown["file"]["mapping"]["text"] == "评价" and shown["name"] == "评论.csv"
    assert shown["columns"] == ["评价", "评分", "城市", "日期"] and len(shown["sample"]) == 3
    assert (await api.client.get("/v1/feedback")).json()["total"] == 0
    assert not list((api.state.app.home / "uploads").iterdir())


async def test_an_upload_is_a_job_whose_rejects_can_be_had(api: Api) -> None:
    begun = await upload(api, maps=["rating=评分", "text=评价"])
    assert begun.status_code == 202
    job = await ended(api, begun.json()["run_id"])
    assert job["state"] == "done", job
    told = job["result"]
    assert (told["read"], told["stored"], told["rejected"]) == (3, 2, 1)
    rejects = await api.client.get(f"{URL}/{job['run_id']}/rejects")
    assert rejects.status_code == 200 and "一般" in rejects.text
    assert (await api.client.get("/v1/feedback")).json()["total"] == 2
    assert not list((api.state.app.home / "uploads").iterdir())
    again = await ended(api, (await upload(api, maps=["rating=评分", "text=评价"])).json()["run_id"])
    assert again["result"]["duplicates"] == 2


@pytest.mark.parametrize(
    ("body", "name", "form"),
    [
        (CSV, "a.csv", {"maps": ["nonsense"]}),
        (b"\x00\x01\x02", "a.csv", {"dry_run": "true"}),
        (b"", "a.csv", {"dry_run": "true"}),
    ],
)
async def test_what_cannot_be_read_is_said_at_once(
    api: Api, body: bytes, name: str, form: dict[str, Any]
) -> None:
    refused = await upload(api, body, name, **form)
    assert refused.status_code == 400 and refused.json()["detail"]


async def test_the_senders_file_name_leads_nowhere(api: Api) -> None:
    shown = (await upload(api, name="../../../etc/评论.csv", dry_run="true")).json()
    assert shown["name"] == "评论.csv"
    job = await ended(api, (await upload(api, name="..\\..\\x.csv")).json()["run_id"])
    assert job["state"] == "done"
    assert (await api.client.get(f"{URL}/nothing/rejects")).status_code == 404


async def test_files_are_for_analysts_of_everything(api: Api) -> None:
    for role, scope, status in (("viewer", (), 403), ("analyst", ("hq/east",), 403), ("analyst", (), 202)):
        headers = api.key(role, scope)  # type: ignore[arg-type]
        assert (await upload(api, headers=headers)).status_code == status
