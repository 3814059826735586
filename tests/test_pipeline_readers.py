import gzip
import io
import json
from datetime import datetime
from pathlib import Path

import openpyxl
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pipeline.delimited import RecordReader, sniff_delimiter
from pipeline.encodings import detect_encoding
from pipeline.readers import find_files, open_table
from store.errors import InputError

CHINESE = "评价,评分\n物流太慢了，等了一个星期才到,2\n质量很好，客服耐心,5\n"


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows_of(path: Path) -> list[dict[str, object]]:
    return [dict(row.values) for row in open_table(path).rows()]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
def test_the_usual_encodings_read_alike(tmp_path: Path, encoding: str, found: str) -> None:
    path = write(tmp_path / "a.csv", CHINESE.encode(encoding))
    assert open_table(path).encoding == found
    assert rows_of(path)[0] == {"评价": "物流太慢了，等了一个星期才到", "评分": "2"}


def test_the_whole_file_decides_the_encoding(tmp_path: Path) -> None:
    late = "text,n\n" + "fine,1\n" * 200_000 + "很好，非常满意,1\n"
    assert open_table(write(tmp_path / "a.csv", late.encode("gb18030"))).encoding == "gb18030"


def test_western_text_is_not_taken_for_chinese() -> None:
    text = "\n".join(["le café était très bon, naïve élève à Besançon", "übergrößen müssen schön sein"] * 50)
    with pytest.raises(InputError, match="neither UTF-8"):
        detect_encoding([text.encode("cp1252")], "a.csv")


def test_a_few_broken_bytes_spoil_their_row_only(tmp_path: Path) -> None:
    lines = [f"很好的商品{n},5".encode() for n in range(200)]
    lines[7] = b"\xe5\xbe,4"
    path = write(tmp_path / "a.csv", "评价,评分\n".encode() + b"\n".join(lines))
    rows = rows_of(path)
    assert len(rows) == 200
    assert "\udce5" in str(rows[7]["评价"])


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters_are_found(delimiter: str) -> None:
    lines = [delimiter.join(["a", "b", "c"]), delimiter.join(["x, y; z", "2", "很好"])]
    lines[1] = delimiter.join(['"x, y; z"', "2", "很好"])
    assert sniff_delimiter("\n".join(lines * 3)) == delimiter


def test_one_column_of_prose_has_no_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "review\nGood, really good\nBad\nOkay\nSlow, but fine, mostly\n")
    assert [row["review"] for row in rows_of(path)] == [
        "Good, really good",
        "Bad",
        "Okay",
        "Slow, but fine, mostly",
    ]


def test_quoted_newlines_and_ragged_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'a,b\n"one\ntwo",1\nshort\nlong,2,3\nlast,4,\n')
    rows = list(open_table(path).rows())
    assert [(row.number, bool(row.error)) for row in rows] == [(2, False), (4, True), (5, True), (6, False)]
    assert rows[0].values == {"a": "one\ntwo", "b": "1"}
    assert "3 cells where the header has 2" in rows[2].error
    assert rows[2].values == {"a": "long", "b": "2", "": "3"}


def test_an_unclosed_quote_costs_one_row() -> None:
    text = 'a,b\n1,"never closed\n' + "\n".join(f"{n},x" for n in range(2, 5000)) + "\n"
    reader = RecordReader(io.StringIO(text), ",")
    records = list(reader)
    assert [record.line for record in records if record.error] == [2]
    assert len(records) == 5000


def test_a_quote_closed_by_a_later_row_costs_one_row() -> None:
    text = 'a,b\n1,"open\n2,x\n3,"quoted, fine"\n4,y\n'
    reader = RecordReader(io.StringIO(text), ",")
    reader.width = 2
    records = list(reader)
    assert [(record.line, bool(record.error)) for record in records] == [
        (1, False),
        (2, True),
        (3, False),
        (4, False),
        (5, False),
    ]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='a,"\n\r评; \t', max_size=120))
def test_no_delimited_text_loses_a_line(text: str) -> None:
    stream = io.StringIO(text, newline="")
    lines = io.StringIO(text, newline="").readlines()
    seen: list[str] = []
    for record in RecordReader(stream, ","):
        seen.extend(record.cells)
    for sign in ("评", "a"):
        assert sum(cell.count(sign) for cell in seen) == sum(line.count(sign) for line in lines)


def test_header_names_are_made_unique(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,a,,b\n1,2,3,4\n")
    assert rows_of(path) == [{"a": "1", "a_2": "2", "column_3": "3", "b": "4"}]


def test_a_file_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,很好，下次还来\n0,太差了\n")
    assert rows_of(path)[0] == {"column_1": "1", "column_2": "很好，下次还来"}


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\xef\xbb\xbf\n\n", "empty"),
        ("a.csv", bytes(range(256)) * 40, "binary"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "broken"),
        ("a.xlsx", b"PK\x03\x04 not really", "workbook"),
        ("a.parquet", b"PAR1 not really PAR1", "Parquet"),
        ("a.pdf", b"%PDF-1.7 x", "unknown kind"),
    ],
)
def test_unusable_files_are_refused_in_words(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        open_table(write(tmp_path / name, data))


def test_an_encoding_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,n\ncafé,1\n".encode("cp1252"))
    assert next(open_table(path, "cp1252").rows()).values["text"] == "café"
    with pytest.raises(InputError, match="unknown encoding"):
        open_table(path, "no-such-encoding")


def test_workbooks_keep_their_types_and_like_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026年问卷", None, None])
    sheet.append(["评价", "评分", "时间"])
    sheet.append(["很好", 5, datetime(2026, 3, 5, 14, 30)])
    more = book.create_sheet("more")
    for row in (["评价", "评分", "时间"], ["一般", 3, datetime(2026, 3, 6)]):
        more.append(row)
    book.create_sheet("notes").append(["说明"])
    book["notes"].append(["内部使用"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    table = open_table(path)
    rows = list(table.rows())
    assert [row.values["评价"] for row in rows] == ["很好", "一般"]
    assert (rows[0].number, rows[0].values["时间"]) == (3, datetime(2026, 3, 5, 14, 30))
    assert table.skipped == (f"{path} [notes]",)


@pytest.mark.parametrize("shape", ["lines", "array", "wrapped"])
def test_json_in_its_shapes(tmp_path: Path, shape: str) -> None:
    items = [{"text": "好", "user": {"id": 7}, "tags": ["a", "b"]}, {"text": "差", "score": 1.5}]
    text = {
        "lines": "\n".join(json.dumps(item) for item in items),
        "array": json.dumps(items, indent=1),
        "wrapped": json.dumps({"total": 2, "data": items}, indent=1),
    }[shape]
    rows = rows_of(write(tmp_path / "a.json", text))
    assert rows == [{"text": "好", "user.id": 7, "tags": "a; b"}, {"text": "差", "score": 1.5}]


def test_a_large_json_array_streams(tmp_path: Path) -> None:
    items = [{"n": n, "text": "很" * (n % 400)} for n in range(12_000)]
    rows = open_table(write(tmp_path / "a.json", json.dumps(items, ensure_ascii=False))).rows()
    assert [row.values["n"] for row in rows] == list(range(12_000))


def test_broken_json_lines_are_rows_with_errors(tmp_path: Path) -> None:
    rows = list(open_table(write(tmp_path / "a.jsonl", '{"a": 1}\n{"a": \n[1]\n\n{"a": 2}\n')).rows())
    assert [(row.number, bool(row.error)) for row in rows] == [(1, False), (2, True), (3, True), (5, False)]


def test_parquet_plain_and_packed(tmp_path: Path) -> None:
    plain = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"text": ["好", None], "score": [5, 3]}), plain)
    packed = write(tmp_path / "b.parquet.gz", gzip.compress(plain.read_bytes()))
    assert rows_of(plain) == rows_of(packed) == [{"text": "好", "score": 5}, {"text": None, "score": 3}]


def test_what_a_file_is_shows_in_its_bytes(tmp_path: Path) -> None:
    packed = write(tmp_path / "a.csv", gzip.compress(CHINESE.encode()))
    assert len(rows_of(packed)) == 2


def test_folders_name_what_they_leave_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.csv", "in/a.jsonl.gz", "notes.docx", ".hidden.csv"):
        write(tmp_path / name, "x")
    taken, skipped = find_files([tmp_path])
    assert [path.name for path in taken] == ["b.csv", "a.jsonl.gz"]
    assert [path.name for path in skipped] == [".hidden.csv", "notes.docx"]
    with pytest.raises(InputError, match="no such file"):
        find_files([tmp_path / "absent"])
