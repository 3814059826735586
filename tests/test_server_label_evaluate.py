"""`label evaluate` as a person runs it, on files of every kind."""

import io
import json

import pytest
from openpyxl import Workbook

from tests.command_line import CommandLine

REVIEWS = (
    "评价,情感,主题\n"
    "物流太慢了，等了一周,负面,配送速度\n"
    "质量很好，非常满意,正面,质量\n"
    "客服态度差，要求退款,负面,服务态度|退换货\n"
    "味道好极了，强烈推荐,正面,口味\n"
)
TEXTS = ("物流太慢了，等了一周", "质量很好，非常满意", "客服态度差，要求退款", "味道好极了，强烈推荐")


def test_the_figures_of_a_file_add_up(voiceloop: CommandLine) -> None:
    file = voiceloop.write("a.csv", REVIEWS)
    ran = voiceloop("label", "evaluate", file, "--label", "sentiment", "--text-column", "评价", "--json")
    assert ran.status == 0, ran.output
    found = ran.document
    assert (found["n"], found["rows"], found["accuracy"]["value"]) == (4, 4, 1.0)
    assert found["accuracy"]["ci_low"] == pytest.approx(0.5101, abs=1e-3)
    assert found["label_column"] == "情感"
    assert found["confusion"]["labels"] == ["positive", "neutral", "negative"]
    assert found["confusion"]["rows"] == [[2, 0, 0], [0, 0, 0], [0, 0, 2]]
    assert found["two_way"]["accuracy"]["value"] == 1.0
    assert found["labeller"].startswith("embedded-")


def test_neutral_counts_as_wrong_where_the_file_knows_only_two_sides(voiceloop: CommandLine) -> None:
    file = voiceloop.write("a.csv", "text,label\n我想问一下营业时间是几点,0\n质量很好，非常满意,1\n")
    found = voiceloop("label", "evaluate", file, "--json").document
    assert found["accuracy"]["value"] == 0.5
    assert found["two_way"]["neutral_share"]["value"] == 0.5
    assert found["scheme"] == "1 = positive, 0 = negative"


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "xlsx", "parquet"])
def test_every_kind_of_file(voiceloop: CommandLine, kind: str) -> None:
    rows = [{"text": text, "label": label} for text, label in zip(TEXTS, (-1, 1, -1, 1), strict=True)]
    file = voiceloop.write(f"a.{kind}", _packed(kind, rows))
    found = voiceloop(
        "label", "evaluate", file, "--text-column", "text", "--label-column", "label", "--json"
    ).document
    assert (found["n"], found["accuracy"]["value"]) == (4, 1.0)


def test_a_file_without_an_ending_is_read_by_the_format_given(voiceloop: CommandLine) -> None:
    file = voiceloop.write("labelled", REVIEWS)
    assert voiceloop("label", "evaluate", file, "--json").status == 1
    ran = voiceloop("label", "evaluate", file, "--format", "csv", "--label", "情感", "--json")
    assert ran.document["n"] == 4
    assert voiceloop("label", "evaluate", file, "--format", "docx", "--json").status == 2


def test_every_row_is_accounted_for(voiceloop: CommandLine) -> None:
    file = voiceloop.write("a.csv", "text,label\n很好,正面\n很差,负面\n一般,五味杂陈\n没看,\n广告,spam\n")
    ran = voiceloop("label", "evaluate", file, "--map", "spam=-", "--json")
    found = ran.document
    assert found["unmapped"] == {"五味杂陈": 1}
    assert (found["rows"], found["n"], found["blank"], found["left_out"], found["unmapped_rows"]) == (
        5,
        2,
        1,
        1,
        1,
    )
    shown = voiceloop("label", "evaluate", file, "--map", "spam=-")
    assert "五味杂陈" in shown.errors
    assert "准确率" in shown.output


def test_a_map_makes_values_known(voiceloop: CommandLine) -> None:
    file = voiceloop.write("a.csv", "text,label\n质量很好，非常满意,A\n质量太差了,B\n")
    ran = voiceloop("label", "evaluate", file, "--map", "A=positive", "--map", "B=负面", "--json")
    assert ran.document["accuracy"]["value"] == 1.0


def test_topics_are_compared_at_the_level_of_the_file(voiceloop: CommandLine) -> None:
    file = voiceloop.write("a.csv", REVIEWS)
    leaf = voiceloop("label", "evaluate", file, "--label", "topic", "--json").document
    assert leaf["level"] == "leaf"
    assert leaf["confusion"] is None
    assert {one["label"]: one["support"] for one in leaf["labels"]}["service/returns"] == 1
    file = voiceloop.write("b.csv", REVIEWS.replace("服务态度|退换货", "服务"))
    branch = voiceloop("label", "evaluate", file, "--label", "topic", "--json").document
    assert branch["level"] == "branch"
    assert {one["label"] for one in branch["labels"]} >= {"logistics", "service", "product"}
    assert voiceloop("label", "evaluate", file, "--label", "topic", "--level", "twig").status == 2


def test_intents_that_the_product_does_not_have_are_named_with_those_it_has(voiceloop: CommandLine) -> None:
    file = voiceloop.write(
        "a.csv", "text,category\nwhere is my card,card_arrival\nI lost it,lost_or_stolen_card\n"
    )
    ran = voiceloop("label", "evaluate", file, "--label", "intent", "--label-column", "category", "--json")
    assert ran.status == 1
    assert "'card_arrival'" in ran.document["error"]
    assert "complaint" in ran.document["hint"] and "--map" in ran.document["hint"]


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (("--label", "colour"), 2, "no label field 'colour'"),
        (("--label-column", "nope"), 1, "no column 'nope'"),
        (("--text-column", "nope"), 1, "no column 'nope'"),
        (("--map", "x"), 2, "value=label"),
        (("--map", "x=nope"), 2, "no value 'nope'"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    voiceloop: CommandLine, args: tuple[str, ...], status: int, told: str
) -> None:
    file = voiceloop.write("a.csv", "text,label\n很好,正面\n")
    ran = voiceloop("label", "evaluate", file, *args, "--json")
    assert ran.status == status
    assert told in ran.document["error"]


def test_a_file_that_is_not_there(voiceloop: CommandLine) -> None:
    ran = voiceloop("label", "evaluate", "nowhere.csv", "--json")
    assert (ran.status, ran.document["error"]) == (1, "nowhere.csv: no such file")


def _packed(kind: str, rows: list[dict[str, object]]) -> bytes:
    if kind == "json":
        return json.dumps(rows, ensure_ascii=False).encode()
    if kind == "jsonl":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    if kind == "parquet":
        import pyarrow
        from pyarrow import parquet

        sink = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
        return sink.getvalue()
    if kind == "xlsx":
        book, sink = Workbook(), io.BytesIO()
        assert book.active is not None
        for cells in (("text", "label"), *((row["text"], row["label"]) for row in rows)):
            book.active.append(list(cells))
        book.save(sink)
        return sink.getvalue()
    mark = "," if kind == "csv" else "\t"
    return "\n".join(
        mark.join(map(str, row)) for row in (("text", "label"), *(row.values() for row in rows))
    ).encode()
