import pytest

from evals.implied import measure
from evals.reports import read_report
from pipeline.classifier import Classifier
from pipeline.embedded_classifier import EmbeddedClassifier


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return EmbeddedClassifier()


@pytest.mark.parametrize(
    ("text", "sentiment", "implied"),
    [
        ("等了三个小时，服务真是太好了呢", "negative", "negative"),
        ("Well done, another crash.", "negative", "negative"),
        ("物流太慢，不过这个价也值了", "positive", "positive"),
        ("就是排队太久，味道没得说", "positive", "positive"),
        ("等了三天就到了，服务真是太好了", "positive", None),
        ("手机摔坏了，谢谢客服帮我修好", "positive", None),
        ("又崩溃了，什么破软件", "negative", None),
        ("Great, my order arrived early.", "positive", None),
        ("", "neutral", None),
    ],
)
def test_what_is_meant_where_the_words_say_otherwise(
    classifier: Classifier, text: str, sentiment: str, implied: str | None
) -> None:
    (label,) = classifier.classify([text])
    assert label.sentiment == sentiment
    assert label.implied_sentiment == implied


def test_topics_keep_their_own_side_beneath_an_implied_verdict(classifier: Classifier) -> None:
    (label,) = classifier.classify(["物流太慢，不过这个价也值了"])
    assert {one.topic: one.polarity for one in label.topics}["logistics/speed"] == "negative"


def test_irony_makes_a_complaint_of_the_intent(classifier: Classifier) -> None:
    (label,) = classifier.classify(["太优秀了，一个登录页面转了十分钟"])
    assert label.intent == "complaint"


def test_implied_sentiment_is_no_worse_than_the_committed_report() -> None:
    kept = read_report("implied")["suites"]
    for name, now in measure()["suites"].items():
        assert now["micro"]["f1"] >= kept[name]["micro"]["f1"]
        assert now["sentiment_right"] >= 0.9 * now["n"]
