"""The policy on the command line: checked and explained, compared, applied, watched, taken back."""

from pathlib import Path

import pytest

from retention.policy import POLICY_FILE
from tests.command_line import CommandLine

SHIPPED = POLICY_FILE.read_text(encoding="utf-8")
RULE = "rules:\n  - {name: 退款急件, when: {channel: 工单, contains: 退款, priority: 高}, tell: 老板}\n"


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def written(folder: Path, name: str = "mine.yaml", *changes: tuple[str, str]) -> str:
    text = SHIPPED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_check_tells_what_happens_and_warns_of_what_makes_no_sense(line: CommandLine, tmp_path: Path) -> None:
    ran = line("policy", "check")
    assert ran.status == 0
    assert "红色预警" in ran.output and "2 小时内" in ran.output
    # Of a year that is not announced yet the make-up days are not known, whenever this test is run.
    shipped = line("policy", "check", "--json").document
    assert {one["kind"] for one in shipped["warnings"]} <= {"make_up_unknown"}
    file = written(tmp_path, "mine.yaml", ("rules: []\n", RULE), ("threshold: 60 ", "threshold: 80 "))
    told = line("policy", "check", file, "--language", "en", "--json").document
    assert "“退款急件”" in " ".join(one["text"] for one in told["sentences"])
    assert {one["kind"] for one in told["warnings"]} >= {"everybody", "unknown_target"}
    assert line("policy", "check", file, "--strict").status == 1


def test_a_wrong_file_is_told_key_by_key_and_not_applied(line: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, "mine.yaml", ("threshold: 60 ", "treshold: 60 "))
    for words in (("check", file), ("apply", file)):
        ran = line("policy", *words, "--json")
        assert ran.status == 1
        assert "health.treshold" in ran.document["error"] and "health.threshold" in ran.document["error"]
    assert line("policy", "check", str(tmp_path / "absent.yaml")).status == 1
    assert [one["number"] for one in line("policy", "history", "--json").document["versions"]] == [1]


def test_a_change_is_compared_applied_and_taken_back(line: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, "mine.yaml", ("rules: []\n", RULE), ("{clock_hours: 2}", "{clock_hours: 1}"))
    found = line("policy", "diff", file, "--json").document["differences"]
    assert {one["at"]: (one["before"], one["after"]) for one in found} == {
        "tiers.red.deadline.clock_hours": (2.0, 1.0),
        "rules.退款急件.when.contains": (None, ["退款"]),
        "rules.退款急件.when.channel": (None, ["ticket"]),
        "rules.退款急件.when.priority": (None, ["urgent"]),
        "rules.退款急件.tier": (None, "callback"),
        "rules.退款急件.tell": (None, ["老板"]),
    }
    assert line("policy", "apply", file, "--why", "快一点", "--json").document["number"] == 2
    again = line("policy", "apply", file, "--json")
    assert (again.status, "nothing differs" in again.document["error"]) == (2, True)
    assert line("policy", "show").output == (tmp_path / "mine.yaml").read_text("utf-8").replace(
        "\nversion: 1\n", "\nversion: 2\n"
    )
    assert len(line("policy", "diff", "1", "2", "--json").document["differences"]) == len(found)
    back = line("policy", "revert", "1", "--why", "太快了", "--json").document
    assert (back["number"], back["reverts"], back["why"]) == (3, 1, "太快了")
    assert line("policy", "diff", "1", "3", "--json").document["differences"] == []


def test_a_policy_is_watched_first_and_then_decides(line: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, "mine.yaml", ("threshold: 60 ", "threshold: 65 "))
    assert line("policy", "apply", file, "--shadow", "--json").document["state"] == "shadow"
    assert line("policy", "apply", "2", "--json").document["state"] == "live"
    line("policy", "apply", written(tmp_path, "other.yaml"), "--shadow")
    assert line("policy", "withdraw", "--json").document["state"] == "retired"
    states = [one["state"] for one in line("policy", "history", "--json").document["versions"]]
    assert states == ["retired", "live", "retired"]


def test_only_an_admin_changes_the_policy(line: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, "mine.yaml", ("threshold: 60 ", "threshold: 65 "))
    ran = line("policy", "apply", file, "--role", "manager", "--json")
    assert (ran.status, ran.document["kind"]) == (1, "NotPermitted")
    assert line("policy", "revert", "1", "--role", "analyst").status == 1
