"""Human labels: idempotent, by person, and gone when they are to be forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.human_labels import HumanLabel, SavedLabels
from store.sqlite_human_labels import SqliteHumanLabels
from store.sqlite_operations import SqliteOperationStore

NOW = datetime(2026, 3, 1, 4, 5, tzinfo=UTC)


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[SqliteHumanLabels]:
    made = SqliteHumanLabels(tmp_path / "operations.sqlite")
    yield made
    made.close()


def label(**fields: object) -> HumanLabel:
    values: dict[str, object] = {
        "text_key": "k1",
        "field": "sentiment",
        "annotator": "李",
        "value": "negative",
        "text": "慢",
        "origin": "import",
        "labelled_at": NOW,
    }
    return HumanLabel.model_validate({**values, **fields})


def test_the_same_label_twice_is_stored_once_with_its_first_time(labels: SqliteHumanLabels) -> None:
    assert labels.save([label(), label(annotator="王")]) == SavedLabels(2, 0, 0)
    later = label(labelled_at=NOW + timedelta(days=1))
    assert labels.save([later]) == SavedLabels(0, 0, 1)
    assert [(one.annotator, one.labelled_at) for one in labels.find()] == [("李", NOW), ("王", NOW)]


def test_a_person_may_change_their_mind(labels: SqliteHumanLabels) -> None:
    labels.save([label()])
    changed = label(value="neutral", origin="correction", labelled_at=NOW + timedelta(hours=1))
    assert labels.save([changed]) == SavedLabels(0, 1, 0)
    assert labels.find() == [changed]


def test_labels_are_found_by_field_and_text_whatever_their_number(labels: SqliteHumanLabels) -> None:
    labels.save([label(text_key=f"k{at:05}") for at in range(6_000)])
    labels.save([label(text_key="k00001", field="topics", value="price/fees|service/attitude=negative")])
    assert [one.value for one in labels.find(field="topics")] == ["price/fees|service/attitude=negative"]
    assert len(labels.find(text_keys=[f"k{at:05}" for at in range(6_000)])) == 6_001
    assert labels.find(text_keys=[]) == []
    assert labels.forget([f"k{at:05}" for at in range(5_500)]) == 5_501
    assert len(labels.find()) == 500


def test_they_live_beside_the_operations(tmp_path: Path, labels: SqliteHumanLabels) -> None:
    labels.save([label()])
    operations = SqliteOperationStore(tmp_path / "operations.sqlite")
    assert operations.tasks() == []
    operations.close()
    assert len(labels.find()) == 1
