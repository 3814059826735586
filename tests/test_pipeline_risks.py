import pytest

from evals.compliance import measure
from evals.reports import read_report
from pipeline.classifier import Classifier
from pipeline.cue_context import load_context
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.lexicon import load_lexicon
from pipeline.risks import find_rivals
from store.records import Labels


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return EmbeddedClassifier()


def one(classifier: Classifier, text: str) -> Labels:
    return classifier.classify([text])[0]


@pytest.mark.parametrize(
    ("text", "names", "is_signal"),
    [
        ("我改去京东买了", ("京东",), True),
        ("We are moving to Asana.", ("Asana",), True),
        ("Much better than Starbucks", ("Starbucks",), False),
        ("We are not switching to Zoom", ("Zoom",), False),
        ("换到三楼了，景观不错", (), False),
        ("I moved to London last year and the branch is lovely", (), False),
        ("Switching to The next page is slow", (), False),
    ],
)
def test_a_rival_by_name_is_a_signal_where_it_is_gone_to(
    classifier: Classifier, text: str, names: tuple[str, ...], is_signal: bool
) -> None:
    label = one(classifier, text)
    assert label.competitors == names
    assert ("competitor" in label.risk_signals) is is_signal


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("理财经理承诺保本，结果亏了三成", {"mis_selling"}),
        ("请问这款产品保本吗", set()),
        ("没有乱扣费，账单很清楚", set()),
        ("汤里有头发", {"food_safety"}),
        ("头发剪得很好", set()),
        ("优惠券过期了能补吗", set()),
        ("花园式度假酒店，风景很好", set()),
        ("They sold alcohol to my 15 year old son.", {"minors"}),
        ("No discrimination at all", set()),
    ],
)
def test_regulated_matters_are_flagged_where_they_happened(
    classifier: Classifier, text: str, flags: set[str]
) -> None:
    assert set(one(classifier, text).compliance_flags) == flags


def test_no_vague_name_leaves_the_classifier(classifier: Classifier) -> None:
    texts = [
        "便宜又好",
        "换一家",
        "滚筒洗衣机",
        "算了",
        "孩子很喜欢",
        "I quit",
        "the price",
        "贵了，要退的钱呢",
    ]
    for label in classifier.classify(texts):
        assert not any("?" in name for name in (*label.risk_signals, *label.compliance_flags))


def test_every_name_of_the_lexicon_is_judged_by_rules_of_its_group() -> None:
    groups = load_context().groups
    assert set(groups) == {"risk", "compliance"}
    assert set(groups["risk"]) > {"all", "refund", "cancel", "price"}


def test_a_long_text_costs_no_more_than_its_cues(classifier: Classifier) -> None:
    text = "退款" + "，这个东西还可以" * 2000 + "，不用退款"
    assert one(classifier, text).risk_signals == ("refund",)


def test_compliance_flags_are_no_worse_than_the_committed_report() -> None:
    kept = read_report("compliance")["suites"]
    now = measure()["suites"]
    assert now["all"]["n"] >= 60
    for name, figures in now.items():
        assert figures["micro"]["f1"] >= kept[name]["micro"]["f1"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("用回京东了，快得多", ("京东",)),
        ("We switched to Notion last week", ("Notion",)),
        ("拼夕夕只要一半的钱", ("拼夕夕",)),
        ("房间很干净", ()),
    ],
)
def test_a_pattern_of_rivals_is_tried_where_its_words_stand(text: str, names: tuple[str, ...]) -> None:
    assert tuple(rival.name for rival in find_rivals(text, load_lexicon())) == names


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        ("这张卡我不要了，帮我销了", ("cancel",)),
        ("管理员把我从群里移出了群", ()),
        ("我的钱呢，什么时候能把钱还我", ("refund",)),
        ("请问什么时候退房", ()),
        ("我要告你们", ("legal",)),
        ("我要告诉大家这家店超好吃", ()),
        ("保安对我吼，还骂老人", ("conflict",)),
        ("剩菜被打包带走了", ()),
        ("The pool is not worth the money", ("price",)),
        ("It is well worth the money", ()),
        ("Send me all my records", ("export_data",)),
        ("My laptop died and I lost all my records", ()),
        ("I'm sick of chasing you", ("silence",)),
        ("I'm sick of the snow", ()),
    ],
)
def test_an_everyday_phrase_is_a_signal_and_its_harmless_twin_is_not(
    classifier: Classifier, text: str, signals: tuple[str, ...]
) -> None:
    assert one(classifier, text).risk_signals == signals
