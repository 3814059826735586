"""The agent against a server that speaks the OpenAI protocol over the wire, well and badly."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.ask_events import Answer
from agent.compose import COMPOSERS
from agent.settings import Settings
from agent.wiring import App, open_app
from pipeline.account import IngestOptions
from store.clock import FixedClock
from tests.openai_server import Reply, Served, serve
from tools.catalogue import ALL_TOOLS
from tools.context import Asker

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
ROWS = "日期,评价,NPS,地区\n" + "".join(
    f"2026-10-{day:02d},物流太慢了第{day}单等了很久,{score},{region}\n"
    for day in range(1, 29)
    for score, region in ((3, "广东"), (9, "上海"))
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wire")
    source = folder / "feedback.csv"
    source.write_text(ROWS, encoding="utf-8")
    with open_app(Settings(home=folder / "home", _env_file=None), FixedClock(NOW)) as app:
        report = app.ingestor.ingest([source], IngestOptions())
        assert report.stored == 56
    return folder / "home"


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    with open_app(Settings(home=home, _env_file=None), FixedClock(NOW)) as app:
        yield app


def ask(app: App, served: Served, *, timeout: float = 20) -> Answer:
    app.settings = app.settings.model_copy(
        update={
            "llm_base_url": served.base_url,
            "llm_model": "scripted",
            "llm_timeout_s": timeout,
            "llm_max_retries": 2,
            "llm_context_tokens": 32_768,
        }
    )

    async def run() -> Answer:
        async with app.assistant() as assistant:
            return await assistant.ask("10月NPS是多少？", thread_id=served.base_url, asker=Asker())

    return asyncio.run(run())


NPS_CALL = Reply(tool_calls=[("nps_stats", {"period": "10月"})])
GOOD = Reply("10月 NPS 为 0.0（n=56，推荐者 28，贬损者 28）。")


def test_a_model_calls_a_tool_and_answers_with_bound_figures(app: App) -> None:
    with serve(NPS_CALL, GOOD) as served:
        answer = ask(app, served)
    assert answer.planner == "llm"
    assert answer.answer == GOOD.text
    assert [call.name for call in answer.tool_calls] == ["nps_stats"]
    assert {figure.text for figure in answer.figures} >= {"56", "28"}
    assert answer.usage["input_tokens"] == 20
    offered = {tool["function"]["name"] for tool in served.requests[0]["tools"]}
    assert {"nps_stats", "root_cause", "search_feedback"} <= offered


def test_customer_text_and_names_of_people_do_not_reach_the_system_prompt(app: App) -> None:
    with serve(NPS_CALL, GOOD) as served:
        ask(app, served)
    system = served.requests[0]["messages"][0]
    assert system["role"] == "system"
    assert "物流太慢" not in system["content"]
    assert "2026-11-22" in system["content"]


def test_429_and_500_are_retried(app: App) -> None:
    busy = Reply(status=429, headers={"Retry-After": "0"})
    with serve(busy, Reply(status=500, headers={"retry-after-ms": "1"}), NPS_CALL, GOOD) as served:
        answer = ask(app, served)
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500, headers={"retry-after-ms": "1"}),
        Reply(status=429, headers={"retry-after-ms": "1"}),
        Reply(status=401),
        Reply(raw=b"<html>gateway</html>"),
        Reply(raw=b'{"choices": []}'),
        Reply(raw=b'{"choices": [{"index": 0, "mess'),
        Reply(tool_calls=[("nps_stats", '{"period": "10')]),
        Reply(""),
        Reply(delay_s=1.0),
    ],
    ids=["500", "429", "401", "html", "no choices", "cut json", "cut arguments", "empty", "time-out"],
)
def test_a_useless_endpoint_hands_over_to_the_offline_planner_and_says_so(app: App, reply: Reply) -> None:
    with serve(reply) as served:
        answer = ask(app, served, timeout=0.3 if reply.delay_s else 20)
    assert answer.planner == "offline"
    assert "0.0" in answer.answer and "离线规划器" in answer.answer
    assert [call.name for call in answer.tool_calls] == ["nps_stats"]


def test_failure_after_the_first_tool_call_is_finished_by_the_planner(app: App) -> None:
    with serve(NPS_CALL, Reply(status=500, headers={"retry-after-ms": "1"})) as served:
        answer = ask(app, served)
    assert answer.planner == "offline"
    assert "56" in answer.answer


def test_what_a_failing_model_called_in_vain_does_not_stand_for_an_answer(app: App) -> None:
    stray = Reply(tool_calls=[("drop_tables", {}), ("theme_detail", {"theme": "物流"})])
    with serve(stray, Reply(status=500, headers={"retry-after-ms": "1"})) as served:
        answer = ask(app, served)
    assert answer.planner == "offline"
    assert "nps_stats" in {call.name for call in answer.tool_calls}
    assert "56" in answer.answer


def test_every_tool_has_its_words() -> None:
    assert {spec.name for spec in ALL_TOOLS} == set(COMPOSERS)


def test_a_tool_error_goes_back_to_the_model(app: App) -> None:
    wrong = Reply(tool_calls=[("nps_stats", {"filters": {"planet": "Mars"}})])
    with serve(wrong, NPS_CALL, GOOD) as served:
        answer = ask(app, served)
    assert answer.answer == GOOD.text
    told = served.requests[1]["messages"][-1]
    assert told["role"] == "tool" and "planet" in told["content"]


def test_an_unknown_tool_is_answered_not_raised(app: App) -> None:
    with serve(Reply(tool_calls=[("drop_tables", {})]), NPS_CALL, GOOD) as served:
        answer = ask(app, served)
    assert answer.answer == GOOD.text


def test_an_invented_figure_is_redone_once(app: App) -> None:
    with serve(NPS_CALL, Reply("10月 NPS 为 41.7。"), GOOD) as served:
        answer = ask(app, served)
    assert answer.answer == GOOD.text
    assert "41.7" in str(served.requests[-1]["messages"][-1]["content"])


def test_an_invented_figure_that_stays_is_cut_and_the_answer_says_so(app: App) -> None:
    stubborn = Reply("10月 NPS 为 41.7。样本量为 56。")
    with serve(NPS_CALL, stubborn) as served:
        answer = ask(app, served)
    assert "41.7" not in answer.answer
    assert "样本量为 56" in answer.answer
    assert "已删去" in answer.answer


def test_an_answer_of_invented_figures_alone_is_replaced_by_the_planner(app: App) -> None:
    with serve(NPS_CALL, Reply("NPS 为 41.7。")) as served:
        answer = ask(app, served)
    assert answer.planner == "offline"
    assert "41.7" not in answer.answer and "56" in answer.answer


def test_a_model_that_never_stops_calling_tools_is_stopped(app: App) -> None:
    with serve(NPS_CALL) as served:
        answer = ask(app, served)
    assert len(served.requests) <= 12
    assert "41.7" not in answer.answer


def test_streamed_replies_are_put_together(app: App) -> None:
    app.settings = app.settings.model_copy(update={"llm_stream": True})
    with serve(NPS_CALL, GOOD) as served:
        answer = ask(app, served)
    assert served.requests[-1]["stream"] is True
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)
    assert answer.usage["output_tokens"] == 10


def test_a_cut_stream_hands_over_to_the_planner(app: App) -> None:
    app.settings = app.settings.model_copy(update={"llm_stream": True})
    with serve(Reply(raw=b'data: {"id": "x", "choi')) as served:
        answer = ask(app, served)
    assert answer.planner == "offline"
