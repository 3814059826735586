import subprocess
import sys
from pathlib import Path

import pytest

from evals.sentiment_figures import evaluation_sets, figures
from pipeline import sentiment as sentiment_module
from pipeline.classifier import Classifier
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.sentiment import load_sentiment
from pipeline.taxonomy import load_taxonomy
from store.errors import ConfigError
from store.records import Emotion, Intent, Labels, Priority, Sentiment

DATA = Path(__file__).parents[2] / "shared" / "data"
WEIGHTS = Path(sentiment_module.__file__).with_name("sentiment.npz")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return EmbeddedClassifier()


def one(classifier: Classifier, text: str) -> Labels:
    return classifier.classify([text])[0]


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("质量很好，推荐", "positive"),
        ("质量不好", "negative"),
        ("一点都不贵，服务也不错", "positive"),
        ("没有想象中那么好", "negative"),
        ("味道不错，但是服务员态度恶劣，再也不来了", "negative"),
        ("物流慢了点，不过东西真的超值，非常满意", "positive"),
        ("请问什么时候发货", "neutral"),
        ("信号差，网速慢，打电话经常断线", "negative"),
        ("医生很专业，耐心解答", "positive"),
        ("Great phone, battery lasts all day.", "positive"),
        ("The app keeps crashing and support never responded.", "negative"),
        ("Not good at all, would not recommend", "negative"),
        ("Which branches are open on Sunday?", "neutral"),
    ],
)
def test_sentiment(classifier: Classifier, text: str, sentiment: str) -> None:
    assert one(classifier, text).sentiment == sentiment


@pytest.mark.parametrize(
    ("text", "risks"),
    [
        ("不给退款，还不回消息", {"refund"}),
        ("不用退款，客服态度很好", set()),
        ("我不想退款，只想换一个", set()),
        ("如果不行就退款吧", set()),
        ("再不处理我就要退款", {"refund"}),
        ("上次退款很快，这次也不错", set()),
        ("朋友说要退款", set()),
        ("我要解约，不续费了", {"cancel"}),
        ("太贵了，准备换别家", {"price", "competitor"}),
        ("一点都不贵", set()),
        ("我要找律师起诉你们", {"legal"}),
        ("请问怎么导出数据？", {"export_data"}),
        ("I want a refund!", {"refund"}),
        ("No need for a refund, all good", set()),
        ("Please cancel my contract", {"cancel"}),
        ("I won't cancel, the service is great", set()),
        ("It is too expensive, we are switching to Zoom", {"price", "competitor"}),
        ("The price is not too expensive", set()),
        ("房间很干净", set()),
    ],
)
def test_risk_signals_are_read_in_context(classifier: Classifier, text: str, risks: set[str]) -> None:
    assert set(one(classifier, text).risk_signals) == risks


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("物流太慢，但是性价比很高", {"logistics/speed": "negative", "price/value": "positive"}),
        ("APP经常闪退", {"product/stability": "negative"}),
        ("房间很干净，前台态度好", {"environment/cleanliness": "positive", "service/attitude": "positive"}),
        ("验证码一直收不到，登录不了", {"account/access": "negative"}),
        ("Delivery was late but the staff were friendly", {"logistics/speed": "negative"}),
        ("They charged me hidden fees", {"price/fees": "negative"}),
    ],
)
def test_topics_carry_the_polarity_of_their_clause(
    classifier: Classifier, text: str, topics: dict[str, str]
) -> None:
    found = {label.topic: label.polarity for label in one(classifier, text).topics}
    assert topics.items() <= found.items()
    assert set(found) <= set(load_taxonomy().paths)


def test_intent_emotion_and_priority(classifier: Classifier) -> None:
    churn = one(classifier, "垃圾公司，我要解约，再也不会用了！")
    assert (churn.intent, churn.emotion, churn.priority) == (Intent.CHURN, Emotion.ANGRY, Priority.URGENT)
    praise = one(classifier, "太棒了，超出预期，感谢客服")
    assert (praise.intent, praise.emotion, praise.priority) == (
        Intent.PRAISE,
        Emotion.DELIGHTED,
        Priority.NORMAL,
    )
    assert one(classifier, "请问如何开具电子发票").intent is Intent.ENQUIRY
    assert one(classifier, "建议增加深色模式").intent is Intent.SUGGESTION
    assert one(classifier, "客服推诿，要求赔偿").intent is Intent.COMPLAINT
    assert one(classifier, "How do I change my PIN?").intent is Intent.ENQUIRY


def test_rivals_and_regulated_matters_are_named(classifier: Classifier) -> None:
    assert one(classifier, "续费太贵，准备换成腾讯会议").competitors == ("腾讯会议",)
    assert one(classifier, "We are switching to Zoom next month").competitors == ("Zoom",)
    assert one(classifier, "用了以后个人信息被泄露").compliance_flags == ("privacy",)
    assert one(classifier, "喝了拉肚子").compliance_flags == ("food_safety",)


def test_labels_depend_on_the_text_alone(classifier: Classifier) -> None:
    texts = ["质量很好", "", "Great", "😀", "\n", "退款" * 500, "質量很好", "これはいい", "a" * 5000]
    batch = classifier.classify(texts)
    assert batch == [one(EmbeddedClassifier(), text) for text in texts]
    assert {label.labeller for label in batch} == {classifier.name}
    assert classifier.name.startswith("embedded-2+")


def test_nothing_said_is_neutral_without_confidence(classifier: Classifier) -> None:
    assert classifier.classify([]) == []
    label = one(classifier, "")
    assert (label.sentiment, label.sentiment_confidence, label.topics) == (Sentiment.NEUTRAL, 0.0, ())


def test_probabilities_add_up(classifier: Classifier) -> None:
    for text in ("质量很好", "质量很差", "今天", "fine", "terrible"):
        label = one(classifier, text)
        assert 1 / 3 <= label.sentiment_confidence <= 1


def test_damaged_weights_are_a_config_error(tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    file.write_bytes(b"no weights")
    with pytest.raises(ConfigError):
        load_sentiment(file)
    with pytest.raises(ConfigError):
        load_sentiment(tmp_path / "absent.npz")


def test_classifying_imports_no_training_library() -> None:
    script = (
        "import sys\nfrom pipeline.embedded_classifier import EmbeddedClassifier\n"
        "EmbeddedClassifier().classify(['好', 'good'])\n"
        "print(sorted({'sklearn', 'scipy', 'jieba', 'pandas'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.data
@pytest.mark.parametrize(("name", "least"), [("delivery", 0.81), ("lounge", 0.84), ("clothing", 0.89)])
def test_accuracy_on_public_reviews(name: str, least: float) -> None:
    """Neutral counts as wrong. The hotel set is left out: a third of it was trained on (model card)."""
    if not DATA.exists():
        pytest.skip("public data sets are absent: ../shared/data")
    labelled = dict(evaluation_sets(DATA))[name]
    found = figures(labelled[::5], WEIGHTS)
    assert found["accuracy"] >= least
    assert found["ece"] <= 0.08
