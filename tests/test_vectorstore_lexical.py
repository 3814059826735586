import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.lexical import LexicalTexts, fold


def held(*texts: str) -> tuple[LexicalTexts, list[str]]:
    lexical = LexicalTexts()
    lexical.add({str(number): text for number, text in enumerate(texts)})
    return lexical, [str(number) for number in range(len(texts))]


def grams_of(text: str, sizes: tuple[int, ...]) -> list[str]:
    folded = f" {fold(text)} "
    return [folded[start : start + size] for size in sizes for start in range(len(folded) - size + 1)]


def test_scores_equal_bm25_counted_by_hand() -> None:
    texts = ["快递太慢了", "太慢太慢", "味道很好吃", "快"]
    lexical, keys = held(*texts)
    query = "太慢"
    wanted = {"太", "慢", "太慢"}
    lengths = [len(fold(text)) + 2 for text in texts]
    expected = []
    for text, length in zip(texts, lengths, strict=True):
        score = 0.0
        most = 0.0
        for gram in wanted:
            holding = sum(gram in other for other in texts)
            rarity = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            times = grams_of(text, (1, 2, 3)).count(gram)
            norm = 1.2 * (1 - 0.5 + 0.5 * length / (sum(lengths) / len(lengths)))
            score += rarity * times * 2.2 / (times + norm)
            most += rarity * 2.2
        expected.append(score / most)
    np.testing.assert_allclose(lexical.scores(query, keys), expected, rtol=1e-5)


def test_wording_decides_the_order_in_both_languages() -> None:
    lexical, keys = held("客服不理人", "我的快递还没到", "Where is my parcel?", "parcels came LATE", "")
    assert lexical.scores("快递没到", keys).argmax() == 1
    assert lexical.scores("late parcel", keys).argmax() == 3
    assert lexical.scores("parcel", keys)[[0, 1, 4]].max() == 0


def test_texts_do_not_run_into_each_other() -> None:
    lexical, keys = held("慢太", "慢太")
    assert (lexical.scores("太慢", keys) < lexical.scores("慢太", keys)).all()


def test_rarity_is_counted_within_the_selection() -> None:
    lexical, keys = held("物流慢", "物流快", "物流好", "客服好")
    among_all = lexical.scores("物流慢", keys)[0]
    assert lexical.scores("物流慢", keys[:1]).shape == (1,)
    assert among_all > lexical.scores("物流慢", keys)[1] > lexical.scores("物流慢", keys)[3] == 0


def test_it_grows_without_forgetting() -> None:
    lexical, keys = held("快递慢", "客服好")
    lexical.scores("慢", keys)
    assert lexical.missing(["0", "9"]) == ["9"]
    lexical.add({"9": "慢慢慢", "0": "别的"})
    scores = lexical.scores("慢", ["9", "0", "1"])
    assert scores[0] > scores[1] > scores[2] == 0
    with pytest.raises(KeyError):
        lexical.scores("慢", ["unknown"])
    assert lexical.scores("慢", []).shape == (0,)


@given(st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_every_string_is_scored_between_nothing_and_all(query: str, texts: list[str]) -> None:
    lexical, keys = held(*texts)
    scores = lexical.scores(query, keys)
    assert scores.shape == (len(texts),)
    assert ((scores >= 0) & (scores <= 2.2)).all() and np.isfinite(scores).all()
