"""A run with approvals killed again and again: each action is executed once, no thread is lost."""

from pathlib import Path

import pytest

from evals.kill_resume import findings, make_home, run_killed

POINTS = 6


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("killed"), POINTS + 1)


def test_a_folder_in_which_nothing_was_done_is_told_from_a_finished_one(home: Path) -> None:
    found = findings(home, 1)
    assert (found["not_executed"], found["threads_lost"]) == (2, 1)


def test_killed_at_six_points_every_action_is_executed_once_and_every_thread_is_whole(home: Path) -> None:
    found = run_killed(home, POINTS)
    # The last point may lie beyond the end of an errand that takes a statement less.
    assert found["killed"] >= POINTS - 1
    assert found["actions"] == 2 * (POINTS + 1)
    told = {"errands", "statements", "killed", "actions", "asked_again"}
    assert {name: count for name, count in found.items() if name not in told and count} == {}
