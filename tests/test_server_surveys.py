"""Surveys over HTTP, on the command line and by the job: asked, answered once, counted; questions checked."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from retention.policy import POLICY_FILE
from server.job_kinds import KINDS, NoArguments
from server.job_runner import JobWork, asked_run
from store.clock import FixedClock
from store.facts import Find, Selection
from store.records import Channel, Feedback, LabelledFeedback
from tests.command_line import CommandLine
from tests.retention_world import NOW, World
from tests.serving import Api

ANSWERED = {
    "occasions": 3,
    "asked": 3,
    "not_drawn": 0,
    "tired": 0,
    "unwanted": 0,
    "in_care": 0,
    "most_a_day": 0,
}


@pytest.fixture
def api_app(tmp_path: Path) -> Iterator[App]:
    """Three customers talked to the service this morning, and every one of them is to be asked."""
    home = tmp_path / "home"
    home.mkdir()
    made = World(home)
    for customer in ("c1", "c2", "c3"):
        place: dict[str, Any] = {"region": "广东", "org_unit": "hq/广东", "conversation_id": f"v-{customer}"}
        made.says(customer, 0.2, f"{customer}问了一件事", channel=Channel.CHAT, language="zh", **place)
    made.context()
    made.close()
    shipped = POLICY_FILE.read_text(encoding="utf-8")
    wanted = shipped.replace("  active: false", "  active: true").replace("share: 0.5", "share: 1")
    assert wanted != shipped
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW)) as app:
        app.policy_book.put(wanted, state="live", by="ann", why="ask")
        yield app


def asked(app: App) -> Mapping[str, Any]:
    run = asked_run("ask_surveys", {}, by="test", scope=(), now=app.clock.now())
    return KINDS["ask_surveys"].act(NoArguments(), JobWork(app, run, lambda *at: None))


async def test_an_answer_is_feedback_on_the_occasion_and_there_is_one(api: Api, api_app: App) -> None:
    assert asked(api_app) == {**ANSWERED, "answered": 0}
    key = api.key("analyst")
    listed = (await api.client.get("/v1/surveys", headers=key)).json()
    survey = next(one for one in listed["surveys"] if one["customer_id"] == "c1")
    assert listed["nodes"] == [
        {
            "node": "after_service", "kind": "csat", "asked": 3, "sent": 0, "answered": 0,
            "response_rate": {"value": None, "ci_low": None, "ci_high": None, "n": 0},
            "score": {"value": None, "ci_low": None, "ci_high": None, "n": 0},
        }
    ]  # fmt: skip
    url = f"/v1/surveys/{survey['survey_id']}/answer"
    for wrong in ({}, {"score": 6}, {"text": "  "}):
        refused = await api.client.post(url, json=wrong, headers=key)
        assert refused.status_code == 400, refused.text
    tries = [
        api.client.post(url, json={"score": score, "text": "13800138000 打我电话"}, headers=key)
        for score in (2, 5)
    ]
    got = [one.json() for one in await asyncio.gather(*tries)]
    assert {one["answer_id"] for one in got} == {f"{survey['survey_id']}-answer"}
    again = await api.client.post(url, json={"score": 1}, headers=key)
    assert again.json()["new"] is False
    (item,) = api_app.facts.find(Find(feedback_ids=(got[0]["answer_id"],)))
    said = item.feedback
    assert (said.customer_id, said.channel, said.region, said.org_unit) == ("c1", "survey", "广东", "hq/广东")
    assert said.csat in (2, 5) and "13800138000" not in said.text
    assert said.attributes == {
        "survey_id": survey["survey_id"],
        "survey_node": "after_service",
        "survey_occasion": survey["occasion"],
    }
    kept = api_app.surveys.survey(survey["survey_id"])
    assert kept is not None and kept.score == said.csat and kept.answer_id == said.feedback_id
    (node,) = (await api.client.get("/v1/surveys", headers=key)).json()["nodes"]
    assert (node["answered"], node["response_rate"]["n"]) == (1, 1)
    assert (
        await api.client.post("/v1/surveys/none/answer", json={"score": 1}, headers=key)
    ).status_code == 404


async def test_scopes_see_their_own_and_bring_in_nothing(api: Api, api_app: App) -> None:
    asked(api_app)
    own, other = api.key("analyst", ("hq/广东",)), api.key("analyst", ("hq/浙江",))
    assert len((await api.client.get("/v1/surveys", headers=own)).json()["surveys"]) == 3
    assert (await api.client.get("/v1/surveys", headers=other)).json()["surveys"] == []
    survey_id = api_app.surveys.surveys()[0].survey.survey_id
    refused = await api.client.post(f"/v1/surveys/{survey_id}/answer", json={"score": 3}, headers=own)
    assert refused.status_code == 403


async def test_a_question_is_checked(api: Api) -> None:
    found = (await api.client.post("/v1/surveys/check", json={"question": "您是否喜欢我们的产品？"})).json()
    assert not found["fair"] and found["better"][0] == "哪些功能让您愿意推荐我们？"
    fair = {"question": "What could we do better?", "language": "en"}
    assert (await api.client.post("/v1/surveys/check", json=fair)).json()["leads"] == []


def test_an_answer_that_came_as_feedback_is_tied_to_its_survey(api_app: App) -> None:
    asked(api_app)
    survey = api_app.surveys.surveys()[0].survey
    answer = Feedback(
        feedback_id="form-1",
        source="form",
        occurred_at=NOW,
        customer_id=survey.customer_id,
        csat=4,
        attributes={"survey_id": survey.survey_id},
    )
    api_app.facts.add_feedback([LabelledFeedback(feedback=answer)])
    assert asked(api_app)["answered"] == 1 and asked(api_app)["answered"] == 0
    kept = api_app.surveys.survey(survey.survey_id)
    assert kept is not None and (kept.score, kept.answer_id, kept.answered_at) == (4, "form-1", NOW)
    assert api_app.facts.count(Selection(filters={"survey_id": (survey.survey_id,)})) == 1


def test_commands(api_app: App, tmp_path: Path) -> None:
    asked(api_app)
    api_app.close()
    voiceloop = CommandLine(tmp_path)
    listed = voiceloop("surveys", "list", "--json").document
    assert len(listed["surveys"]) == 3 and listed["nodes"][0]["asked"] == 3
    checked = voiceloop("surveys", "check", "How much did you enjoy it?", "--json")
    assert checked.status == 0 and checked.document["leads"][0]["rule"] == "presuming"
    assert "→" in voiceloop("surveys", "check", "您满意吗？").output
    assert voiceloop("surveys", "check", "x", "--language", "fr", "--json").status == 2
    assert voiceloop("surveys", "ask", "--json").document["asked"] == 0
