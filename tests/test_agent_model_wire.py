"""What models and their servers get wrong, over the wire: every turn ends in a useful answer that says why."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.wiring import App
from tests.agent_home import ask, ask_all, make_home, open_home
from tests.openai_server import Reply, Served, serve

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NPS_CALL = Reply(tool_calls=[("nps_stats", {"period": "10月"})])
GOOD = Reply("10月 NPS 为 0.0（n=56，推荐者 28，贬损者 28）。")
BROKEN = Reply(status=500, headers={"retry-after-ms": "1"})
JSON_CALL = Reply(json.dumps({"tool": "nps_stats", "args": {"period": "10月"}}, ensure_ascii=False))
JSON_ANSWER = Reply(json.dumps({"answer": GOOD.text}, ensure_ascii=False))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("model"))


@contextmanager
def app_at(home: Path, served: Served, **settings: Any) -> Iterator[App]:
    with open_home(home, llm_base_url=served.base_url, **settings) as app:
        yield app


@pytest.mark.parametrize(
    ("replies", "settings", "told"),
    [
        (
            [NPS_CALL, Reply(tool_calls=[("trend", {"metric": "nps"})])],
            {"llm_turn_model_calls": 2},
            "模型调用次数",
        ),
        (
            [Reply(tool_calls=[("nps_stats", {"min_n": n}) for n in range(1, 9)])],
            {"llm_turn_tool_calls": 5},
            "工具调用次数",
        ),
        ([NPS_CALL, Reply(tool_calls=[("trend", {})])], {"llm_turn_tokens": 20}, "token 数"),
        ([NPS_CALL, Reply("慢", delay_s=2.5)], {"llm_turn_seconds": 1.2}, "时间"),
        ([NPS_CALL], {}, "反复调用"),
        ([Reply(tool_calls=[("drop_tables", {})])], {}, "反复调用"),
        ([Reply(tool_calls=[("nps_stats", {"filters": {"planet": "Mars"}})])], {}, "反复调用"),
        ([Reply(tool_calls=[("nps_stats", "{{{")])], {}, "不是有效的 JSON"),
        ([NPS_CALL, Reply("好" * 4000, finish="length")], {}, "被截断"),
        ([NPS_CALL, Reply("客户说物流慢。" * 400)], {}, "无法阅读"),
        ([NPS_CALL, Reply("\ufffd\ufffd\x00\ufffd乱\ufffd\ufffd")], {}, "无法阅读"),
        ([NPS_CALL, Reply("lorem ipsum dolor sit amet")], {}, "无法阅读"),
        ([Reply("一切都很好，客户满意。")], {}, "没有引用任何结果"),
        ([NPS_CALL, Reply("一切都很好，客户满意。")], {}, "没有引用任何结果"),
        ([Reply('<tool_call>{"name": "nps_stats"}</tool_call>')], {"llm_tool_mode": "native"}, "写成了文字"),
        ([Reply("<think>我想想，NPS 也许是 41.7")], {}, "回复为空"),
        ([Reply("", reasoning="我想想")], {}, "回复为空"),
        ([Reply('{"tool": 3}')], {"llm_tool_mode": "json"}, "规定的 JSON"),
        ([Reply("不是 JSON")], {"llm_tool_mode": "json"}, "规定的 JSON"),
        ([Reply('{"answer": "10月', finish="length")], {"llm_tool_mode": "json"}, "被截断"),
    ],
    ids=[
        "endless calls",
        "many calls at once",
        "tokens",
        "slow",
        "the same call",
        "unknown tool",
        "refused arguments",
        "broken arguments",
        "cut",
        "repetition",
        "garbage",
        "another language",
        "no result",
        "nothing of the result",
        "call as text",
        "unclosed thought",
        "thought alone",
        "neither",
        "no json",
        "cut json",
    ],
)
def test_the_planner_ends_the_turn_and_the_answer_says_why(
    home: Path, replies: list[Reply], settings: dict[str, Any], told: str
) -> None:
    with serve(*replies) as served, app_at(home, served, **settings) as app:
        answer = ask(app, thread=served.base_url)
    assert answer.planner == "offline"
    assert "0.0" in answer.answer and "56" in answer.answer, "the planner's own answer"
    assert told in answer.answer and "离线规划器" in answer.answer
    assert "41.7" not in answer.answer and "limit" not in answer.answer
    assert len(served.requests) <= 12


def test_one_bad_reply_is_asked_for_again_with_what_was_wrong(home: Path) -> None:
    broken = Reply(tool_calls=[("nps_stats", "{")])
    with serve(broken, NPS_CALL, Reply(""), GOOD) as served, app_at(home, served) as app:
        answer = ask(app, thread=served.base_url)
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)
    assert "JSON" in served.requests[1]["messages"][-1]["content"]
    assert answer.usage == {"input_tokens": 40, "output_tokens": 20, "total_tokens": 60, "model_calls": 4}


def test_the_second_endpoint_takes_over_for_the_rest_of_the_turn(home: Path) -> None:
    with serve(BROKEN) as first, serve(NPS_CALL, GOOD) as second:
        settings = {
            "llm_fallback_base_url": second.base_url,
            "llm_fallback_model": "other",
            "llm_max_retries": 1,
        }
        with app_at(home, first, **settings) as app:
            answer = ask(app, thread=second.base_url)
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)
    assert len(first.requests) == 2, "the first is retried and then left alone"
    assert [body["model"] for body in second.requests] == ["other", "other"]


def test_both_endpoints_down_leaves_the_planner(home: Path) -> None:
    with serve(BROKEN) as first, serve(Reply(status=401)) as second:
        settings = {
            "llm_fallback_base_url": second.base_url,
            "llm_fallback_model": "other",
            "llm_max_retries": 0,
        }
        with app_at(home, first, **settings) as app:
            answer = ask(app, thread=second.base_url)
    assert answer.planner == "offline" and "56" in answer.answer
    assert len(second.requests) == 1


def test_retry_after_is_waited_for(home: Path) -> None:
    busy = Reply(status=429, headers={"Retry-After": "1"})
    with serve(busy, NPS_CALL, GOOD) as served, app_at(home, served) as app:
        answer = ask(app, thread=served.base_url)
    assert answer.planner == "llm"
    assert answer.elapsed_ms >= 1000


def test_calls_of_one_reply_keep_their_order(home: Path) -> None:
    both = Reply(
        tool_calls=[
            ("metric_stats", {"metric": "volume", "period": "10月"}),
            ("nps_stats", {"period": "10月"}),
        ]
    )
    with serve(both, GOOD) as served, app_at(home, served) as app:
        answer = ask(app, thread=served.base_url)
    assert [call.name for call in answer.tool_calls] == ["metric_stats", "nps_stats"]
    sent = [m for m in served.requests[1]["messages"] if m["role"] == "tool"]
    calls = next(m for m in served.requests[1]["messages"] if m.get("tool_calls"))["tool_calls"]
    assert [m["tool_call_id"] for m in sent] == [call["id"] for call in calls]
    assert all(m["content"].startswith("<data") and m["content"].endswith("</data>") for m in sent)


def test_a_repeated_call_is_not_run_again(home: Path) -> None:
    with serve(NPS_CALL, NPS_CALL, GOOD) as served, app_at(home, served) as app:
        answer = ask(app, thread=served.base_url)
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)
    assert "已经做过" in served.requests[2]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "thought",
    ["<think>NPS 是 41.7？</think>", "推荐者大概 41.7%\n</think>\n", "<THINKING>41.7</thinking>"],
)
def test_thinking_is_neither_shown_nor_fed_back(home: Path, thought: str) -> None:
    call = Reply(thought, tool_calls=NPS_CALL.tool_calls)
    with serve(call, Reply(thought + GOOD.text)) as served, app_at(home, served) as app:
        answer = ask(app, thread=served.base_url)
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)
    assert "41.7" not in json.dumps(served.requests[1]["messages"], ensure_ascii=False)


def test_a_model_without_tool_calls_is_served_by_json(home: Path) -> None:
    with serve(JSON_CALL, JSON_ANSWER) as served, app_at(home, served, llm_tool_mode="json") as app:
        answer = ask(app, thread=served.base_url)
    assert (answer.planner, answer.answer) == ("llm", GOOD.text)
    first, second = served.requests
    assert "tools" not in first and first["response_format"]["type"] == "json_schema"
    branches = first["response_format"]["json_schema"]["schema"]["anyOf"]
    assert {"answer"} in [set(branch["properties"]) for branch in branches]
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "<data" in second["messages"][-1]["content"]


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(
            status=400,
            error='"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        ),
        Reply(status=500, error="tools param requires --jinja flag", headers={"x-should-retry": "false"}),
        Reply('<tool_call>{"name": "nps_stats", "arguments": {}}</tool_call>'),
    ],
    ids=["vllm", "llama.cpp", "call as text"],
)
def test_auto_turns_to_json_for_good(home: Path, refusal: Reply) -> None:
    with (
        serve(refusal, JSON_CALL, JSON_ANSWER, JSON_CALL, JSON_ANSWER) as served,
        app_at(home, served) as app,
    ):
        answers = ask_all(app, ["10月NPS是多少？"] * 2, thread=served.base_url)
    assert [answer.planner for answer in answers] == ["llm", "llm"]
    assert ["tools" in body for body in served.requests] == [True, False, False, False, False]


def test_a_server_that_knows_no_schema_is_asked_for_plain_json(home: Path) -> None:
    refusal = Reply(status=400, error="response_format.type json_schema is not supported")
    fenced = Reply(f"好的：\n```json\n{JSON_CALL.text}\n```")
    with (
        serve(refusal, fenced, JSON_ANSWER) as served,
        app_at(home, served, llm_tool_mode="json") as app,
    ):
        answer = ask(app, thread=served.base_url)
    assert answer.planner == "llm"
    kinds = [body["response_format"]["type"] for body in served.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]
