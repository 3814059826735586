import pytest

from vectorstore.theme_labels import name_themes, terms_of
from vectorstore.theme_lineage import trace
from vectorstore.tokens import Script, clauses, script_of

SLOW = ["送餐太慢了，等了两个小时", "送餐太慢，菜都凉了", "这次送餐太慢", "配送员送餐太慢了"]
RUDE = ["客服态度很差", "客服态度差，不理人", "你们的客服态度太差了", "客服的态度很差"]
CRASH = ["The app keeps crashing", "app crashing on startup", "It is the app crashing again", "App crashing"]
REFUND = ["I want a refund for my order", "refund not received", "still no refund", "waiting for the refund"]


def named(groups: list[list[str]], script: Script) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (name.label, name.keywords)
        for name in name_themes(
            [[terms_of(clauses(text, script), script) for text in group] for group in groups], script
        )
    ]


def test_chinese_labels_are_phrases_in_the_order_they_were_written() -> None:
    (slow, slow_words), (rude, rude_words) = named([SLOW, RUDE], "zh")
    assert slow.startswith("送餐太慢") and any("慢" in word for word in slow_words)
    assert "态度" in rude and "差" in rude and "态度" in rude_words
    assert not {"的", "了", "你们", "这次"} & {*slow_words, *rude_words}


def test_english_labels_read_as_english() -> None:
    (crash, crash_words), (refund, refund_words) = named([CRASH, REFUND], "en")
    assert crash == "App crashing" and "crashing" in crash_words
    assert "refund" in refund.lower() and "refund" in refund_words
    assert not {"the", "it", "my", "for"} & {*crash_words, *refund_words}


def test_labels_are_distinct_even_for_equal_clusters() -> None:
    labels = [label for label, _ in named([SLOW, SLOW, SLOW], "zh")]
    assert len(set(labels)) == 3


@pytest.mark.parametrize("group", [[], ["的了是"], ["..."]])
def test_a_cluster_without_words_still_has_a_label(group: list[str]) -> None:
    assert [label for label, _ in named([group], "zh")] == ["其他反馈"]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("物流太慢", "zh"),
        ("app闪退", "zh"),
        ("The app crashed", "en"),
        ("I bought 小米 and it broke within two days", "en"),
        ("VIP客服hotline打不通", "zh"),
        ("12345", "en"),
    ],
)
def test_the_script_is_that_of_most_words(text: str, script: str) -> None:
    assert script_of(text) == script


def test_english_plurals_are_joined_and_function_words_are_not() -> None:
    assert clauses("Parcels, batteries and boxes. Does this address?", "en") == [
        ("parcel",),
        ("battery", "and", "box"),
        ("does", "this", "address"),
    ]


def test_ids_follow_the_texts_and_lineage_says_what_became_of_them() -> None:
    old = {f"a{number}": "A" for number in range(10)} | {f"b{number}": "B" for number in range(10)}
    old |= {f"c{number}": "C" for number in range(4)}
    clusters = [
        [*(f"a{number}" for number in range(6)), "x1"],
        [f"a{number}" for number in range(6, 10)],
        [*(f"b{number}" for number in range(10)), *(f"c{number}" for number in range(4))],
        ["x2", "x3"],
    ]
    weights = {key: 1 for keys in clusters for key in keys}
    kept, split, joined, born = trace(clusters, old, weights)
    assert (kept.theme_id, kept.kept) == ("A", True)
    assert not split.kept and split.parent == "A" and split.theme_id not in {"A", "B", "C"}
    assert (joined.theme_id, joined.merged) == ("B", ("C",))
    assert not born.kept and born.parent is None
    assert trace(clusters, old, weights) == [kept, split, joined, born]


def test_the_first_themes_are_born() -> None:
    found = trace([["a"], ["b"]], {}, {"a": 1, "b": 1})
    assert [each.kept for each in found] == [False, False]
    assert found[0].theme_id != found[1].theme_id
