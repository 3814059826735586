"""Labelled feedback as training rows of an encoder; the training itself runs in tests/test_vllm_server.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from evals.encoder_rows import Row, outputs_of, read_rows, targets
from evals.train_encoder import choose_thresholds, figures
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.vllm_encoder import EncoderLabels
from store.errors import InputError


def rows_of(tmp_path: Path, *rows: dict[str, Any], predicted: bool = False) -> list[Row]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return read_rows(path, predicted=predicted)


def test_a_filled_in_sheet_gives_what_was_looked_at(tmp_path: Path) -> None:
    (row, other) = rows_of(
        tmp_path,
        {
            "text": "慢",
            "sentiment": "positive",
            "human_sentiment": "negative",
            "human_topics": "logistics/speed=negative|service/attitude",
            "human_risk": "none",
            "human_intent": "",
        },
        {"text": "好", "human_sentiment": "positive"},
        {"text": "无人看过", "sentiment": "positive", "human_sentiment": None},
    )
    assert row.true == {"sentiment:negative", "topic:logistics/speed=negative"}
    assert row.known == {"sentiment", "topic", "risk"}
    outputs = outputs_of([row, other])
    assert outputs == [
        "sentiment:negative",
        "sentiment:neutral",
        "sentiment:positive",
        "topic:logistics/speed=negative",
    ]
    values, mask = targets([row, other], [*outputs, "topic:service/attitude=positive", "intent:churn"])
    assert values == [[1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0]]
    # Nothing is learnt of a topic whose polarity nobody gave, nor of fields nobody looked at.
    assert mask == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0]]


def test_the_labels_of_the_embedded_classifier_can_be_learnt(tmp_path: Path) -> None:
    texts = ["物流太慢了，我要退款", "Great value", "食物中毒"]
    labels = EmbeddedClassifier().classify(texts)
    rows = rows_of(
        tmp_path,
        *({"text": t, **one.model_dump(mode="json")} for t, one in zip(texts, labels, strict=True)),
        predicted=True,
    )
    assert len(rows) == 3
    assert {"sentiment:negative", "risk:refund", "topic:logistics/speed=negative"} <= rows[0].true
    assert rows[0].known == {"sentiment", "emotion", "intent", "priority", "topic", "risk", "compliance"}
    EncoderLabels(outputs=tuple(outputs_of(rows)))


@pytest.mark.parametrize(
    "row",
    [
        {"text": "x", "human_sentiment": "fine"},
        {"text": "x", "human_topics": "service/attitude=bad"},
        {"human_sentiment": "positive"},
        {"text": "x", "sentiment": "positive"},
    ],
)
def test_rows_that_cannot_be_used_are_said(tmp_path: Path, row: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        rows_of(tmp_path, row)


def test_the_same_text_is_in_the_same_part_always() -> None:
    rows = [Row(f"第{n}单", frozenset(), frozenset()) for n in range(2000)]
    counts = [sum(row.part == part for row in rows) for part in range(10)]
    assert min(counts) > 140
    assert [row.part for row in rows] == [Row(row.text, frozenset({"x:y"}), frozenset()).part for row in rows]


def test_thresholds_are_those_with_the_best_f1_and_figures_use_them() -> None:
    outputs = ["risk:refund", "sentiment:negative", "sentiment:positive"]
    known = frozenset({"risk", "sentiment"})
    rows = [
        Row(
            str(n),
            frozenset({"risk:refund", "sentiment:negative"} if n < 3 else {"sentiment:positive"}),
            known,
        )
        for n in range(10)
    ]
    probabilities = [[0.3 if n < 3 else 0.1, 0.9 if n < 4 else 0.2, 0.5] for n in range(10)]
    thresholds = choose_thresholds(probabilities, rows, outputs)
    assert 0.1 < thresholds["risk:refund"] <= 0.3
    found = figures(probabilities, rows, outputs, thresholds)
    assert found["risk"] == {"f1": 1.0, "n": 3}
    assert found["sentiment"] == {"accuracy": 0.9, "n": 10}
    assert figures(probabilities, rows, outputs, {})["risk"]["f1"] == 0.0
