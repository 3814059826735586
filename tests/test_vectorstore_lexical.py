import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.lexical import LexicalTexts, fold, near_duplicates


def held(*texts: str) -> tuple[LexicalTexts, list[str]]:
    lexical = LexicalTexts()
    lexical.add({str(number): text for number, text in enumerate(texts)})
    return lexical, [str(number) for number in range(len(texts))]


def grams_of(text: str, sizes: tuple[int, ...]) -> list[str]:
    folded = f" {fold(text)} "
    return [folded[start : start + size] for size in sizes for start in range(len(folded) - size + 1)]


def test_scores_equal_bm25_counted_by_hand() -> None:
    texts = ["快递太慢了", "太慢太慢", "味道很好吃", "快"]
    lexical, _ = held(*texts)
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
    np.testing.assert_allclose(lexical.scores(query), expected, rtol=1e-5)


def test_wording_decides_the_order_in_both_languages() -> None:
    lexical, _ = held("客服不理人", "我的快递还没到", "Where is my parcel?", "parcels came LATE", "")
    assert lexical.scores("快递没到").argmax() == 1
    assert lexical.scores("late parcel").argmax() == 3
    assert lexical.scores("parcel")[[0, 1, 4]].max() == 0


def test_texts_do_not_run_into_each_other() -> None:
    lexical, _ = held("慢太", "慢太")
    assert (lexical.scores("太慢") < lexical.scores("慢太")).all()
    lexical, _ = held("an", "other")
    assert lexical.scores("another").argmax() == 1 and lexical.scores("nother")[0] == 0


def test_rare_words_count_for_more() -> None:
    lexical, _ = held("物流慢", "物流快", "物流好", "客服好")
    scores = lexical.scores("物流慢")
    assert scores[0] > scores[1] > scores[3] == 0
    assert scores[1] == scores[2] < 0.5 * scores[0]


def test_it_grows_without_forgetting() -> None:
    lexical, _ = held("快递慢", "客服好")
    assert lexical.missing(["0", "9"]) == ["9"]
    lexical.add({"9": "慢慢慢", "0": "别的"})
    assert lexical.keys([2, 0]) == ["9", "0"] and lexical.rows(["9", "1"]).tolist() == [2, 1]
    scores = lexical.scores("慢")
    assert scores[2] > scores[0] > scores[1] == 0
    with pytest.raises(KeyError):
        lexical.rows(["unknown"])
    assert LexicalTexts().scores("慢").shape == (0,)


def test_growing_piece_by_piece_scores_as_at_once() -> None:
    texts = [f"第{n}单{'很慢' * (n % 3)} order {n} {'late' if n % 2 else 'fine'}" for n in range(40)]
    whole, _ = held(*texts)
    pieces = LexicalTexts()
    for start in (0, 1, 3, 4, 20, 25, 26):
        end = {0: 1, 1: 3, 3: 4, 4: 20, 20: 25, 25: 26, 26: 40}[start]
        pieces.add({str(number): texts[number] for number in range(start, end)})
    for query in ("很慢", "late order", "第7单"):
        np.testing.assert_allclose(pieces.scores(query), whole.scores(query), rtol=1e-5)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("快递太慢了，等了一个星期", "快递太慢了,等了一个星期!!", True),
        ("送餐太慢，等了两个小时", "送餐太慢，等了三个小时", True),
        ("送餐太慢", "味道很好", False),
        ("好", "好！", True),
        ("好", "差", False),
    ],
)
def test_near_duplicates_share_most_of_their_bigrams(one: str, other: str, same: bool) -> None:
    assert near_duplicates(one, other) is same


@given(st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_every_string_is_scored_between_nothing_and_all(query: str, texts: list[str]) -> None:
    lexical, _ = held(*texts)
    scores = lexical.scores(query)
    assert scores.shape == (len(texts),)
    assert ((scores >= 0) & (scores <= 2.2)).all() and np.isfinite(scores).all()
