"""Alerts and tasks on the command line: scan, list, judge; a task is changed by role and approval."""

from pathlib import Path

import pytest

from store.records import Sentiment
from tests.command_line import CommandLine, Ran
from tests.retention_world import World

BAD = Sentiment.NEGATIVE


class Run:
    """`voiceloop ... --json` over one data folder."""

    def __init__(self, folder: Path) -> None:
        self._line = CommandLine(folder)

    def __call__(self, *words: str) -> Ran:
        return self._line(*words, "--json")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Over a feed that has ended long ago, so that it is judged as it stood then whatever day it is."""
    home = tmp_path / "home"
    home.mkdir()
    made = World(home)
    made.says("red", 100, "客服一直推脱，我要解约", BAD, signals=("cancel",))
    made.says("orange", 101, "别家更便宜", BAD, signals=("competitor",))
    made.context()
    made.close()
    return Run(tmp_path)


def test_scan_list_show_and_judge(run: Run) -> None:
    assert run("alerts", "scan").document["opened"] == 2
    listed = run("alerts", "list").document["alerts"]
    assert {
        "alert_id",
        "customer_id",
        "tier",
        "status",
        "reasons",
        "evidence",
        "due_at",
        "owner_role",
    } <= set(listed[0])
    assert [one["tier"] for one in listed] == ["red", "orange"]
    red = listed[0]["alert_id"]
    assert run("alerts", "show", red).document["task"]["status"] == "pending_approval"
    judged = run("alerts", "verdict", red, "false_alarm", "--reason", "测试账号").document
    assert (judged["alert"]["status"], judged["reason"]) == ("closed", "测试账号")
    assert [one["customer_id"] for one in run("alerts", "list").document["alerts"]] == ["orange"]
    assert len(run("alerts", "list", "--status", "all").document["alerts"]) == 2
    assert run("alerts", "list", "--tier", "purple").status == 2
    assert run("alerts", "verdict", red, "wrong").status == 2
    assert run("alerts", "verdict", red, "accurate", "--role", "viewer").status == 1


def test_a_task_is_updated_through_role_and_approval(run: Run) -> None:
    run("alerts", "scan")
    [red] = [task for task in run("tasks", "list").document["tasks"] if task["customer_id"] == "red"]
    refused = run("tasks", "update", red["task_id"], "--status", "open", "--role", "analyst")
    assert (refused.status, refused.document["kind"]) == (1, "NotPermitted")
    assert run("tasks", "list", "--status", "open").document["tasks"] == []
    opened = run(
        "tasks", "update", red["task_id"], "--status", "open", "--role", "manager", "--as-user", "max"
    )
    assert (opened.document["status"], opened.document["approved_by"]) == ("open", "max")
    noted = run("tasks", "update", red["task_id"], "--comment", "已回电", "--role", "analyst").document
    assert noted["version"] == 4
    shown = run("tasks", "show", red["task_id"]).document
    assert [line["field"] for line in shown["history"]] == ["created", "placed_at", "status", "comment"]
    assert run("tasks", "update", red["task_id"]).status == 2
    assert run("tasks", "update", red["task_id"], "--due", "soon").status == 2


def test_the_load_of_owners_is_shown_and_tending_again_changes_nothing(run: Run) -> None:
    run("alerts", "scan")
    owners = {one["owner"]: one for one in run("tasks", "load").document["owners"]}
    assert (owners["客服总监"]["open"], owners["客服总监"]["open_cap"]) == (1, 30)
    assert run("tasks", "load", "--scope", "hq/east").status == 1
    assert run("tasks", "tend").document["placed"] == 0
