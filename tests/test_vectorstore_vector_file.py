from pathlib import Path

import numpy as np

from vectorstore.chroma_index import ChromaIndex
from vectorstore.embedder import Vectors
from vectorstore.vector_file import VectorFile


def rows(count: int, seed: int = 5) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_rows_are_appended_replaced_and_read_again(tmp_path: Path) -> None:
    vectors = rows(4)
    file = VectorFile(tmp_path / "some", 8)
    assert len(file) == 0 and file.rows.shape == (0, 8)
    file.put(["a", "b"], vectors[:2])
    file.put(["b", "c"], vectors[2:])
    for held in (file, VectorFile(tmp_path / "some", 8)):
        assert len(held) == 3 and "c" in held and "d" not in held
        assert held.places(["c", "d", "a"]).tolist() == [2, -1, 0]
        np.testing.assert_array_equal(held.rows, vectors[[0, 2, 3]])
    file.clear()
    assert len(file) == len(VectorFile(tmp_path / "some", 8)) == 0


def test_a_row_without_its_key_is_written_over(tmp_path: Path) -> None:
    vectors = rows(3)
    VectorFile(tmp_path / "some", 8).put(["a"], vectors[:1])
    with (tmp_path / "some.f32").open("ab") as left:
        left.write(b"\0" * 20)
    file = VectorFile(tmp_path / "some", 8)
    file.put(["b"], vectors[1:2])
    np.testing.assert_array_equal(file.rows, vectors[:2])


def test_an_index_whose_file_is_gone_or_cut_short_reads_it_from_chroma(tmp_path: Path) -> None:
    keys, vectors = [f"key{number}" for number in range(30)], rows(30)
    index = ChromaIndex(tmp_path, "toy", 8)
    index.add(keys, vectors)
    index.close()
    (stored,) = tmp_path.glob("*.f32")
    for spoil in (stored.unlink, lambda: stored.write_bytes(b"1234")):
        spoil()
        index = ChromaIndex(tmp_path, "toy", 8)
        np.testing.assert_allclose(index.vectors(keys), vectors, atol=1e-6)
        assert index.missing([*keys, "new"]) == ["new"]
        index.close()


def test_similarities_are_cosines_and_nothing_for_the_unknown(tmp_path: Path) -> None:
    keys, vectors = [f"key{number}" for number in range(30)], rows(30)
    index = ChromaIndex(tmp_path, "toy", 8)
    index.add(keys, vectors)
    for asked in (["key3", "gone", "key20"], [*keys, "gone"]):
        expected = [0.0 if key == "gone" else float(vectors[keys.index(key)] @ vectors[3]) for key in asked]
        np.testing.assert_allclose(index.similarities(vectors[3], asked), expected, atol=1e-6)
    index.close()
