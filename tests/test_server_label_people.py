"""Labels by people through the command line: sheets out, labels in, corrections."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine

REVIEWS = "评价,日期\n" + "".join(
    f"{text},2026-10-0{day}\n"
    for day, text in enumerate(
        (
            "物流太慢了等了一周才到",
            "质量很好非常满意",
            "客服态度差要求退款",
            "味道一般般",
            "=1+1 这个价格真的太贵了",
            "包装破损漏了一地",
            "我的电话是13812345678请回电",
            "安装师傅很专业",
        ),
        start=1,
    )
)


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def _filled(voiceloop: CommandLine, name: str, rows: list[dict[str, str]]) -> Path:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return voiceloop.write(name, sink.getvalue().encode("utf-8-sig"))


@pytest.fixture
def stocked(voiceloop: CommandLine) -> CommandLine:
    assert voiceloop.ingest(voiceloop.write("feed.csv", REVIEWS)).status == 0
    return voiceloop


def _export(voiceloop: CommandLine, *args: str) -> Path:
    sheet = voiceloop.folder / "sheet.csv"
    ran = voiceloop("label", "export", "--out", sheet, "--strategy", "uncertainty", "--json", *args)
    assert ran.status == 0, ran.output
    return sheet


def test_a_sheet_opens_in_excel_holds_no_formula_and_no_number_of_a_person(stocked: CommandLine) -> None:
    sheet = _export(stocked)
    raw = sheet.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = _rows(sheet)
    assert len(rows) == 8
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert "13812345678" not in raw.decode()
    assert all(row["text_key"].startswith("t-") and row["human_sentiment"] == "" for row in rows)
    assert {row["sentiment"] for row in rows} <= {"positive", "neutral", "negative"}
    guide = sheet.with_name("sheet.README.md").read_text(encoding="utf-8")
    assert "human_topics" in guide and "service/attitude (服务态度)" in guide and "标注说明" in guide


def test_a_blind_sheet_does_not_sway(stocked: CommandLine) -> None:
    assert "sentiment" not in _rows(_export(stocked, "--blind"))[0]


def test_the_same_seed_gives_the_same_sheet_and_another_strategy_marks_its_rows(stocked: CommandLine) -> None:
    first = _export(stocked).read_bytes()
    assert _export(stocked).read_bytes() == first
    ran = stocked(
        "label", "export", "--out", stocked.folder / "r.csv", "--strategy", "random", "--n", "4", "--json"
    )
    assert ran.document["samples"] == {"uncertain": 0, "diverse": 0, "random": 4}
    assert {row["weight"] for row in _rows(stocked.folder / "r.csv")} == {"2.0"}


def test_two_annotators_share_some_texts(stocked: CommandLine) -> None:
    _export(stocked, "--annotators", "2", "--overlap", "0.5")
    first, second = (
        {row["text_key"] for row in _rows(stocked.folder / f"sheet.{number}.csv")} for number in (1, 2)
    )
    assert len(first & second) == 4
    assert len(first | second) == 8


def test_filled_sheets_come_in_once_and_are_not_exported_again(stocked: CommandLine) -> None:
    rows = _rows(_export(stocked))
    for row in rows[:3]:
        row["human_sentiment"], row["human_topics"] = "负面", "服务态度=差评|价格/定价"
    rows[0]["human_topics"] = "无"
    for row in rows[1:3]:
        row["human_topics"] = "服务态度=差评|定价"
    file = _filled(stocked, "filled.csv", rows)
    first = stocked("label", "import", file, "--annotator", "李", "--json").document
    assert (first["rows"], first["labelled"], first["empty"], first["rejected"]) == (8, 3, 5, 0)
    assert (first["new"], first["fields"]) == (6, {"sentiment": 3, "topics": 3})
    again = stocked("label", "import", file, "--annotator", "李", "--json").document
    assert (again["new"], again["changed"], again["same"]) == (0, 0, 6)
    exported = stocked("label", "export", "--out", stocked.folder / "b.csv", "--strategy", "random", "--json")
    assert (exported.document["texts"], exported.document["already_labelled"]) == (5, 3)


def test_a_row_with_an_impossible_cell_is_rejected_whole_with_its_number(stocked: CommandLine) -> None:
    rows = _rows(_export(stocked))
    rows[0]["human_sentiment"], rows[0]["human_intent"] = "正面", "card_arrival"
    rows[1]["human_topics"] = "服务"
    rows[2]["human_sentiment"], rows[2]["text_key"] = "正面", "t-0000"
    rows[3]["human_sentiment"] = "正面"
    ran = stocked(
        "label", "import", _filled(stocked, "f.csv", rows), "--rejects", stocked.folder / "r.jsonl", "--json"
    )
    found = ran.document
    assert (found["labelled"], found["rejected"], found["new"]) == (1, 3, 1)
    rejected = [json.loads(line) for line in (stocked.folder / "r.jsonl").read_text("utf-8").splitlines()]
    assert [one["row"] for one in rejected] == [2, 3, 4]
    assert "intent has no value 'card_arrival'" in rejected[0]["reason"]
    assert "branch of topics" in rejected[1]["reason"]
    assert "text_key is not in the store" in rejected[2]["reason"]


def test_two_people_are_compared_and_a_third_decides(stocked: CommandLine) -> None:
    rows = _rows(_export(stocked))
    said = {"甲": ["正面"] * 4 + ["负面"] * 4, "乙": ["正面"] * 3 + ["负面"] * 5}
    for name, values in said.items():
        for row, value in zip(rows, values, strict=True):
            row["human_sentiment"] = value
        ran = stocked("label", "import", _filled(stocked, "f.csv", rows), "--annotator", name, "--json")
    found = ran.document
    assert found["agreement"]["sentiment"]["kappa"]["value"] == pytest.approx(0.75)
    assert found["disagreements"] == 1
    contested = _rows(Path(found["disagreements_file"]))
    assert [(row["field"], row["甲"], row["乙"]) for row in contested] == [
        ("sentiment", "positive", "negative")
    ]
    contested[0]["decision"] = "neutral"
    decided = stocked(
        "label", "import", _filled(stocked, "d.csv", contested), "--annotator", "丙", "--json"
    ).document
    assert (decided["new"], decided["disagreements"], decided["disagreements_file"]) == (1, 0, None)


def test_any_labelled_table_comes_in_by_its_text_masked(voiceloop: CommandLine) -> None:
    file = voiceloop.write(
        "mine.csv", "内容,分数,联系\n电话13812345678没人接,1,a\n非常满意,5,b\n还行吧,3,c\n"
    )
    ran = voiceloop("label", "import", file, "--column", "sentiment=分数", "--text-column", "内容", "--json")
    assert (ran.document["new"], ran.document["annotators"]) == (3, ["mine"])
    raw = (voiceloop.home / "operations.sqlite").read_bytes()
    assert b"13812345678" not in raw
    assert "没人接".encode() in raw


@pytest.mark.parametrize(
    ("content", "args", "status", "told"),
    [
        ("text,x\n好,1\n", (), 1, "no column holds labels"),
        ("text,sentiment\n好,正面\n", ("--column", "colour=sentiment"), 2, "no label field 'colour'"),
        ("text,sentiment\n好,正面\n", ("--column", "sentiment=nope"), 1, "no column 'nope'"),
        ("text,sentiment\n好,正面\n", ("--map", "x=nope"), 2, "none of the fields here"),
    ],
)
def test_what_cannot_be_imported_is_said(
    voiceloop: CommandLine, content: str, args: tuple[str, ...], status: int, told: str
) -> None:
    ran = voiceloop("label", "import", voiceloop.write("a.csv", content), *args, "--json")
    assert ran.status == status
    assert told in ran.document["error"]


def test_a_correction_holds_at_once_for_all_items_with_the_text_and_for_new_ones(
    stocked: CommandLine,
) -> None:
    stocked.ingest(stocked.write("more.csv", "评价,日期\n味道一般般,2026-10-20\n"))
    items = stocked("tool", "search_feedback", "--args", '{"query": "味道一般般"}').document["data"]["items"]
    item = next(one for one in items if one["text"] == "味道一般般")
    ran = stocked(
        "label", "correct", item["id"], "--field", "情感", "--value", "正面", "--by", "王", "--json"
    )
    found = ran.document
    assert (found["after"], found["items"]) == ("positive", 2)
    assert found["labels"]["labeller"].endswith("+human:王")
    assert found["labels"]["sentiment_confidence"] == 1.0
    stocked.ingest(stocked.write("again.csv", "评价,日期\n味道一般般,2026-10-25\n"))
    share = stocked("tool", "metric_stats", "--args", '{"metric": "positive_share"}').document
    assert share["data"]["value"] >= 3 / 10
    assert stocked("audit", "verify").status == 0


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("colour", "red", "no label field"),
        ("sentiment", "绿色", "no value '绿色'"),
        ("topics", "服务", "branch of topics"),
        ("topics", "口味=正面|口味=负面", "twice"),
    ],
)
def test_a_wrong_correction_changes_nothing(stocked: CommandLine, field: str, value: str, told: str) -> None:
    rows = _rows(_export(stocked))
    ran = stocked("label", "correct", rows[0]["feedback_id"], "--field", field, "--value", value, "--json")
    assert ran.status == 2
    assert told in ran.document["error"]
    assert len(_rows(_export(stocked))) == 8
    assert stocked("label", "correct", "nobody", "--field", "sentiment", "--value", "正面").status == 2


def test_an_empty_store_says_what_to_do(voiceloop: CommandLine) -> None:
    ran = voiceloop("label", "export", "--json")
    assert ran.status == 1
    assert "ingest" in ran.document["hint"]
    assert voiceloop("label", "export", "--out", "a.xlsx", "--json").status == 2
    assert voiceloop("label", "export", "--strategy", "guess", "--json").status == 2
