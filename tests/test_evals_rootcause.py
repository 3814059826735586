"""Labelled incidents: both formats are read, a bad folder is told apart, and elements are counted whole."""

import gzip
import json
from pathlib import Path

import pytest

from analytics.cell_cube import CellCube
from evals.rootcause import Answer, figures, main
from evals.rootcause_cases import read_folder, read_table
from store.errors import InputError

A1 = (("a", "a1"),)
A1B2 = (("a", "a1"), ("b", "b2"))


def _robustspot(folder: Path) -> None:
    rows = ["min,value,cnt,cdn,p2p"]
    for minute in (60, 120, 180):
        for cdn in "123":
            for p2p in "01":
                failed = 90 if (minute, cdn, p2p) == (120, "2", "0") else 10
                rows.append(f"{minute},{failed},300,{cdn},{p2p}")
    (folder / "case one.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    (folder / "anomaly.yaml").write_text(
        "- {data: case one, timestamp: 120, cause: {p2p: 0, cdn: 2}}\n", encoding="utf-8"
    )


def _squeeze(folder: Path) -> None:
    rows = ["a,b,real,predict"]
    rows += [
        f"a{a},b{b},{(50 if a == 1 else 100) + (a * b) % 3},{100 + (a + b) % 3}"
        for a in range(12)
        for b in range(12)
    ]
    (folder / "77.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "injection_info.csv").write_text("timestamp,set\n77,a=a1\n", encoding="utf-8")


def test_counts_by_minute_are_localised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _robustspot(tmp_path)
    main(["--cases", str(tmp_path), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (report["f1"], report["cases"]) == (1.0, 1)
    assert report["cases_in_full"][0]["found"] == [{"cdn": "2", "p2p": "0"}]


def test_forecasts_are_localised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deeper").mkdir()
    _squeeze(tmp_path / "deeper")
    main(["--cases", str(tmp_path), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (report["tp"], report["fp"], report["fn"]) == (1, 0, 0)


def test_the_page_lists_what_was_wrong_and_what_others_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _robustspot(tmp_path)
    labels = tmp_path / "anomaly.yaml"
    labels.write_text(labels.read_text(encoding="utf-8").replace("p2p: 0", "p2p: 1"), encoding="utf-8")
    main(["--cases", str(tmp_path)])
    page = capsys.readouterr().out
    assert "| case one | cdn=2&p2p=1 | cdn=2&p2p=0 |" in page
    assert "RobustSpot | top-5 accuracy 0.98" in page


def test_minutes_after_the_incident_are_not_known_yet(tmp_path: Path) -> None:
    _robustspot(tmp_path)
    cube = read_table(read_folder(tmp_path)[0])
    assert isinstance(cube, CellCube)
    assert [sum(column) for column in cube.sums[::3]] == [1800, 1800]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("anomaly.yaml", "data: x", "is not a list of cases"),
        ("anomaly.yaml", "- {data: x, timestamp: 1, cause: {}}", "names no dimension"),
        ("anomaly.yaml", "- {data: x, timestamp: 1, cause: {a: 1}}", "has no table x.csv"),
        ("anomaly.yaml", "- {timestamp: 1}", "case 1 lacks data or cause"),
        ("injection_info.csv", "timestamp,set\n7,nothing\n", "is no set"),
        ("notes.txt", "hello", "has no labelled cases"),
    ],
)
def test_a_bad_folder_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, complaint: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["--cases", str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("min,value,cnt,a\n60,1,3,4\n120,x,3,4\n", "value that is no number"),
        ("min,value,cnt,a\n1,2,3,4\n", "no rows at the minute 120"),
        ("a,b\n1,2\n", "neither min, value, cnt nor real, predict"),
        ("min,value,cnt,a\n", "has no rows"),
    ],
)
def test_a_bad_table_is_told(tmp_path: Path, table: str, complaint: str) -> None:
    (tmp_path / "x.csv").write_text(table, encoding="utf-8")
    (tmp_path / "anomaly.yaml").write_text("- {data: x, timestamp: 120, cause: {a: 1}}", encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_table(read_folder(tmp_path)[0])


def test_an_element_counts_only_whole() -> None:
    answers = [
        Answer("right", frozenset([A1]), frozenset([A1]), 0.1),
        Answer("too narrow", frozenset([A1]), frozenset([A1B2]), 0.3),
        Answer("silent", frozenset([A1, A1B2]), frozenset(), 0.2),
    ]
    found = figures(answers)
    assert (found["tp"], found["fp"], found["fn"], found["exact"]) == (1, 1, 3, 1)
    assert found["f1"] == pytest.approx(2 / (2 + 1 + 3))
    assert found["low"] <= found["f1"] <= found["high"]
