import numpy as np

from pipeline.features import BUCKETS, character_grams, word_grams


def test_a_batch_hashes_as_its_texts_do_alone() -> None:
    texts = ["很好，不错", "", "abc 123", "very good!", "😀", "很好"]
    for grams_of in (character_grams, word_grams):
        batch = grams_of(texts)
        for at, text in enumerate(texts):
            alone = np.sort(grams_of([text]).buckets)
            assert np.array_equal(np.sort(batch.buckets[batch.offsets[at] : batch.offsets[at + 1]]), alone)


def test_grams_do_not_cross_marks_and_stay_in_range() -> None:
    assert len(character_grams(["很好"]).buckets) == 3
    assert len(character_grams(["很，好"]).buckets) == 2
    assert len(word_grams(["very good day"]).buckets) == 5
    assert character_grams(["质量很好，物流也快"]).buckets.max() < BUCKETS


def test_nothing_gives_nothing() -> None:
    assert character_grams([]).offsets.tolist() == [0]
    assert word_grams(["", ""]).offsets.tolist() == [0, 0, 0]
