"""The job that verifies plans: what is due is judged once, its effect is told, what was missed is taken up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from server.job_kinds import KINDS, NoArguments
from server.job_runner import JobWork, asked_run
from server.job_schedules import shipped
from store.clock import FixedClock
from tests.plan_world import approved_plan, three_months
from tests.retention_world import NOW
from tools.context import Asker


@pytest.fixture(scope="module")
def missed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An application whose one plan did nothing and whose window is over."""
    home: Path = tmp_path_factory.mktemp("missed")
    world = three_months(home, "nothing")
    approved_plan(world, home)
    world.close()
    with open_app(Settings(home=home), FixedClock(NOW)) as opened:
        yield opened


def verified(app: App) -> dict[str, object]:
    run = asked_run("verify_plans", {}, by="test", scope=(), now=app.clock.now())
    return dict(KINDS["verify_plans"].act(NoArguments(), JobWork(app, run, lambda *at: None)))


def test_the_job_judges_what_is_due_once_and_reports_tell_the_stored_effect(missed: App) -> None:
    assert any(one["kind"] == "verify_plans" for one in shipped().values())
    assert verified(missed) == {
        "plans": 1,
        "by_state": {"verified": 1},
        "outcomes": {"missed": 1},
        "follow_ups": 1,
    }
    assert verified(missed)["plans"] == 0
    document = missed.insights(Asker(), kind="monthly", language="en").document
    (section,) = (one for one in document.sections if one.key == "plans")
    by_status = {entry.facts["status"]: entry for entry in section.entries}
    (main,) = (effect for effect in missed.operations.effects() if effect.main)
    told = " ".join(by_status["done"].details)
    assert main.starts_on.isoformat() in told and "verdict: missed" in told
    assert by_status["done"].tone == "bad"
    assert "awaits approval" in " ".join(by_status["pending_approval"].details)
