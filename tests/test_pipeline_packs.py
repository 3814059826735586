import json
import re
from pathlib import Path

import pytest
import yaml

from evals.packs import load_cases
from pipeline.checked_yaml import read_document
from pipeline.cues import MARKS
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.lexicon import build_lexicon, load_lexicon
from pipeline.taxonomy import build_taxonomy, load_taxonomy
from pipeline.taxonomy_sources import GENERAL, Sources, pack_names, read_pack, read_sources
from retention.measures import load_measures
from store.errors import ConfigError

PACKS = Path(__file__).parents[1] / "pipeline" / "packs"
INDUSTRIES = "ecommerce saas banking telecom automotive hospital airline education manufacturing hospitality"
EVERY = pack_names()


def paths_of(pack: str) -> set[str]:
    branches = read_pack(pack)["branches"]
    return {f"{branch}/{topic}" for branch, node in branches.items() for topic in node["topics"]}


def topics_in(text: str, sources: Sources) -> set[str]:
    return {topic for cue, _, _ in load_lexicon(sources).hits(text) for topic in cue.topics}


def test_the_ten_industries_are_there() -> None:
    assert set(EVERY) == set(INDUSTRIES.split())


@pytest.mark.parametrize(
    "names", [*((name,) for name in EVERY), EVERY], ids=lambda names: "+".join(names)[:20]
)
def test_packs_load_alone_and_together_without_a_complaint(names: tuple[str, ...]) -> None:
    sources = Sources(names)
    assert build_taxonomy(sources)[1] == () == build_lexicon(sources)[1]
    taxonomy = load_taxonomy(sources)
    assert set(load_taxonomy().paths) < set(taxonomy.paths)
    for path, entry in taxonomy.entries.items():
        assert all(entry.names.values()) and all(entry.departments.values()), path


@pytest.mark.parametrize("pack", EVERY)
def test_an_alias_stands_for_one_topic(pack: str) -> None:
    taxonomy = load_taxonomy(Sources((pack,)))
    words = {word.casefold(): path for word, path in taxonomy.words().items()}
    for path in paths_of(pack):
        assert {words[alias.casefold()] for alias in taxonomy.entries[path].aliases} == {path}


@pytest.mark.parametrize("pack", EVERY)
def test_a_pack_is_written_as_the_form_says(pack: str) -> None:
    document = read_document(pack, (PACKS / f"{pack}.yaml").read_bytes())
    assert not document.problems
    data = document.data
    assert set(data) == {"name", "version", "title", "branches", "lexicon"} and data["name"] == pack
    assert data["title"].keys() == {"zh", "en"} and not data["lexicon"].get("rivals")
    chinese = {
        w for kinds in data["lexicon"]["topics"].values() for k in kinds.values() for w in k["zh"].split()
    }
    english = {
        w for kinds in data["lexicon"]["topics"].values() for k in kinds.values() for w in k["en"].split()
    }
    assert len(chinese) >= 80 and len(english) >= 80
    assert {"compliance", "polarity", "silent"} <= set(data["lexicon"])
    assert not [word for word in chinese | english if set(word) & set(MARKS) - set(".")]


@pytest.mark.parametrize("pack", EVERY)
def test_every_topic_of_a_pack_has_words_in_both_languages_that_find_it(pack: str) -> None:
    sources = Sources((pack,))
    topics = read_pack(pack)["lexicon"]["topics"]
    assert paths_of(pack) <= set(topics)
    for path in paths_of(pack):
        for kind, words in topics[path].items():
            for language in ("zh", "en"):
                listed = words[language].split()
                assert listed, (path, kind, language)
                for word in listed:
                    text = word.rstrip("*").replace("_", " ") if language == "en" else word
                    assert path in topics_in(text.lower(), sources), (path, word)


@pytest.mark.parametrize("pack", EVERY)
def test_every_topic_of_a_pack_has_a_measure_and_cases(pack: str) -> None:
    book = load_measures()
    assert all(book.for_topic(path) for path in paths_of(pack))
    cases = [case for case in load_cases() if case.pack == pack]
    for language in ("zh", "en"):
        assert sum(case.language == language for case in cases) >= 8
        assert sum(case.language == language and not case.held_out for case in cases) >= 4
    known = set(load_taxonomy(Sources((pack,))).paths)
    assert set().union(*(case.expected for case in cases)) <= known


def test_cases_are_written_once() -> None:
    rows = [
        json.loads(line)
        for line in (PACKS.parents[1] / "evals/cases/packs.jsonl").read_text("utf-8").splitlines()
    ]
    texts = [row["text"] for row in rows]
    assert len(texts) == len(set(texts)) >= 160


@pytest.mark.parametrize("pack", EVERY)
def test_a_pack_leaves_what_is_not_its_trade_as_it_is(pack: str) -> None:
    """Sentences of no trade keep their sentiment, risks and general topics with any pack on."""
    plain = [
        "客服态度恶劣，再也不来了",
        "价格太贵，性价比低",
        "发票一直不给开",
        "我要退款！",
        "The staff were rude",
        "I want a refund",
        "我要找律师起诉你们",
        "个人信息被泄露",
    ]
    sources = Sources((pack,))
    before = EmbeddedClassifier().classify(plain)
    after = EmbeddedClassifier(load_taxonomy(sources), load_lexicon(sources)).classify(plain)
    for text, old, new in zip(plain, before, after, strict=True):
        assert (new.sentiment, set(new.risk_signals) >= set(old.risk_signals)) == (old.sentiment, True), text
        assert {one.topic for one in old.topics} <= {one.topic for one in new.topics}, text


def test_a_word_means_in_a_pack_what_the_pack_says() -> None:
    airline, hospital = Sources(("airline",)), Sources(("hospital",))
    assert topics_in("延误", GENERAL) == {"logistics/speed"} and topics_in("延误", airline) == {
        "flight/delay"
    }
    assert topics_in("检查结果阳性", hospital) == {"care/tests"}
    positive = {cue.text: cue.polarity for cue in load_lexicon(hospital).cues}
    assert positive["positive"] == 0 < {cue.text: cue.polarity for cue in load_lexicon().cues}["positive"]


def test_a_pack_word_holds_no_general_topic_of_a_word_inside_it() -> None:
    banking = Sources(("banking",))
    assert topics_in("经理", GENERAL) == {"service/attitude"}
    assert topics_in("理财经理", banking) == {"bank/wealth"}


def test_the_choice_of_a_folder_is_read_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    assert read_sources(tmp_path).industries == ()
    (tmp_path / "industries.yaml").write_text("industries: [airline, airline, banking]\n", encoding="utf-8")
    assert read_sources(tmp_path).industries == ("airline", "banking")
    assert read_sources(tmp_path, []).industries == ()
    (tmp_path / "industries.yaml").write_text("industries: airline\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be used"):
        read_sources(tmp_path)
    with pytest.raises(ConfigError) as error:
        read_sources(tmp_path, ["airlin"])
    assert all(name in error.value.hint for name in EVERY)


def test_names_of_packs_are_names_of_files_and_keys() -> None:
    for pack in EVERY:
        assert re.fullmatch(r"[a-z]+", pack)
        assert yaml.safe_load((PACKS / f"{pack}.yaml").read_text("utf-8"))["name"] == pack
