"""The agent on a real vLLM server with a tiny random model: `make test-vllm`.

The model knows nothing and emits whatever it emits. What is proved is that every run ends within its limits and
that its answer is then the offline planner's own. The figures go to evals/reports/vllm_agent.json.
"""

import asyncio
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage

from agent.ask_events import Answer
from agent.model_server import ModelServer
from agent.model_tokens import messages_tokens
from evals.reports import table, write_report
from evals.vllm_server import INSTRUCT, VllmServer, in_environment, serving
from tests.agent_home import ask_all, ask_each, make_home, open_home
from tests.agent_questions import QUESTIONS

PYTHON = os.environ.get("VOICELOOP_TEST_VLLM", "")
ROOT = Path(__file__).parents[1]
TOOL_CALLS = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")
MODEL_CALLS = 6
SECONDS = 60.0
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.skipif(not PYTHON, reason="needs a vLLM environment: make test-vllm"),
]
Figures = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    collected: Figures = {}
    yield collected
    columns = ("runs", "by the planner", "by the model", "most model calls", "longest s", "output tokens")
    head = ("mode", *columns, "reasons")
    rows = [
        (mode, *(one[column] for column in columns), ", ".join(f"{k} {v}" for k, v in one["reasons"].items()))
        for mode, one in collected.items()
    ]
    page = ["# The agent on vLLM with a tiny random model", "", *table(head, rows), ""]
    write_report("vllm_agent", collected, "\n".join(page))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    folder = tmp_path_factory.mktemp("models")
    made = [*in_environment(PYTHON), str(ROOT / "tests" / "vllm_tiny_models.py"), str(folder)]
    done = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    flags = (*INSTRUCT, *TOOL_CALLS)
    with serving(Path(PYTHON), folder / "instruct", folder / "instruct.log", *flags) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("agent"))


@pytest.fixture(scope="module")
def planned(home: Path) -> list[Answer]:
    """What the offline planner says by itself."""
    with open_home(home) as app:
        return ask_each(app, list(QUESTIONS), thread="planned")


@pytest.mark.parametrize("mode", ["native", "json"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_whatever_the_model_emits_every_run_ends_in_the_planners_answer(
    server: VllmServer, home: Path, planned: list[Answer], figures: Figures, mode: str, temperature: float
) -> None:
    settings = {
        "llm_base_url": server.base_url,
        "llm_model": "instruct",
        "llm_tool_mode": mode,
        "llm_temperature": temperature,
        "llm_context_tokens": None,  # as the server tells
        "llm_answer_tokens": 160,
        "llm_turn_model_calls": MODEL_CALLS,
        "llm_turn_seconds": SECONDS,
    }
    name = f"{mode}, temperature {temperature:g}"
    with open_home(home, **settings) as app:
        answers = ask_each(app, list(QUESTIONS), thread=name)
    reasons: Counter[str] = Counter()
    for alone, answer in zip(planned, answers, strict=True):
        assert answer.usage["model_calls"] <= MODEL_CALLS + alone.usage["model_calls"]
        assert answer.elapsed_ms < (SECONDS + 10) * 1000
        assert not answer.pending_approvals or alone.pending_approvals, "the model had something done"
        if answer.planner == "offline":
            assert answer.answer.startswith(alone.answer), "the answer is the planner's own"
            reasons[answer.answer[len(alone.answer) :].strip()] += 1
        else:
            assert answer.figures or answer.citations or not alone.tool_calls, answer.answer
    figures[name] = {
        "runs": len(answers),
        "by the planner": sum(answer.planner == "offline" for answer in answers),
        "by the model": sum(answer.planner == "llm" for answer in answers),
        "most model calls": max(answer.usage["model_calls"] for answer in answers),
        "longest s": round(max(answer.elapsed_ms for answer in answers) / 1000, 2),
        "output tokens": sum(answer.usage["output_tokens"] for answer in answers),
        "reasons": dict(reasons.most_common()),
    }


def test_the_server_tells_its_context_and_counts_exactly(server: VllmServer) -> None:
    messages = [HumanMessage("10月NPS是多少？" * 20)]

    async def ask() -> tuple[int, int | None]:
        async with httpx.AsyncClient() as client:
            told = ModelServer(client, server.base_url, "", "instruct")
            body = [{"role": "user", "content": str(messages[0].text)}]
            return await told.window(), await told.count(body, [])

    window, exact = asyncio.run(ask())
    assert window == 8192
    assert exact is not None
    assert exact > 20 and messages_tokens(messages) > 20


def test_a_long_thread_never_overflows(server: VllmServer, home: Path) -> None:
    settings = {
        "llm_base_url": server.base_url,
        "llm_model": "instruct",
        "llm_context_tokens": None,
        "llm_answer_tokens": 64,
        "llm_turn_model_calls": 2,
    }
    began = time.monotonic()
    with open_home(home, **settings) as app:
        answers = ask_all(app, [*QUESTIONS[:25]], thread="long")
    assert time.monotonic() - began < 25 * SECONDS
    assert all(answer.answer for answer in answers)
    assert not any("BadRequestError" in answer.answer or "Overflow" in answer.answer for answer in answers)
