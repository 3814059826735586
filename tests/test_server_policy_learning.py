"""`policy learn`, its route and its job: a lesson is shown, put in shadow mode or live, and taken back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from server.policy_learning import LEARNER, propose_lesson
from store.alerts import VerdictKind
from store.clock import FixedClock
from store.records import Sentiment
from store.sqlite_operations import SqliteOperationStore
from tests.command_line import CommandLine
from tests.retention_world import NOW, World
from tests.serving import Api

WANTED = 48
URL = "/v1/settings/policy/lesson"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leavers talk of a rival and score low, loyal customers of something else and score high; all were judged."""
    folder = tmp_path_factory.mktemp("judged") / "home"
    folder.mkdir()
    made = World(folder)
    for n in range(WANTED):
        leaves = n % 2 == 0
        signals = ("competitor",) if leaves else ("other",)
        made.says(f"c{n:02}", 1, "换别家" if leaves else "有意见", Sentiment.NEGATIVE, signals=signals)
        for day in (300, 200, 100):
            made.says(f"c{n:02}", day, nps=4.0 if leaves else 10.0)
    made.context()
    made.close()
    with open_app(Settings(home=folder, _env_file=None), FixedClock(NOW)) as app:
        assert app.scan_alerts("test").opened == WANTED
        alerts = sorted(app.operations.alerts(), key=lambda alert: alert.alert_id)
    for n, alert in enumerate(alerts):
        clock = FixedClock(NOW + timedelta(minutes=n))
        operations = SqliteOperationStore(folder / "operations.sqlite", clock)
        verdict: VerdictKind = "accurate" if int(alert.customer_id[1:]) % 2 == 0 else "false_alarm"
        operations.record_verdict(alert.alert_id, verdict, "", actor="ann")
        operations.close()
    return folder


@pytest.fixture
def api_app(home: Path, tmp_path: Path) -> Iterator[App]:
    import shutil

    shutil.copytree(home, tmp_path / "home")
    clock = FixedClock(NOW + timedelta(days=1))
    with open_app(Settings(home=tmp_path / "home", _env_file=None), clock) as app:
        yield app


def test_the_job_proposes_once_and_leaves_a_persons_shadow_alone(api_app: App) -> None:
    told = propose_lesson(api_app)
    assert told["refused"] is None and told["proposed"] == 2
    shadow = api_app.policy_book.store.in_state("shadow")
    assert shadow is not None and shadow.made_by == LEARNER and shadow.report is not None
    assert shadow.report["lesson"]["verdicts"] == WANTED
    assert api_app.policy_book.live().learnt.empty
    again = propose_lesson(api_app)
    assert (again["proposed"], again["kept"]) == (None, 2)
    text = api_app.policy_book.live_version().text.replace("threshold: 60 ", "threshold: 55 ")
    api_app.policy_book.put(text, state="shadow", by="ann", why="mine")
    assert propose_lesson(api_app)["kept"] == 3


async def test_a_lesson_is_shown_to_managers_and_put_by_admins(api: Api) -> None:
    manager = api.key("manager")
    shown = (await api.client.get(URL, headers=manager)).json()
    assert shown["learnt"] and shown["verdicts"] == WANTED and shown["refused"] is None
    before, after = (shown["held_out"][f"precision_{name}"] for name in ("before", "after"))
    assert after["value"] > before["value"] and before["ci_low"] < before["value"] < before["ci_high"]
    assert {"what": "call_at", "key": "other"}.items() <= next(
        one for one in shown["changes"] if one["key"] == "other"
    ).items()
    assert (await api.client.post(URL, json={"state": "live"}, headers=manager)).status_code == 403
    assert (await api.client.get(URL, headers=api.key("admin", ("east",)))).status_code == 403
    admin = api.key("admin")
    put = await api.client.post(URL, json={"state": "live"}, headers=admin)
    assert (put.status_code, put.json()["number"], put.json()["state"]) == (200, 2, "live"), put.text
    assert api.state.app.policy_book.live().learnt.verdicts == WANTED
    again = await api.client.post(URL, json={"state": "live"}, headers=admin)
    assert again.status_code == 400 and "当前策略已经如此" in again.json()["detail"]
    api.state.app.policy_book.revert(1, by="ann", why="too quiet")
    assert api.state.app.policy_book.live().learnt.empty


def test_the_command_shows_puts_and_is_refused_for_other_roles(api_app: App, tmp_path: Path) -> None:
    api_app.close()
    run = CommandLine(tmp_path)
    shown = run("policy", "learn", "--json").document
    assert shown["learnt"] and shown["put"] is None
    assert run("policy", "learn", "--shadow", "--apply").status == 2
    assert run("policy", "learn", "--apply", "--role", "manager").status == 1
    assert run("policy", "learn", "--scope", "east").status == 1
    assert "客户自己的评分一直偏高" in run("policy", "learn").output
    put = run("policy", "learn", "--apply", "--json").document
    assert put["put"] == {"number": 2, "state": "live"}
    assert "当前策略已经如此" in run("policy", "learn").output
