"""A policy tried on the past from the command line: replayed, refused above capacity, watched in shadow."""

from pathlib import Path

from retention.policy import POLICY_FILE
from store.records import Sentiment
from tests.command_line import CommandLine
from tests.retention_world import World


def test_a_policy_is_replayed_refused_and_watched(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    made = World(home)
    for n in range(4):
        made.says(f"c{n}", 100, "别家更便宜", Sentiment.NEGATIVE, signals=("competitor",))
    made.context()
    made.close()
    run = CommandLine(tmp_path)
    text = POLICY_FILE.read_text(encoding="utf-8")
    graver = tmp_path / "graver.yaml"
    graver.write_text(
        text.replace("{points: -15, tier: orange}", "{points: -15, tier: red}"), encoding="utf-8"
    )
    report = run("policy", "replay", str(graver), "--every-hours", "24", "--json").document
    assert report["recorded"] == 0 and 0 < report["daily"] <= 2 and report["faithful"] is None
    assert report["before"]["by_tier"]["orange"] == report["after"]["by_tier"]["red"] == 4
    assert [one["after"] for one in report["tier_changes"]] == ["red"] * 4
    tight = tmp_path / "tight.yaml"
    alone = text.replace("    sales: [frontline_manager]\n", "")
    tight.write_text(
        alone.replace("sales: {open: 80, week: 200}", "sales: {open: 1, week: 1}"), encoding="utf-8"
    )
    told = run("policy", "replay", str(tight))
    assert "above capacity" in told.output and "takes on 1 a week" in told.output
    asker = ("--role", "admin", "--as-user", "max", "--json")
    assert run("policy", "shadow", "--json").document["kind"] == "ToolInputError"
    assert run("policy", "apply", str(graver), "--shadow", *asker).document["state"] == "shadow"
    assert run("alerts", "scan", "--json").document["by_tier"]["orange"] == 4
    shadow = run("policy", "shadow", "--json").document
    assert (shadow["scans"], shadow["live"]["orange"], shadow["shadow"]["red"]) == (1, 4, 4)
    assert [path.name for path in sorted(home.glob("shadow-*.sqlite"))] == ["shadow-2.sqlite"]
    wrong = run("policy", "replay", "--from", "gestern", "--json")
    assert (wrong.status, wrong.document["kind"]) == (2, "ToolInputError")
