import re

from pipeline.clauses import read_clauses
from pipeline.lexicon import load_lexicon
from pipeline.taxonomy import load_taxonomy


def balance(text: str) -> float:
    return sum(clause.balance for clause in read_clauses(text, load_lexicon()).clauses)


def test_topic_cues_name_topics_of_the_taxonomy_and_cover_all_of_it() -> None:
    topics = {topic for cue in load_lexicon().cues for topic in cue.topics}
    assert topics == set(load_taxonomy().paths)


def test_every_cue_is_found_again_in_its_own_text() -> None:
    lexicon = load_lexicon()
    for cue in lexicon.cues:
        assert [hit.text for hit, _, _ in lexicon.hits(cue.text)][:1] == [cue.text]


def test_silent_words_hide_the_words_inside_them() -> None:
    assert balance("不好意思，好像是银行卡") == 0
    assert balance("态度不好") < 0


def test_negation_turns_and_intensifiers_strengthen() -> None:
    assert balance("满意") > 0 > balance("没有让我满意")
    assert balance("一点都不贵") > 0 > balance("贵")
    assert balance("非常舒服") > balance("舒服") > balance("有点舒服")
    assert balance("was not clean") < 0 < balance("was clean")


def test_after_but_counts_more_and_wishes_are_no_praise() -> None:
    assert balance("味道好，但是服务差") < 0 < balance("服务差，但是味道好")
    assert balance("希望服务能够周到") <= 0


def test_english_cues_need_word_boundaries() -> None:
    assert balance("chocolate in the plate") == 0
    assert balance("it was late") < 0


def test_rival_patterns_have_one_group() -> None:
    for pattern in load_lexicon().rival_patterns:
        assert re.compile(pattern).groups == 1
