import random

from pipeline.near_duplicates import NearDuplicates

SENTENCES = [
    "物流实在是太慢了，等了整整一个星期才送到，包装还破了",
    "客服态度非常好，耐心地帮我解决了退货的问题，点赞",
    "这款手机电池不耐用，充一次电只能用半天，很失望",
    "味道不错，分量也足，就是送餐时间有点长，希望改进",
    "The delivery was late again and nobody answered my calls at all",
    "Great value for money, the fabric is soft and it fits perfectly",
]


def edited(text: str, chance: random.Random) -> str:
    signs = list(text)
    for _ in range(max(1, len(signs) // 15)):
        place = chance.randrange(len(signs))
        signs[place] = "呀"
    return "".join(signs) + "！！"


def test_copies_with_small_changes_are_found_and_others_are_not() -> None:
    chance = random.Random(7)
    near = NearDuplicates()
    originals = {f"o{n}": text for n, text in enumerate(SENTENCES)}
    assert near.group(originals) == {}
    copies = {f"c{n}": edited(text, chance) for n, text in enumerate(SENTENCES)}
    assert near.group(copies) == {f"c{n}": f"o{n}" for n in range(len(SENTENCES))}


def test_the_first_of_a_group_stands_for_it_within_one_batch_too() -> None:
    text = SENTENCES[0]
    assert NearDuplicates().group({"a": text, "b": text + "。", "c": text + "了"}) == {"b": "a", "c": "a"}


def test_short_and_wordless_texts_are_left_alone() -> None:
    assert (
        NearDuplicates().group({"a": "很好", "b": "很好！", "c": "!!!!!!!!", "d": "", "e": "!!!!!!!!?"}) == {}
    )


def test_memory_is_bounded_by_forgetting_the_oldest() -> None:
    near = NearDuplicates(held=2)
    near.group({"a": SENTENCES[0], "b": SENTENCES[1], "c": SENTENCES[2]})
    assert near.group({"x": SENTENCES[0] + "。", "y": SENTENCES[2] + "。"}) == {"y": "c"}


def test_emoji_and_rare_signs_hash_like_any_other() -> None:
    text = "物流太慢了😡😡𠮷野家也不行真是服了"
    assert NearDuplicates().group({"a": text, "b": text.replace("服了", "服了呀")}) == {"b": "a"}
