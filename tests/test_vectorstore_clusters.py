import csv
from pathlib import Path

import numpy as np
import pytest

from vectorstore.clusters import (
    Clustering,
    agreed_kmeans,
    cluster,
    dissolve_small,
    draws_of,
    simplified_silhouette,
)
from vectorstore.embedder import Vectors
from vectorstore.theme_features import theme_features
from vectorstore.theme_neighbours import drawn_together
from vectorstore.tokens import clauses
from vectorstore.use_embedder import UseEmbedder

DATA = Path(__file__).parents[2] / "shared" / "data"


def blobs(groups: int, each: int, spread: float, seed: int = 1) -> tuple[Vectors, np.ndarray]:
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(groups, 32))
    truth = np.repeat(np.arange(groups), each)
    rows = centres[truth] + spread * chance.normal(size=(groups * each, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


def keys(count: int) -> list[str]:
    return [f"key{number}" for number in range(count)]


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(first, second))


def test_separate_groups_are_found() -> None:
    rows, truth = blobs(9, 60, spread=0.2)
    found = cluster(rows, draws_of(keys(540)), np.ones(540, dtype=np.float32), smallest=5)
    assert agreement(found.labels, truth) == 1.0
    np.testing.assert_allclose(np.linalg.norm(found.centroids, axis=1), 1.0, atol=1e-5)


def test_order_is_nothing_and_a_tenth_less_is_little() -> None:
    rows, _ = blobs(15, 80, spread=1.0)
    names = np.array(keys(1200))
    ones = np.ones(1200, dtype=np.float32)
    found = cluster(rows, draws_of(names.tolist()), ones, smallest=5)
    shuffled = np.random.default_rng(2).permutation(1200)
    again = cluster(rows[shuffled], draws_of(names[shuffled].tolist()), ones, smallest=5)
    assert agreement(found.labels[shuffled], again.labels) == 1.0
    kept = np.random.default_rng(3).random(1200) < 0.9
    count = len(found.centroids)
    fewer = agreed_kmeans(rows[kept], draws_of(names[kept].tolist()), ones[kept], count)
    assert agreement(found.labels[kept], fewer.labels) > 0.85


def test_texts_are_drawn_to_their_neighbours_in_any_order() -> None:
    rows, truth = blobs(6, 50, spread=1.2)
    draws = draws_of(keys(300))
    moved = drawn_together(rows, draws, smallest=10)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1.0, atol=1e-5)
    same = truth[:, None] == truth[None, :]
    before, after = rows @ rows.T, moved @ moved.T
    assert after[same].mean() - after[~same].mean() > before[same].mean() - before[~same].mean() + 0.2
    order = np.random.default_rng(4).permutation(300)
    np.testing.assert_allclose(drawn_together(rows[order], draws[order], 10), moved[order], atol=1e-5)
    np.testing.assert_array_equal(drawn_together(rows[:1], draws[:1], 10), rows[:1])


def test_small_clusters_are_dissolved() -> None:
    rows, truth = blobs(4, 30, spread=0.2)
    rows, truth = rows[:92], truth[:92]
    ones = np.ones(92, dtype=np.float32)
    centroids = np.stack([rows[truth == group].mean(axis=0) for group in range(4)])
    left = dissolve_small(rows, ones, Clustering(truth, centroids), smallest=10)
    assert len(left.centroids) == 3
    assert np.bincount(left.labels).min() >= 10


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_few_rows_are_one_cluster_or_few(count: int) -> None:
    rows, _ = blobs(count, 1, spread=0.1)
    found = cluster(rows, draws_of(keys(count)), np.ones(count, dtype=np.float32), smallest=3)
    assert found.labels.shape == (count,)
    assert np.isfinite(found.centroids).all()


def test_identical_rows_are_no_error() -> None:
    rows = np.tile(blobs(1, 1, 0.0)[0], (50, 1))
    found = cluster(rows, draws_of(keys(50)), np.ones(50, dtype=np.float32), smallest=3)
    assert len(set(found.labels.tolist())) == 1


def test_silhouette_prefers_the_true_grouping() -> None:
    rows, truth = blobs(3, 40, spread=0.3)
    centroids = np.stack([rows[truth == group].mean(axis=0) for group in range(3)])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    good = simplified_silhouette(rows, Clustering(truth, centroids))
    poor = simplified_silhouette(rows, Clustering(np.roll(truth, 20), centroids))
    assert good > 0.5 > poor
    assert simplified_silhouette(rows, Clustering(np.zeros(120, dtype=np.intp), centroids[:1])) == 0.0


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout")
def test_real_utterances_fall_into_their_intents() -> None:
    from sklearn.metrics import normalized_mutual_info_score

    with next((DATA / "en_banking77").glob("*.csv")).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::10]
    texts = [row["text"] for row in rows]
    with UseEmbedder() as embedder:
        vectors = embedder.embed_documents(texts)
    features = theme_features([clauses(text, "en") for text in texts], vectors)
    features = drawn_together(features, draws_of(texts), smallest=5)
    found = cluster(features, draws_of(texts), np.ones(len(texts), dtype=np.float32), smallest=5)
    assert 10 <= len(found.centroids) <= 40
    assert normalized_mutual_info_score([row["category"] for row in rows], found.labels) > 0.5
