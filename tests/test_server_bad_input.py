"""Bad input gets one clear error, the right exit status, and costs nothing that was stored before."""

import os
from pathlib import Path

import pytest

from tests.command_line import FEED, CommandLine, Ran

GOOD = "评价,NPS,日期\n" + "".join(f"第{n}次购买，质量很好,{n % 11},2026-10-{n + 1:02d}\n" for n in range(20))


@pytest.fixture
def filled(voiceloop: CommandLine) -> CommandLine:
    """The command line over a data folder that holds four items."""
    ran = voiceloop.ingest(voiceloop.write("before.csv"))
    assert ran.status == 0, ran.output
    return voiceloop


def refused(ran: Ran, status: int, *words: str) -> None:
    """One JSON document with an error that holds each word, and this exit status."""
    assert ran.status == status, ran.output
    assert set(ran.document) == {"error", "hint", "kind"}
    told = f"{ran.document['error']} {ran.document['hint']}"
    assert [word for word in words if word not in told] == [], told
    assert "Traceback" not in ran.errors


UNUSABLE: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "empty": ("x.csv", b"", ("x.csv", "empty", "export it again")),
    "blank": ("x.csv", b"\xef\xbb\xbf\r\n \r\n", ("empty",)),
    "header-only": ("x.csv", "评价,NPS\n".encode(), ("no rows", "export it again")),
    "binary": ("x.csv", bytes(range(256)) * 40, ("binary", "XLSX")),
    "two-encodings": ("x.csv", "评价\n很好用\n".encode() + "太差了\n".encode("gb18030"), ("UTF-8", "save")),
    "film": ("x.mov", b"\x00\x00\x00\x14ftypqt  " + bytes(range(256)), ("unknown kind", ".csv")),
    "workbook": ("x.xlsx", b"PK\x03\x04" + b"x" * 500, ("workbook", "save it again")),
    "parquet": ("x.parquet", b"PAR1" + b"x" * 500, ("Parquet",)),
    "gzip": ("x.csv.gz", b"\x1f\x8b\x08\x00abc", ("gzip", "broken")),
    "json": ("x.json", b'{"a": [', ("not JSON",)),
    "no-such-columns": ("x.csv", b"a,b\nx,y\n", ("a, b", "--map text=COLUMN")),
}


def test_unusable_files_are_refused_and_nothing_is_lost(filled: CommandLine) -> None:
    for name, content, words in UNUSABLE.values():
        refused(filled.ingest(filled.write(name, content)), 1, *words)
    assert filled.stored() == 4


def test_files_and_folders_that_are_not_there(filled: CommandLine) -> None:
    refused(filled("ingest", "nowhere.csv", "--json"), 1, "nowhere.csv", "no such file")
    folder = filled.folder / "documents"
    folder.mkdir()
    refused(filled("ingest", folder, "--json"), 1, "no readable file", "CSV")
    (folder / "notes.docx").write_bytes(b"x")
    refused(filled("ingest", folder, "--json"), 1, "no readable file")
    refused(filled("mask", folder, "--json"), 1, "not a file")
    refused(filled("label", "predict", "nowhere.txt", "--json"), 1, "no such file")
    assert filled.stored() == 4


def test_an_encoding_given_wrongly(filled: CommandLine) -> None:
    path = filled.write("gb.csv", GOOD.encode("gb18030"))
    refused(filled.ingest(path, "--encoding", "utf-8"), 1, "not valid utf-8", "leave out --encoding")
    refused(filled.ingest(path, "--encoding", "klingon"), 1, "klingon")
    assert filled.ingest(path).document["stored"] == 20
    assert filled.stored() == 24


def test_a_file_name_that_is_no_utf8(filled: CommandLine) -> None:
    path = filled.folder / os.fsdecode("评价".encode("gb18030") + b".csv")
    try:
        path.write_text(GOOD, "utf-8")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    ran = filled.ingest(path)
    assert (ran.status, ran.document["stored"]) == (0, 20)
    assert ran.document["files"][0]["path"].endswith("/评价.csv")
    assert filled.stored() == 24
    found = filled("tool", "nps_stats", "--args", '{"filters": {"source": "评价"}}')
    assert found.document["n"] == 20


def test_impossible_dates_and_scores_cost_their_row_alone(filled: CommandLine) -> None:
    rows = (
        "很好,9,2026-02-30\n很好,11,2026-10-01\n很好,-1,2026-10-01\n很好,abc,2026-10-01\n很好,9,1026-10-01\n"
    )
    ran = filled.ingest(filled.write("some.csv", GOOD + rows))
    told = ran.document
    assert (ran.status, told["read"], told["stored"], told["rejected"]) == (0, 25, 20, 5)
    reasons = " / ".join(told["reject_reasons"])
    for word in ("2026-02-30", "NPS 11 is outside 0-10", "NPS -1", "abc", "1026-10-01"):
        assert word in reasons
    assert len(Path(told["rejects_file"]).read_text("utf-8").splitlines()) == 5
    assert filled.stored() == 24


def test_a_cell_of_ten_megabytes(filled: CommandLine) -> None:
    ran = filled.ingest(filled.write("huge.csv", GOOD + f'"{"长" * 3_500_000}",3,2026-10-01\n'))
    told = ran.document
    assert (ran.status, told["stored"], told["rejected"]) == (0, 20, 1)
    assert "longer than" in next(iter(told["reject_reasons"]))
    assert filled.stored() == 24


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--map", "nonsense"), 2, ("field=column", "--map text=")),
        (("--map", "text=不存在"), 1, ("不存在", "评价, NPS")),
        (("--map", "colour=NPS"), 1, ("colour", "rating")),
        (("--kind", "stuff"), 2, ("--kind", "customers")),
        (("--channel", "pigeon"), 2, ("--channel", "survey")),
        (("--date-order", "yyy"), 2, ("--date-order", "dmy")),
        (("--source", "x" * 300), 2, ("--source", "200")),
        (("--mapping", "nowhere.yaml"), 1, ("nowhere.yaml", "mapping file")),
    ],
)
def test_options_of_ingest(
    filled: CommandLine, options: tuple[str, ...], status: int, words: tuple[str, ...]
) -> None:
    refused(filled.ingest(filled.write("good.csv", GOOD), *options), status, *words)
    assert filled.stored() == 4


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("no_such_tool", "{}", ("no_such_tool", "nps_stats")),
        ("nps_stats", "{bad", ("not JSON", "--args '{")),
        ("nps_stats", "[1]", ("JSON object", "--args '{")),
        ("nps_stats", '{"colour": 1}', ("colour", "period", "group_by")),
        ("nps_stats", '{"period": "whenever"}', ("whenever", "last 30 days")),
        ("nps_stats", '{"filters": {"region": "火星"}}', ("火星", "广东")),
        ("metric_stats", '{"metric": "happiness"}', ("happiness", "nps")),
        ("create_retention_task", '{"customer_ids": ["nobody"]}', ("nobody", "churn_risk")),
    ],
)
def test_tools(filled: CommandLine, name: str, args: str, words: tuple[str, ...]) -> None:
    refused(filled("tool", name, "--args", args), 2, *words)


def test_statuses_and_ids(voiceloop: CommandLine) -> None:
    for command in (("tasks", "list"), ("plans", "list"), ("tasks", "update", "t1")):
        refused(voiceloop(*command, "--status", "finished", "--json"), 2, "finished", "pending_approval")
    refused(voiceloop("tasks", "update", "t1", "--status", "done", "--json"), 2, "t1")
    refused(voiceloop("tasks", "show", "t1", "--json"), 2, "t1", "tasks list")
    refused(voiceloop("themes", "--period", "whenever", "--json"), 2, "whenever")


def test_questions(filled: CommandLine) -> None:
    long = "为什么NPS下降" * 12_500
    assert len(long) == 100_000
    for question, stdin in ((long, None), ("-", long)):
        ran = filled("ask", question, "--json", stdin=stdin)
        refused(ran, 2, "100,000 characters", "8,000", "ingest")
    for question, stdin in (("", None), ("  \n", None), ("-", "")):
        refused(filled("ask", question, "--json", stdin=stdin), 2, "empty")
    refused(filled("ask", "-", "--json", stdin=b"NPS \xff\xfe"), 1, "UTF-8")
    refused(filled("approve", "no-thread", "--json"), 2, "no-thread", "approval")
    assert filled.stored() == 4


def test_settings(filled: CommandLine) -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", "", "Asia"):
        refused(filled("tool", "nps_stats", timezone=zone), 1, "VOICELOOP_TIMEZONE", "Asia/Shanghai")
    refused(filled("themes", "--json", language="fr"), 1, "VOICELOOP_LANGUAGE", "'zh' or 'en'")
    refused(filled("ask", "NPS?", "--json", llm_timeout_s="-1"), 1, "VOICELOOP_LLM_TIMEOUT_S")
    url = "http://127.0.0.1:9/v1"
    refused(filled("ask", "NPS?", "--json", llm_base_url=url), 1, "VOICELOOP_LLM_MODEL", "name the model")
    filled.write(".env", "VOICELOOP_LANGUAGE=中".encode("gb18030"))
    refused(filled("themes", "--json"), 1, ".env", "UTF-8")
    (filled.folder / ".env").unlink()
    assert filled.stored() == 4


def test_texts_in_any_encoding_are_read_and_what_is_broken_is_said(voiceloop: CommandLine) -> None:
    texts = ["物流太慢了，请回电13812345678", "质量很好"]
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        path = voiceloop.write("texts.txt", "\r\n".join(texts).encode(encoding))
        masked = [line["text"] for line in voiceloop("mask", path, "--json").lines]
        assert masked == ["物流太慢了，请回电[PHONE]", "质量很好"]
    ran = voiceloop("mask", "-", "--json", stdin="质量很好\n".encode() + "太差\n".encode("gb18030"))
    assert (ran.status, len(ran.lines), ran.lines[0]["text"]) == (0, 2, "质量很好")
    assert "1 lines were not UTF-8" in ran.errors
    table = voiceloop.write("t.csv", FEED)
    refused(voiceloop("mask", table, "--text-column", "说明", "--json"), 1, "说明", "评价, NPS")
    refused(voiceloop("mask", voiceloop.write("b.csv", bytes(range(256)) * 9), "--json"), 1, "binary")
    for empty in (("-",), (str(voiceloop.write("e.txt", b"")),)):
        assert voiceloop("label", "predict", *empty, "--json", stdin=b"").output == ""


def test_without_json_the_error_goes_to_standard_error(voiceloop: CommandLine) -> None:
    ran = voiceloop("ingest", voiceloop.write("[bold]x.csv", b""))
    assert (ran.status, ran.output) == (1, "")
    assert "[bold]x.csv" in ran.errors.replace("\n", "")
    assert "export it again" in ran.errors.replace("\n", " ")
