"""`voiceloop tool` at the edge: one JSON document and the right exit status, whatever is asked."""

import json
from typing import Any

import pytest

from tests.command_line import FEED, CommandLine


@pytest.fixture
def filled(voiceloop: CommandLine) -> CommandLine:
    assert voiceloop.ingest(voiceloop.write("feed.csv", FEED)).status == 0
    return voiceloop


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("name", "args", "n"),
    [
        ("nps_stats", {}, 0),
        ("list_themes", {}, 0),
        ("detect_anomalies", {"metric": "nps"}, 0),
        ("root_cause", {"period": {"from": "2030-01-01", "to": "2030-02-01"}}, 0),
        ("data_quality", {}, 0),
    ],
)
def test_an_empty_data_folder_is_answered(
    voiceloop: CommandLine, name: str, args: dict[str, Any], n: int, language: str
) -> None:
    ran = voiceloop("tool", name, "--args", json.dumps({**args, "language": language}), "--json")
    assert (ran.status, ran.document["n"]) == (0, n)
    assert ran.document["caveats"]


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("trend", {"period": {"from": "2026-11-05", "to": "2026-11-01"}, "language": "zh"}, "颠倒"),
        ("trend", {"period": {"from": "2026-11-05", "to": "2026-11-01"}, "language": "en"}, "reversed"),
        ("nps_stats", {"group_by": "星球", "language": "zh"}, "数据中的维度"),
        ("root_cause", {"metric": "volume", "language": "zh"}, "两个时间段"),
        ("create_action_plan", {"metric": "volume", "language": "en"}, "two periods"),
        ("metric_stats", {"limit": 501, "language": "zh"}, "不能大于 500"),
    ],
)
def test_what_cannot_be_served_is_status_2(
    filled: CommandLine, name: str, args: dict[str, Any], words: str
) -> None:
    ran = filled("tool", name, "--args", json.dumps(args), "--json")
    assert (ran.status, ran.document["kind"]) == (2, "ToolInputError")
    assert words in ran.document["error"]


def test_four_items_are_answered_with_their_doubt(filled: CommandLine) -> None:
    ran = filled("tool", "nps_stats", "--args", '{"language": "en"}', "--json")
    assert (ran.status, ran.document["n"]) == (0, 4)
    assert any("fewer than 30" in caveat for caveat in ran.document["caveats"])


def test_a_store_that_cannot_be_read_is_status_1(voiceloop: CommandLine) -> None:
    voiceloop.home.mkdir()
    (voiceloop.home / "facts.duckdb").write_bytes(b"no database" * 1000)
    ran = voiceloop("tool", "nps_stats", "--json")
    assert ran.status == 1
    assert ran.document["error"]
