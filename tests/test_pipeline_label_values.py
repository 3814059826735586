"""What people call labels, as ours."""

import pytest

from pipeline.label_values import (
    FIELDS,
    field_of,
    is_blank,
    is_nothing,
    label_book,
    shown_name,
    split_cell,
)
from pipeline.lexicon import load_lexicon
from pipeline.taxonomy import load_taxonomy
from store.errors import ToolInputError
from store.records import Emotion, Intent, Priority, Sentiment

TREE = load_taxonomy()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("正面", "positive"), ("负面", "negative"), ("中性", "neutral"), ("好评", "positive"), ("差评", "negative"),
        ("pos", "positive"), (" NEG ", "negative"), ("Neutral", "neutral"), ("Positive", "positive"), ("+", "positive"),
        ("-", "negative"), ("whatever", None), ("", None),
    ],
)  # fmt: skip
def test_sentiments_in_both_languages(raw: str, value: str | None) -> None:
    assert label_book("sentiment", TREE).value(raw) == value


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        (["1", "0"], {"1": "positive", "0": "negative"}),
        (["1", "-1"], {"1": "positive", "-1": "negative"}),
        (["1", "0", "-1"], {"1": "positive", "0": "neutral", "-1": "negative"}),
        (["1.0", "0.0"], {"1.0": "positive", "0.0": "negative"}),
        (["1", "2", "3", "4", "5"], {"1": "negative", "2": "negative", "3": "neutral", "4": "positive", "5": "positive"}),
        (["5", "1"], {"5": "positive", "1": "negative"}),
        (["1"], {"1": None}),
        (["0", "2", "4"], {"0": None, "4": None}),
        (["8", "9", "10"], {"8": None}),
    ],
)  # fmt: skip
def test_numbers_are_read_by_the_whole_column(seen: list[str], read: dict[str, str | None]) -> None:
    book = label_book("sentiment", TREE, seen=seen)
    assert {raw: book.value(raw) for raw in read} == read


def test_a_map_wins_over_every_name_and_may_leave_rows_out() -> None:
    book = label_book("sentiment", TREE, {"1": "正面", "好评": "negative", "垃圾行": "-"}, ["1"])
    assert [book.value(raw) for raw in ("1", "好评", "垃圾行")] == ["positive", "negative", "-"]


def test_a_map_to_something_unknown_names_what_is_known() -> None:
    with pytest.raises(ToolInputError, match="no value 'great'") as caught:
        label_book("sentiment", TREE, {"1": "great"})
    assert "positive (正面)" in caught.value.hint


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("service/attitude", "service/attitude"), ("服务态度", "service/attitude"), ("Response Speed", "service/response_speed"),
        ("response_speed", "service/response_speed"), ("service", "service"), ("服务", "service"), ("no such topic", None),
    ],
)  # fmt: skip
def test_topics_by_path_leaf_and_name(raw: str, path: str | None) -> None:
    assert label_book("topic", TREE).value(raw) == path


def test_a_leaf_that_two_branches_have_is_not_guessed() -> None:
    book = label_book("topics", TREE)
    assert book.value("accuracy") is None
    assert "accuracy" in book.ambiguous
    assert book.value("logistics/accuracy") == "logistics/accuracy"


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("价格|服务", ["价格", "服务"]), ("价格；服务", ["价格", "服务"]), ("a;b", ["a", "b"]), ("价格、服务", ["价格", "服务"]),
        ('["a", "b"]', ["a", "b"]), ("['a', 'b']", ["a", "b"]), (["a", "b"], ["a", "b"]), ("", []), (None, []), ("one", ["one"]),
    ],
)  # fmt: skip
def test_cells_of_several_labels(cell: object, parts: list[str]) -> None:
    assert split_cell(cell) == parts


def test_blank_and_none_are_two_things() -> None:
    assert is_blank(None) and is_blank("") and is_blank(float("nan"))
    assert not is_blank("无")
    assert is_nothing("无") and is_nothing("none") and is_nothing("[]")
    assert not is_nothing("")


def test_every_value_that_the_product_writes_has_names() -> None:
    kinds = {"sentiment": Sentiment, "emotion": Emotion, "intent": Intent, "priority": Priority}
    for field, kind in kinds.items():
        book = label_book(field, TREE)
        assert set(book.values) == {value.value for value in kind}
        assert all(shown_name(field, value, "zh") != value for value in book.values)
    written = {risk.rstrip("?") for cue in load_lexicon().cues for risk in cue.risks}
    assert written <= set(label_book("risk", TREE).values)


def test_each_field_goes_by_its_names() -> None:
    assert [field_of(name) for name in FIELDS] == list(FIELDS)
    assert [field_of(name) for name in ("topic", "情感", "主题", "risk_signals")] == [
        "topics",
        "sentiment",
        "topics",
        "risk",
    ]
    with pytest.raises(ToolInputError, match="no label field 'colour'"):
        field_of("colour")
