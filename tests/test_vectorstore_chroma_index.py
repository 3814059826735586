from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from store.errors import StoreError
from vectorstore.chroma_index import ChromaIndex, collection_name
from vectorstore.embedder import Vectors

DIMENSION = 16


def unit_vectors(count: int, seed: int = 7) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ChromaIndex]:
    opened = ChromaIndex(tmp_path / "chroma", "toy encoder/1", DIMENSION)
    yield opened
    opened.close()


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    ChromaIndex(tmp_path / "chroma", "toy", DIMENSION)
    assert not (tmp_path / "chroma").exists()


def test_an_empty_index_answers(index: ChromaIndex) -> None:
    question = unit_vectors(1)[0]
    assert index.count() == 0
    assert index.nearest(question, limit=5) == []
    assert index.nearest(question, limit=5, within=["a"]) == []
    assert index.nearest(question, limit=5, within=[]) == []
    assert index.missing(["a", "b", "a"]) == ["a", "b"]
    assert index.vectors([]).shape == (0, DIMENSION)


def test_vectors_come_back_in_the_order_asked_and_survive_reopening(tmp_path: Path) -> None:
    keys = [f"key{number}" for number in range(300)]
    vectors = unit_vectors(300)
    first = ChromaIndex(tmp_path / "chroma", "toy", DIMENSION)
    first.add(keys, vectors)
    first.close()
    second = ChromaIndex(tmp_path / "chroma", "toy", DIMENSION)
    asked = ["key250", "key3", "key250", "key0"]
    np.testing.assert_allclose(second.vectors(asked), vectors[[250, 3, 250, 0]], atol=1e-6)
    assert second.missing([*keys, "other"]) == ["other"]
    assert second.count() == 300
    second.close()


def test_more_than_one_batch_is_written_and_read(index: ChromaIndex) -> None:
    keys = [f"key{number}" for number in range(6000)]
    vectors = unit_vectors(6000)
    index.add(keys, vectors)
    assert index.count() == 6000
    assert index.missing([*keys, "new"]) == ["new"]
    np.testing.assert_allclose(index.vectors(keys[::-1]), vectors[::-1], atol=1e-6)
    nearly_all = [key for key in keys if key != "key17"]
    found = [match.text_key for match in index.nearest(vectors[17], limit=20, within=nearly_all)]
    exact = [keys[row] for row in np.argsort(-(vectors @ vectors[17])) if row != 17][:20]
    assert len(found) == 20 and "key17" not in found
    assert len(set(found) & set(exact)) >= 18


def test_adding_again_replaces(index: ChromaIndex) -> None:
    vectors = unit_vectors(2)
    index.add(["a", "b"], vectors)
    index.add(["b", "a", "b"], np.stack([vectors[1], vectors[0], vectors[0]]))
    assert index.count() == 2
    np.testing.assert_allclose(index.vectors(["b"])[0], vectors[0], atol=1e-6)


def test_nearest_is_ranked_by_cosine(index: ChromaIndex) -> None:
    keys = [f"key{number}" for number in range(200)]
    vectors = unit_vectors(200)
    index.add(keys, vectors)
    question = unit_vectors(1, seed=11)[0]
    cosines = vectors @ question
    matches = index.nearest(question, limit=10)
    assert [match.text_key for match in matches] == [keys[row] for row in np.argsort(-cosines)[:10]]
    assert [match.score for match in matches] == pytest.approx(sorted(cosines, reverse=True)[:10], abs=1e-5)
    assert index.nearest(question, limit=0) == []


def test_within_restricts_and_passes_over_unknown_keys(index: ChromaIndex) -> None:
    keys = [f"key{number}" for number in range(500)]
    vectors = unit_vectors(500)
    index.add(keys, vectors)
    question = unit_vectors(1, seed=3)[0]
    rows = list(range(0, 500, 7))
    exact = sorted(rows, key=lambda row: -float(vectors[row] @ question))[:5]
    within = [keys[row] for row in rows]
    assert [match.text_key for match in index.nearest(question, limit=5, within=within)] == [
        keys[row] for row in exact
    ]
    with_unknown = index.nearest(question, limit=5, within=["gone", *within, "lost"])
    assert [match.text_key for match in with_unknown] == [keys[row] for row in exact]
    assert len(index.nearest(question, limit=50, within=["key1", "key2"])) == 2


def test_a_missing_key_is_a_key_error(index: ChromaIndex) -> None:
    index.add(["a"], unit_vectors(1))
    with pytest.raises(KeyError, match="b"):
        index.vectors(["a", "b"])


def test_wrong_shapes_are_refused(index: ChromaIndex) -> None:
    with pytest.raises(ValueError, match="shape"):
        index.add(["a"], np.ones((1, DIMENSION + 1), dtype=np.float32))
    with pytest.raises(ValueError, match="shape"):
        index.add(["a", "b"], unit_vectors(1))


def test_vectors_of_another_encoder_are_never_mixed_in(tmp_path: Path) -> None:
    old = ChromaIndex(tmp_path / "chroma", "encoder one", DIMENSION)
    old.add(["a"], unit_vectors(1))
    old.close()
    new = ChromaIndex(tmp_path / "chroma", "encoder two", 8)
    with pytest.raises(StoreError, match="encoder one") as caught:
        new.count()
    assert "voiceloop reindex" in caught.value.hint
    new.reset()
    assert new.count() == 0
    new.add(["a"], np.ones((1, 8), dtype=np.float32))
    assert new.count() == 1
    new.close()


@pytest.mark.parametrize("damaged", ["chroma.sqlite3", "*/*.bin"])
def test_a_damaged_index_says_reindex_and_can_be_reset(tmp_path: Path, damaged: str) -> None:
    folder = tmp_path / "chroma"
    first = ChromaIndex(folder, "toy", DIMENSION)
    first.add([f"key{number}" for number in range(1500)], unit_vectors(1500))
    first.close()
    broken = list(folder.glob(damaged))
    assert broken
    for file in broken:
        file.write_bytes(b"garbage" * 500)
    second = ChromaIndex(folder, "toy", DIMENSION)
    with pytest.raises(StoreError) as caught:
        second.nearest(unit_vectors(1)[0], limit=3)
    assert "voiceloop reindex" in caught.value.hint
    second.reset()
    second.add(["a"], unit_vectors(1))
    assert second.count() == 1
    second.close()


def test_a_reset_spares_a_folder_that_is_not_an_index(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    index = ChromaIndex(tmp_path, "toy", DIMENSION)
    index.reset()
    assert (tmp_path / "letter.txt").read_text() == "mine"
    index.close()


def test_a_file_in_place_of_the_folder_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "chroma").write_text("not a folder")
    with pytest.raises(StoreError):
        ChromaIndex(tmp_path / "chroma", "toy", DIMENSION).count()


def test_collection_names_tell_encoders_and_dimensions_apart() -> None:
    names = {
        collection_name("Use/Multilingual v3", 512),
        collection_name("Use Multilingual v3", 512),
        collection_name("Use Multilingual v3", 256),
        collection_name("编码器", 512),
        collection_name("", 1),
        collection_name("x" * 500, 1),
    }
    assert len(names) == 6
    assert all(name.isascii() and 3 <= len(name) <= 63 for name in names)
