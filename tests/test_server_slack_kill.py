"""Killed in the middle of an answer: the question is taken up at the next start, nothing is done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import httpx
import pytest
import yaml

from agent.settings import Settings
from agent.wiring import open_app
from pipeline.account import IngestOptions
from tests.openai_server import Reply, Served, serve
from tests.slack_workspace import SECRET, Workspace, workspace

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 90.0
CUSTOMER = "C1000"
DRAFT = Reply(tool_calls=[("create_retention_task", {"customer_ids": [CUSTOMER]})])
TEXT = "挽留任务已起草，请批准。"


def make_home(folder: Path) -> Path:
    """A customer who was content for long and wants a refund now."""
    now = datetime.now(UTC)
    lines = ["客户编号,时间,NPS,评价"]
    for month in range(4):
        at = now - timedelta(days=150 - 30 * month)
        lines.append(f"{CUSTOMER},{at:%Y-%m-%d %H:%M},9,一直挺好用的第{month}次")
    lines.append(f"{CUSTOMER},{now - timedelta(days=1):%Y-%m-%d %H:%M},1,太失望了我要退款取消会员")
    source = folder / "voice.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    home = folder / "home"
    with open_app(Settings(home=home, _env_file=None)) as app:
        app.ingestor.ingest([source], IngestOptions())
    people = {"users": {"U1": {"user": "li.wei", "role": "manager"}}, "rooms": {"C1": {}}}
    (home / "slack.yaml").write_text(yaml.safe_dump(people), encoding="utf-8")
    return home


@contextmanager
def running(home: Path, slack: Workspace, model: Served) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    environment = {
        **os.environ,
        "VOICELOOP_HOME": str(home),
        "VOICELOOP_SLACK_BOT_TOKEN": "xoxb-test",
        "VOICELOOP_SLACK_SIGNING_SECRET": SECRET,
        "VOICELOOP_SLACK_API_URL": slack.api_url,
        "VOICELOOP_LLM_BASE_URL": model.base_url,
        "VOICELOOP_LLM_MODEL": "scripted",
        "VOICELOOP_LLM_TOOL_MODE": "native",
        "VOICELOOP_LLM_CONTEXT_TOKENS": "32768",
    }
    command = [sys.executable, "-m", "server.cli", "serve", "--port", "0", "--json"]
    with (home.parent / "server.log").open("a+") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            yield _url(process.stdout, log), process
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _url(output: IO[str], log: IO[str]) -> str:
    line = output.readline()
    log.seek(0)
    assert line, log.read()
    return str(json.loads(line)["url"])


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def send(url: str, request: httpx.Request) -> int:
    with httpx.Client() as client:
        moved = httpx.Request(
            "POST", url + request.url.path, content=request.content, headers=request.headers
        )
        return client.send(moved).status_code


def test_a_question_is_taken_up_again_and_its_task_is_drafted_once(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with workspace() as slack, serve(DRAFT, Reply(TEXT, delay_s=120), Reply(TEXT)) as model:
        request = slack.mention(f"给客户{CUSTOMER}创建挽留任务", ts="1.1")
        with running(home, slack, model) as (url, process):
            assert send(url, request) == 200
            # The task is drafted, and the model is writing.
            wait_for(lambda: len(model.requests) >= 2)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert len(slack.of("chat.postMessage")) == 1
        with running(home, slack, model) as (url, _):
            wait_for(lambda: any("blocks" in one for one in slack.of("chat.update")))
            # Slack may send it again even now.
            assert send(url, slack.mention(f"给客户{CUSTOMER}创建挽留任务", ts="1.1")) == 200
        assert len(slack.of("chat.postMessage")) == 1
        answers = [one for one in slack.of("chat.update") if "blocks" in one]
        assert len(answers) == 1 and "批准" in json.dumps(answers, ensure_ascii=False)
    with open_app(Settings(home=home, _env_file=None)) as app:
        assert [task.customer_id for task in app.operations.tasks()] == [CUSTOMER]
        assert app.inbox.waiting("slack") == []
        proposed = [one for one in app.operations.audit_entries() if one.action == "task.propose"]
        assert len(proposed) == 1
