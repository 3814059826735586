"""Topics and words over HTTP: checked before they count, in effect at once, and taken back."""

import asyncio
from typing import Any

from tests.serving import Api

URL = "/v1/settings/labelling"
OWN = """branches:
  service:
    topics:
      parking:
        name: {zh: 停车, en: Parking}
"""
WORDS = """topics:
  service/parking:
    any: {zh: 停车 车位}
"""


async def ended(api: Api, run: str) -> str:
    for _ in range(600):
        job = (await api.client.get(f"/v1/jobs/{run}")).json()
        if job["finished_at"] is not None:
            assert job["state"] == "done", job
            return str(job["state"])
        await asyncio.sleep(0.05)
    raise AssertionError("the job did not end")


async def put(api: Api, own: str, text: str, **more: Any) -> Any:
    version = (await api.client.get(URL)).json()["version"]
    return await api.client.put(f"{URL}/{own}", json={"text": text, "version": version, **more})


async def test_what_is_wrong_is_named_and_changes_nothing(api: Api) -> None:
    before = (await api.client.get(URL)).json()
    told = (await put(api, "taxonomy", "branches:\n  service: 5\n")).json()
    assert not told["ok"] and told["problems"][0]["line"] == 2
    assert (await put(api, "taxonomy", "a: [")).json()["ok"] is False
    assert (await put(api, "taxonomy", OWN, dry_run=True)).json()["ok"] is True
    assert (await api.client.get(URL)).json() == before
    stale = await api.client.put(f"{URL}/taxonomy", json={"text": OWN, "version": "old"})
    assert stale.status_code == 409


async def test_own_topics_count_at_once_and_are_taken_back(api: Api) -> None:
    async def topics(text: str, name: str) -> list[str]:
        await api.client.post("/v1/feedback", json={"items": [{"feedback_id": name, "text": text}]})
        shown = (await api.client.get(f"/v1/feedback/{name}")).json()
        return [topic["topic"] for topic in shown["labels"]["topics"]]

    text = "停车太难了，找不到车位"
    assert "service/parking" not in await topics(text, "a")
    told = (await put(api, "taxonomy", OWN)).json()
    assert told["ok"], told
    await ended(api, told["job"]["run_id"])
    told = (await put(api, "lexicon", WORDS)).json()
    assert told["ok"], told
    assert "service/parking" in await topics(text + "啊", "b")
    await ended(api, told["job"]["run_id"])
    shown = (await api.client.get("/v1/feedback/a")).json()
    assert "service/parking" in [topic["topic"] for topic in shown["labels"]["topics"]]
    changes = (await api.client.get(f"{URL}/history")).json()["changes"]
    assert len(changes) == 2
    back = await api.client.post(f"{URL}/rollback", json={})
    assert back.status_code == 202
    await ended(api, back.json()["run_id"])
    assert "service/parking" in [topic["path"] for topic in (await api.client.get(URL)).json()["topics"]]
    assert "service/parking" not in await topics(text + "呀", "c")


async def test_settings_are_changed_by_administrators_of_everything(api: Api) -> None:
    for role, scope, reads, writes in (
        ("viewer", (), 200, 403),
        ("manager", (), 200, 403),
        ("admin", ("hq",), 200, 403),
    ):
        headers = api.key(role, scope)  # type: ignore[arg-type]
        assert (await api.client.get(URL, headers=headers)).status_code == reads
        assert (await api.client.get("/v1/settings/policy", headers=headers)).status_code == 200
        body = {"text": "", "version": "x"}
        assert (await api.client.put(f"{URL}/lexicon", json=body, headers=headers)).status_code == writes
