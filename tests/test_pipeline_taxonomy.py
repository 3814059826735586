import re
from pathlib import Path

import pytest

from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.lexicon import build_lexicon, load_lexicon
from pipeline.taxonomy import build_taxonomy, load_taxonomy
from pipeline.taxonomy_sources import GENERAL, Sources, UserFile
from store.errors import ConfigError

GUIDE = Path(__file__).parents[1] / "docs" / "taxonomy.md"
ISSUE_BRANCHES = {
    "product": {"usability", "stability", "performance", "quality", "features"},
    "service": {"response_speed", "professionalism", "attitude", "after_sales", "returns"},
    "logistics": {"speed", "packaging", "accuracy"},
    "price": {"value", "pricing", "promotion", "fees"},
    "account": {"access"},
    "payment": {"checkout"},
    "information": {"transparency"},
    "environment": {"cleanliness"},
    "compliance": {"privacy"},
    "safety": {"health"},
}


def taxonomy_of(text: str, *industries: str) -> Sources:
    return Sources(industries, taxonomy=UserFile("taxonomy.yaml", text.encode()))


def lexicon_of(text: str, taxonomy: str = "", industries: tuple[str, ...] = ()) -> Sources:
    return Sources(
        industries,
        UserFile("taxonomy.yaml", taxonomy.encode()) if taxonomy else None,
        UserFile("lexicon.yaml", text.encode()),
    )


def complaints(sources: Sources) -> list[str]:
    return [str(problem) for problem in (*build_taxonomy(sources)[1], *build_lexicon(sources)[1])]


def topics_in(text: str, sources: Sources) -> set[str]:
    return {topic for cue, _, _ in load_lexicon(sources).hits(text) for topic in cue.topics}


def test_the_general_tree_is_complete_and_named_in_both_languages() -> None:
    taxonomy = load_taxonomy()
    for branch, topics in ISSUE_BRANCHES.items():
        assert {f"{branch}/{topic}" for topic in topics} <= set(taxonomy.paths)
    for path in taxonomy.entries:
        for language in ("zh", "en"):
            assert taxonomy.name(path, language)
            assert taxonomy.department(path, language)
    assert taxonomy.name("service/attitude", "zh") == "服务态度"
    assert taxonomy.department("logistics/speed", "en") == "Logistics"


def test_unknown_topic_is_a_key_error_and_keeps_its_path_as_a_title() -> None:
    with pytest.raises(KeyError):
        load_taxonomy().name("service/magic", "zh")
    assert load_taxonomy().title_of("service/magic", "zh") == "service/magic"


def test_a_user_adds_renames_moves_and_switches_off() -> None:
    sources = taxonomy_of(
        """
branches:
  service:
    name: {zh: 客户服务}
    topics:
      hotline: {name: {zh: 热线, en: Hotline}, also: [95588, IVR]}
      attitude: {department: {zh: 客服一部}}
  club:
    name: {zh: 俱乐部, en: Club}
    department: {zh: 会员部, en: Members}
    topics:
      events: {name: {zh: 车友活动, en: Club Events}}
move: {service/returns: logistics/returns}
off: [environment, product/taste]
"""
    )
    taxonomy = load_taxonomy(sources)
    assert taxonomy.name("service", "zh") == "客户服务" and taxonomy.name("service", "en") == "Service"
    assert taxonomy.department("service/hotline", "en") == "Customer Service"
    assert taxonomy.department("service/attitude", "zh") == "客服一部"
    assert taxonomy.department("service/attitude", "en") == "Customer Service"
    assert taxonomy.name("logistics/returns", "zh") == "退换货"
    assert taxonomy.department("logistics/returns", "zh") == "售后服务部"
    assert taxonomy.words()["IVR"] == "service/hotline"
    gone = {"service/returns", "environment", "environment/comfort", "product/taste"}
    assert not gone & set(taxonomy.entries)
    assert topics_in("退货，房间吵，口味差", sources) == {"logistics/returns"}


def test_only_topics_and_their_names_make_another_fingerprint() -> None:
    plain = load_taxonomy().fingerprint
    other = "branches: {service: {department: {zh: 客服中心}}}"
    assert load_taxonomy(taxonomy_of(other)).fingerprint == plain
    renamed = "branches: {service: {name: {zh: 客服}}}"
    assert load_taxonomy(taxonomy_of(renamed)).fingerprint != plain
    assert load_taxonomy(taxonomy_of("off: [product/taste]")).fingerprint != plain


@pytest.mark.parametrize(
    ("text", "line", "at", "says"),
    [
        ("branches: [1", 2, "", "is no YAML"),
        ("- a\n- b", None, "", "is a list"),
        ("branches:\n  service:\n    topics:\n      a_b: {name: {zh: ''}}", 4, "a_b.name.zh", "is empty"),
        ("branches:\n  club: {name: {zh: 甲, en: A}}", 2, "branches.club.department.zh", "is missing"),
        ("branches:\n  Club: {}", 2, "branches.Club", "no key"),
        ("branches:\n  service: {}\n  service: {}", 2, "branches.service", "stands twice, in line 3"),
        ("branches:\n  service:\n    owner: me", 3, "branches.service.owner", "known: name, department"),
        ("brances: {}", 1, "brances", "did you mean 'branches'?"),
        ("move: {service/return: logistics/returns}", 1, "move.service/return", "nearest: service/returns"),
        ("move: {product/fit: product/taste, product/taste: product/fit}", 1, "move.product/fit", "circle"),
        ("move: {product/fit: nowhere/fit}", 1, "move.product/fit", "unknown branch 'nowhere'"),
        ("move: {product/fit: product/taste}", 1, "move.product/fit", "there already"),
        ("off: [product/tast]", 1, "off.product/tast", "nearest: product/taste"),
        ("off: product/taste", 1, "off", "is no list"),
        (
            "branches:\n  service:\n    topics:\n      tone: {name: {zh: 服务态度, en: Tone}}",
            4,
            "tone.name.zh",
            "duplicate: service/attitude",
        ),
        ("a: &a\n  b: *a", 2, "a.b", "nested too deep"),
    ],
)
def test_a_wrong_taxonomy_says_file_line_path_and_what_is_allowed(
    text: str, line: int | None, at: str, says: str
) -> None:
    problems = build_taxonomy(taxonomy_of(text))[1]
    told = [problem for problem in problems if at in problem.at and says in str(problem)]
    assert told and told[0].line == line and told[0].allowed
    with pytest.raises(ConfigError, match=r"taxonomy\.yaml"):
        load_taxonomy(taxonomy_of(text))


def test_a_file_that_is_not_utf_8_is_said_to_be_so() -> None:
    sources = Sources(taxonomy=UserFile("taxonomy.yaml", "branches: {甲: {}}".encode("gbk")))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_taxonomy(sources)


def test_a_users_words_take_the_place_of_the_general_ones() -> None:
    sources = lexicon_of(
        """
topics:
  account/membership:
    any: {zh: 金管家 贵, en: [gold desk]}
    negative: {zh: 掉级}
polarity: {negative: {zh: 种草}, neutral: {zh: 不错}}
risk: {cancel: {zh: 拔线}}
silent: {zh: 快递柜}
"""
    )
    cues = {cue.text: cue for cue in load_lexicon(sources).cues}
    assert cues["贵"].topics == {"account/membership": 0}
    assert cues["掉级"].topics == {"account/membership": -1} and cues["掉级"].polarity == -1
    assert cues["种草"].polarity == -1 and cues["不错"].polarity == 0
    assert cues["拔线"].risks == {"cancel"}
    assert topics_in("call the gold desk", sources) == {"account/membership"}
    assert topics_in("快递柜", sources) == set() != topics_in("快递柜", GENERAL)


def test_rivals_and_products_of_a_user() -> None:
    sources = lexicon_of("rivals: [腾讯会议, Zoom, 好视通]\nproducts: [卡顿王]\nnot_rivals: [我司]")
    lexicon = load_lexicon(sources)
    pattern = lexicon.rival_patterns[-1]
    assert pattern.findall("腾讯会议比你们好，Zoom也行，Zoomed 不算") == ["腾讯会议", "Zoom"]
    assert {"卡顿王", "我司"} <= set(lexicon.not_rivals)
    assert topics_in("买了卡顿王", sources) == set()


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        (
            "topics: {service/attitud: {any: {zh: 话务}}}",
            "topics.service/attitud",
            "nearest: service/attitude",
        ),
        ("topics: {service/attitude: {some: {zh: 话务}}}", "topics.service/attitude.some", "known: any"),
        ("topics: {service/attitude: {any: {fr: mot}}}", "topics.service/attitude.any.fr", "known: zh, en"),
        ("topics: {service/attitude: {any: {zh: {a: b}}}}", "any.zh", "no list of words"),
        ("topics: {service/attitude: {positive: {zh: 冷}, negative: {zh: 冷}}}", "冷", "positive too"),
        ("risk: {cancle: {zh: 拔线}}", "risk.cancle", "did you mean 'cancel'?"),
        ("compliance: {bribery: {zh: 红包}}", "compliance.bribery", "known: privacy"),
        ("silent: {en: a}", "silent.en", "one letter"),
        ("silent: {zh: 。}", "silent.zh", "is no word"),
        ("rivals: Zoom", "rivals", "no list of names"),
        ("rivals: [Zoom]\nproducts: [Zoom]", "products.Zoom", "is a rival too"),
    ],
)
def test_a_wrong_lexicon_says_what_is_wrong(text: str, at: str, says: str) -> None:
    problems = build_lexicon(lexicon_of(text))[1]
    assert [problem for problem in problems if at in problem.at and says in str(problem)]
    with pytest.raises(ConfigError, match=r"lexicon\.yaml"):
        load_lexicon(lexicon_of(text))


def test_a_moved_or_absent_topic_cannot_be_given_words() -> None:
    text = "topics: {service/returns: {any: {zh: 逆向}}}"
    assert (
        "has moved to logistics/returns"
        in complaints(lexicon_of(text, "move: {service/returns: logistics/returns}"))[0]
    )
    assert "no topic that is on" in complaints(lexicon_of(text, "off: [service/returns]"))[0]


def test_comments_change_nothing_and_words_do() -> None:
    one = load_lexicon(lexicon_of("silent: {zh: 快递柜}"))
    two = load_lexicon(lexicon_of("# a remark\nsilent: {zh: 快递柜}"))
    assert one.fingerprint == two.fingerprint != load_lexicon().fingerprint
    assert load_lexicon(lexicon_of("")).fingerprint != one.fingerprint


def test_the_examples_of_the_guide_are_sound() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    taxonomy, lexicon = blocks
    assert complaints(lexicon_of(lexicon, taxonomy)) == []
    sources = lexicon_of(lexicon, taxonomy)
    assert load_taxonomy(sources).name("service/hotline", "en") == "Phone Menu"
    assert topics_in("endless menu", sources) == {"service/hotline"}


def test_the_classifier_labels_by_the_users_words() -> None:
    sources = lexicon_of("rivals: [好视通]\nproducts: [卡顿王]\nrisk: {cancel: {zh: 拔线}}\n")
    classifier = EmbeddedClassifier(load_taxonomy(sources), load_lexicon(sources))
    rival, product, leaving = classifier.classify(
        ["好视通开会不卡，比你们强", "刚买的卡顿王到了，还没拆", "再不修我就拔线"]
    )
    assert rival.competitors == ("好视通",)
    assert (product.competitors, product.topics) == ((), ())
    assert "cancel" in leaving.risk_signals
    assert classifier.name != EmbeddedClassifier().name
