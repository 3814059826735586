"""`voiceloop insights`: where the report goes, in which format, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine


@pytest.fixture(scope="module")
def voiceloop(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A data folder with four items of October 2026."""
    line = CommandLine(tmp_path_factory.mktemp("insights"))
    assert line.ingest(line.write("feed.csv")).status == 0
    return line


def test_the_report_lies_in_the_data_folder_under_its_period(voiceloop: CommandLine) -> None:
    asked = ("insights", "--from", "2026-10-01", "--to", "2026-11-01", "--json")
    first, again = voiceloop(*asked), voiceloop(*asked)
    assert first.status == 0, first.output
    file = Path(first.document["file"])
    assert file == voiceloop.home / "reports" / "ad_hoc-2026-10-01-2026-11-01-zh.md"
    assert file.read_text(encoding="utf-8").startswith("# 客户之声洞察报告")
    assert again.document["file"] == str(file)
    assert first.document["insights"]["headlines"][0]["figures"]["n"] == 4


@pytest.mark.parametrize(
    ("name", "start"),
    [("r.md", b"# "), ("r.html", b"<!DOCTYPE html>"), ("r.pdf", b"%PDF-"), ("r.json", b"{")],
)
def test_the_ending_of_out_says_the_format(voiceloop: CommandLine, name: str, start: bytes) -> None:
    out = voiceloop.folder / name
    ran = voiceloop(
        "insights", "--from", "2026-10-01", "--to", "2026-11-01", "--out", out, "--language", "en"
    )
    assert ran.status == 0, ran.errors
    assert out.read_bytes().startswith(start)


def test_standard_output_takes_the_report_itself(voiceloop: CommandLine) -> None:
    ran = voiceloop("insights", "--from", "2026-10-01", "--format", "json", "--out", "-")
    assert ran.status == 0
    assert json.loads(ran.output)["kind"] == "ad_hoc"


def test_filters_narrow_the_report(voiceloop: CommandLine) -> None:
    dates = ("--from", "2026-10-01", "--to", "2026-11-01")
    ran = voiceloop("insights", *dates, "--filter", "region=广东", "--json")
    assert ran.document["insights"]["scope"] == "广东"
    assert ran.document["insights"]["headlines"][0]["figures"]["n"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ("yearly",),
        ("monthly", "--from", "2026-10-01"),
        ("--format", "docx"),
        ("--language", "fr"),
        ("--filter", "region"),
        ("--filter", "region=火星"),
        ("--from", "2026-02-30"),
        ("--role", "king"),
    ],
)
def test_what_is_not_understood_is_wrong_usage(voiceloop: CommandLine, wrong: tuple[str, ...]) -> None:
    ran = voiceloop("insights", *wrong, "--json")
    assert ran.status == 2
    assert ran.document["error"]


def test_an_empty_data_folder_gives_a_report_that_says_so(tmp_path: Path) -> None:
    ran = CommandLine(tmp_path)("insights", "daily", "--json")
    assert ran.status == 0
    assert "voiceloop ingest" in ran.document["insights"]["summary"]
