"""The policy over HTTP: read and explained, checked, put from the version it was made from, taken back."""

from typing import Any

from retention.policy import POLICY_FILE
from tests.serving import Api

URL = "/v1/settings/policy"
SHIPPED = POLICY_FILE.read_text(encoding="utf-8")
HIGHER = SHIPPED.replace("threshold: 60 ", "threshold: 65 ")


async def put(api: Api, text: str, **more: Any) -> Any:
    return await api.client.put(URL, json={"text": text, "made_from": 1, **more})


async def test_the_policy_is_shown_with_what_it_means_in_either_language(api: Api) -> None:
    for language, words in (("zh", "红色预警"), ("en", "red alert")):
        shown = (await api.client.get(URL, params={"language": language})).json()
        assert shown["version"]["number"] == 1 and shown["text"] == SHIPPED
        assert shown["policy"]["health"]["threshold"] == 60
        assert any(one["text"].startswith(words) for one in shown["sentences"])


async def test_what_is_wrong_is_named_and_changes_nothing(api: Api) -> None:
    told = (await put(api, SHIPPED.replace("threshold: 60 ", "threshold: 600 "))).json()
    assert not told["ok"] and "health.threshold" in told["problem"] and told["version"] is None
    assert not (await put(api, "a: [")).json()["ok"]
    assert (await api.client.get(URL)).json()["version"]["number"] == 1


async def test_a_change_is_tried_put_and_taken_back(api: Api) -> None:
    tried = (await put(api, HIGHER, dry_run=True)).json()
    change = {"at": "health.threshold", "before": 60.0, "after": 65.0}
    assert tried["ok"] and tried["version"] is None and tried["differences"] == [change]
    done = (await put(api, HIGHER, why="more calls")).json()
    assert (done["version"]["number"], done["version"]["why"]) == (2, "more calls")
    stale = await put(api, SHIPPED.replace("threshold: 60 ", "threshold: 70 "))
    assert (stale.status_code, "version 2 has become live" in stale.json()["detail"]) == (412, True)
    back = await api.client.post(f"{URL}/revert", json={"number": 1, "why": "too many"})
    assert (back.status_code, back.json()["reverts"]) == (200, 1)
    versions = (await api.client.get(f"{URL}/versions")).json()["versions"]
    assert [(one["number"], one["state"]) for one in versions] == [
        (3, "live"),
        (2, "retired"),
        (1, "retired"),
    ]
    assert "threshold: 65 " in (await api.client.get(f"{URL}/versions/2")).json()["text"]
    assert (await api.client.get(f"{URL}/versions/9")).status_code == 404
    same = await api.client.post(f"{URL}/revert", json={"number": 3})
    assert same.status_code == 400


async def test_a_policy_in_shadow_mode_decides_or_goes(api: Api) -> None:
    assert (await put(api, HIGHER, state="shadow")).json()["version"]["state"] == "shadow"
    assert (await api.client.get(URL)).json()["version"]["number"] == 1
    other = await api.client.post(f"{URL}/shadow", json={"decision": "promote", "number": 7})
    assert other.status_code == 412
    live = await api.client.post(f"{URL}/shadow", json={"decision": "promote", "number": 2})
    assert (live.status_code, live.json()["state"]) == (200, "live")
    none = await api.client.post(f"{URL}/shadow", json={"decision": "withdraw"})
    assert none.status_code == 400


async def test_only_an_admin_of_everything_changes_it(api: Api) -> None:
    body = {"text": HIGHER, "made_from": 1}
    for role, scope in (("viewer", ()), ("manager", ()), ("admin", ("hq",))):
        headers = api.key(role, scope)  # type: ignore[arg-type]
        assert (await api.client.get(URL, headers=headers)).status_code == 200
        assert (await api.client.put(URL, json=body, headers=headers)).status_code == 403
        again = {"number": 1}
        assert (await api.client.post(f"{URL}/revert", json=again, headers=headers)).status_code == 403
