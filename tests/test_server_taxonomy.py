"""`voiceloop taxonomy` from the outside: choose an industry, see what it changes, change it, go back."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine

ROOT = Path(__file__).parents[1]
FLIGHTS = (
    "评价,日期\n"
    "航变也不提前通知，投诉！,2026-11-01\n"
    "因为航变给我改到第二天，要投诉你们,2026-11-02\n"
    "飞机餐很好吃,2026-11-03\n"
    "行李丢了没人管，太差了,2026-11-03\n"
    "航班延误五个小时，投诉,2026-11-04\n"
    "客服态度很好,2026-11-05\n"
    "临时航变，客服推诿，必须投诉,2026-11-06\n"
)
HOTLINE = """
branches:
  service:
    topics:
      hotline: {name: {zh: 热线按键, en: Phone Menu}}
"""
HOTLINE_WORDS = "topics: {service/hotline: {negative: {zh: 客服推诿}}}\n"


@pytest.fixture
def flights(voiceloop: CommandLine) -> CommandLine:
    """A data folder with seven items that were labelled without any pack."""
    ran = voiceloop.ingest(voiceloop.write("flights.csv", FLIGHTS))
    assert ran.status == 0, ran.output
    return voiceloop


def document(line: CommandLine, *args: str, **settings: str) -> Any:
    ran = line("taxonomy", *args, "--json", **settings)
    assert ran.status == 0, ran.output + ran.errors
    return ran.document


def topics_stored(line: CommandLine) -> dict[str, int]:
    args = json.dumps({"metric": "volume", "group_by": ["topic"]})
    groups = line("tool", "metric_stats", "--args", args).document["data"]["groups"]
    return {group["keys"]["topic"]: group["n"] for group in groups if group["keys"]["topic"]}


def write_user_files(line: CommandLine) -> None:
    (line.home / "taxonomy.yaml").write_text(HOTLINE, encoding="utf-8")
    (line.home / "lexicon.yaml").write_text(HOTLINE_WORDS, encoding="utf-8")


def test_a_pack_is_chosen_previewed_applied_asked_about_and_rolled_back(flights: CommandLine) -> None:
    before = topics_stored(flights)
    assert document(flights, "use", "airline") == {"industries": ["airline"]}
    found = document(flights, "diff", "--examples", "3")
    assert "flight/changes" in found["tree"]["added"] and not found["tree"]["removed"]
    assert found["topics"]["flight/changes"] == {"gain": 3, "lose": 0, "polarity": 0}
    assert found["relabel"]["changed_items"] == 6 and len(found["relabel"]["sample"]) == 3
    assert not found["sampled"] and topics_stored(flights) == before

    done = document(flights, "apply", "--by", "ana")
    assert (done["items"], done["changed_items"], done["version"]) == (7, 6, found["to"])
    assert topics_stored(flights)["flight/changes"] == 3
    assert document(flights, "diff")["relabel"]["changed_items"] == 0
    assert document(flights, "apply")["already_current"] == 7

    answer = flights("ask", "航变投诉有多少", "--json").document
    assert answer["tool_calls"][0]["args"]["filters"] == {"topic": "flight/changes", "intent": "complaint"}
    assert "航变与退改签" in answer["answer"] and answer["figures"][0]["value"] == 3
    assert "Changes and Rebooking" in flights("ask", "how many complaints about rebooking?", "--json").output

    told = document(flights, "history")
    assert [entry["actor"] for entry in told["history"]] == ["ana"] and told["in_effect"] == done["version"]
    assert [one["industries"] for one in told["versions"]] == [["airline"]]

    back = document(flights, "rollback")
    assert back["before"] == done["version"] and topics_stored(flights) == before
    assert document(flights, "packs")["industries"] == []
    forth = document(flights, "rollback", done["version"][:6])
    assert forth["version"] == done["version"] and topics_stored(flights)["flight/changes"] == 3
    assert flights("audit", "verify").status == 0


def test_a_users_files_are_checked_shown_and_put_back_whole(flights: CommandLine) -> None:
    write_user_files(flights)
    assert document(flights, "check") == {"ok": True, "problems": [], "topics_without_words": []}
    rows = {row["path"]: row for row in document(flights, "show")["topics"]}
    assert rows["service/hotline"]["name"]["zh"] == "热线按键" and rows["service/hotline"]["words"] == 1
    document(flights, "apply")
    assert topics_stored(flights)["service/hotline"] == 1

    (flights.home / "taxonomy.yaml").write_text("off: [service/professionalism]\n", encoding="utf-8")
    (flights.home / "lexicon.yaml").unlink()
    found = document(flights, "diff")
    assert set(found["tree"]["removed"]) == {"service/hotline", "service/professionalism"}
    document(flights, "apply")
    document(flights, "rollback")
    assert (flights.home / "taxonomy.yaml").read_text(encoding="utf-8") == HOTLINE
    assert (flights.home / "lexicon.yaml").read_text(encoding="utf-8") == HOTLINE_WORDS
    assert topics_stored(flights)["service/hotline"] == 1
    assert len(document(flights, "history")["versions"]) == 2


def test_what_is_wrong_is_said_and_stops_everything_before_it_begins(flights: CommandLine) -> None:
    (flights.home / "taxonomy.yaml").write_text("off: [product/tast]\n", encoding="utf-8")
    ran = flights("taxonomy", "check", "--json")
    problem = ran.document["problems"][0]
    assert ran.status == 1 and not ran.document["ok"]
    assert problem["file"] == str(flights.home / "taxonomy.yaml") and problem["line"] == 1
    assert problem["at"] == "off.product/tast" and "product/taste" in problem["allowed"]
    for args in (("diff",), ("apply",), ("show",)):
        refused = flights("taxonomy", *args, "--json")
        assert refused.status == 1 and "product/tast" in refused.document["error"]
    assert document(flights, "history")["history"] == []


def test_industries_by_setting_win_and_unknown_ones_are_named(flights: CommandLine) -> None:
    assert document(flights, "packs", industries="banking,hospital")["industries"] == ["banking", "hospital"]
    refused = flights("taxonomy", "use", "airline", "--json", industries="banking")
    assert refused.status == 1 and "VOICELOOP_INDUSTRIES" in refused.document["error"]
    unknown = flights("taxonomy", "show", "--json", industries="airlin")
    assert unknown.status == 1 and "did you mean airline?" in unknown.document["hint"]
    assert flights("taxonomy", "use", "--json").status == 2
    document(flights, "use", "airline")
    document(flights, "apply")
    clash = flights("taxonomy", "rollback", "--json", industries="airline")
    assert clash.status == 1 and "unset VOICELOOP_INDUSTRIES" in clash.document["hint"]
    assert flights("taxonomy", "rollback", "nothing", "--json").status == 1


def test_nothing_to_go_back_to_is_said(voiceloop: CommandLine) -> None:
    ran = voiceloop("taxonomy", "rollback", "--json")
    assert ran.status == 1 and "no taxonomy was applied yet" in ran.document["error"]


def test_older_labels_are_told_by_doctor_and_data_quality(flights: CommandLine) -> None:
    def told() -> tuple[bool, int]:
        checks = {one["name"]: one for one in flights("doctor", "--json").document["checks"]}
        quality = flights("tool", "data_quality").document
        words = "taxonomy apply" in " ".join(quality["caveats"])
        assert words == bool(quality["data"]["stale_labels"])
        return checks["labels"]["ok"], quality["data"]["stale_labels"]

    assert told() == (True, 0)
    document(flights, "use", "airline")
    more = FLIGHTS.splitlines()[0] + "\n机上wifi连不上,2026-11-07\n"
    flights.ingest(flights.write("more.csv", more))
    assert told() == (False, 7)
    document(flights, "apply")
    assert told() == (True, 0)


def test_without_anyone_to_ask_nothing_is_relabelled(flights: CommandLine) -> None:
    before = topics_stored(flights)
    document(flights, "use", "airline")
    ran = flights("taxonomy", "apply")
    assert ran.status == 2 and "将改动" in ran.output and topics_stored(flights) == before


def test_a_sample_states_its_size_and_interval(flights: CommandLine) -> None:
    document(flights, "use", "airline")
    found = document(flights, "diff", "--sample", "4")
    assert found["sampled"] and found["relabel"]["texts"] == 4 and found["stored_items"] == 7
    estimate = found["estimate"]
    assert 0 <= estimate["ci_low"] <= estimate["share"] <= estimate["ci_high"] <= 1
    assert estimate["items"] == round(estimate["share"] * 7)


def test_a_killed_apply_is_finished_by_running_again(voiceloop: CommandLine) -> None:
    rows = "".join(
        f"第{n}次航变，机上餐食难吃，行李丢了{n * 7919},2026-{n % 9 + 1:02d}-{n % 28 + 1:02d}\n"
        for n in range(4_000)
    )
    assert voiceloop.ingest(voiceloop.write("many.csv", "评价,日期\n" + rows)).status == 0
    document(voiceloop, "use", "airline")
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "taxonomy", "apply", "--json"],
        cwd=voiceloop.folder,
        env={**os.environ, "VOICELOOP_HOME": str(voiceloop.home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    kept = voiceloop.home / "taxonomy"
    while process.poll() is None and not list(kept.glob("*.yaml")):
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = document(voiceloop, "apply")
    assert done["items"] == 4_000 and topics_stored(voiceloop)["flight/changes"] == 4_000
    assert document(voiceloop, "apply")["already_current"] == 4_000
    assert document(voiceloop, "history")["in_effect"] == done["version"]
