"""The plans commands, over a data folder and the real clock."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine
from tests.plan_world import approved_plan, asked_about, three_months
from tests.retention_world import NOW

# However early the clock stands, the plan's window is over.
SHIFT = max(0, (NOW - datetime.now(UTC)).days + 2)


@pytest.fixture(scope="module")
def missed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a plan that did nothing and whose window is over."""
    home = tmp_path_factory.mktemp("missed") / "home"
    home.mkdir()
    world = three_months(home, "nothing", shift=SHIFT)
    approved_plan(world, home, shift=SHIFT)
    world.close()
    return home


@pytest.fixture
def voiceloop(missed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    monkeypatch.chdir(tmp_path)
    yield CommandLine(missed.parent)


def listed(voiceloop: CommandLine, *args: str) -> list[dict[str, Any]]:
    return list(voiceloop("plans", "list", "--json", *args).document["plans"])


def test_only_who_may_verifies_and_only_what_they_see(voiceloop: CommandLine) -> None:
    refused = voiceloop("plans", "verify", "--json", "--role", "viewer")
    assert (refused.status, refused.document["kind"]) == (1, "NotPermitted")
    scoped = voiceloop("plans", "verify", "--json", "--scope", "hq/浙江")
    assert (scoped.status, scoped.document) == (0, {"plans": []})
    assert listed(voiceloop, "--scope", "hq/浙江") == []
    (plan,) = listed(voiceloop)
    hidden = voiceloop("plans", "export", plan["plan_id"], "--scope", "hq/浙江", "--json")
    assert (hidden.status, hidden.document["kind"]) == (1, "NotPermitted")
    assert plan["problem"] not in hidden.output


def test_a_plan_is_verified_and_what_follows_is_approved(voiceloop: CommandLine, tmp_path: Path) -> None:
    (found,) = voiceloop("plans", "verify", "--json", "--language", "en").document["plans"]
    assert (found["state"], found["outcome"], found["status"]) == ("verified", "missed", "done")
    assert found["review"]["reopened"]["causes"][0]["conditions"] == {"region": "广东"}
    assert voiceloop("plans", "verify", "--json").document == {"plans": []}
    next_one = found["follow_up"]["plan_id"]
    plans = {plan["plan_id"]: plan for plan in listed(voiceloop)}
    assert plans[next_one]["follows"] == found["plan_id"] and len(plans) == 2

    refused = voiceloop("plans", "update", next_one, "--status", "open", "--role", "analyst", "--json")
    assert (refused.status, refused.document["kind"]) == (1, "NotPermitted")
    opened = voiceloop("plans", "update", next_one, "--status", "open", "--as-user", "max", "--json").document
    assert (opened["status"], opened["approved_by"], opened["window"]["from_approval"]) == (
        "open",
        "max",
        True,
    )
    (running,) = voiceloop("plans", "verify", next_one, "--json").document["plans"]
    assert (running["state"], running["outcome"]) == ("not_due", None)
    assert "not due before" in voiceloop("plans", "verify", next_one).output.replace("\n", " ")
    assert voiceloop("plans", "update", next_one, "--status", "done", "--json").status == 2


def test_a_plan_is_exported_in_three_forms_and_two_languages(voiceloop: CommandLine, tmp_path: Path) -> None:
    plan = listed(voiceloop)[-1]
    for language, word in (("zh", "措施"), ("en", "Measures")):
        file = tmp_path / f"plan-{language}.md"
        ran = voiceloop("plans", "export", plan["plan_id"], "--out", file, "--language", language, "--json")
        assert ran.document == {"plan_id": plan["plan_id"], "format": "md", "file": str(file)}
        assert word in file.read_text(encoding="utf-8")
    table = tmp_path / "tasks.csv"
    assert voiceloop("plans", "export", plan["plan_id"], "--format", "csv", "--out", table).status == 0
    written = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    assert [row["措施编号"] for row in written] == [measure["id"] for measure in plan["measures"]]
    whole = json.loads(voiceloop("plans", "export", plan["plan_id"], "--format", "json").output)
    assert whole["plan_id"] == plan["plan_id"] and whole["measures"] == plan["measures"]


@pytest.mark.parametrize(
    "args",
    [
        ("verify", "plan-none"),
        ("export", "plan-none"),
        ("export", "plan-none", "--format", "docx"),
        ("list", "--status", "lost"),
        ("list", "--language", "fr"),
    ],
)
def test_what_is_not_there_is_said(voiceloop: CommandLine, args: tuple[str, ...]) -> None:
    ran = voiceloop("plans", *args, "--json")
    assert ran.status == 2 and ran.document["error"]


def test_asking_again_in_the_other_language_stores_nothing_new(voiceloop: CommandLine) -> None:
    before = len(listed(voiceloop))
    asked = {**asked_about(SHIFT), "limit": 2}
    told = [
        voiceloop(
            "tool", "create_action_plan", "--args", json.dumps({**asked, "language": language})
        ).document["data"]
        for language in ("zh", "en")
    ]
    assert told[0]["plan"]["plan_id"] == told[1]["plan"]["plan_id"] and not told[1]["new"]
    assert told[0]["plan"]["hypothesis"] != told[1]["plan"]["hypothesis"]
    assert "Control group" in told[1]["plan"]["control"]
    assert len(listed(voiceloop)) <= before + 1
