from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import sentiment as sentiment_module
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.language import detect_language
from pipeline.lexicon import load_lexicon
from pipeline.readings import read_texts
from pipeline.sentiment import Floats, SentimentModel, lexicon_evidence, load_sentiment
from store.errors import ConfigError

WEIGHTS = Path(sentiment_module.__file__).with_name("sentiment.npz")
TEXTS = [
    "送餐很快，好吃",
    "等了两个小时才送到",
    "请问几点关门",
    "",
    "Never again",
    "How do I reset my PIN?",
    "还行吧",
]


def judge(model: SentimentModel, texts: list[str]) -> Floats:
    evidence = lexicon_evidence(read_texts(texts, load_lexicon()))
    return model.judge(texts, [detect_language(text) for text in texts], evidence)


def weights() -> dict[str, Any]:
    with np.load(WEIGHTS) as data:
        return dict(data)


def test_the_shipped_weights_fit_the_package() -> None:
    model = load_sentiment()
    assert set(model.languages) == {"zh", "en"}
    assert WEIGHTS.stat().st_size < 15 * 1024 * 1024
    for language in model.languages.values():
        assert language.buckets.dtype == np.int8
        # Both weights of the first stage have been learnt.
        assert (np.count_nonzero(language.buckets, axis=0) > 1000).all()
        assert 1 / 3 < language.abstain_below < 1


def test_a_batch_is_judged_as_its_texts_alone() -> None:
    model = load_sentiment()
    batch = judge(model, TEXTS)
    assert np.allclose(batch.sum(axis=1), 1)
    for at, text in enumerate(TEXTS):
        assert np.allclose(batch[at], judge(model, [text])[0], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("骑手提前点了送达，电话也不接", 0),
        ("汤全洒了", 0),
        ("App一打开就闪退", 0),
        ("动不动就死机，修了三次还是老毛病", 0),
        ("剧情注水，看得想睡", 0),
        ("送到还是热乎的，分量也足", 2),
        ("提车顺利，油耗也低", 2),
        ("一口气读完了", 2),
        ("请问周末几点营业", 1),
        ("上周给家里老人买的", 1),
        ("我要取消预约", 1),
        ("怎么又坏了？", 0),
        ("送来都凉了，这正常吗？", 0),
        ("my bag never showed up and nobody answers the phone", 0),
        ("the app will not open since the update", 0),
        ("Which documents do I need to open an account?", 1),
        ("ordered it for my son last week", 1),
        ("It broke on the first day, what should I do?", 0),
    ],
)
def test_facts_without_words_of_praise_or_blame(text: str, side: int) -> None:
    assert judge(load_sentiment(), [text])[0].argmax() == side


def test_the_classifier_abstains_below_the_shipped_threshold_and_only_there() -> None:
    classifier, model = EmbeddedClassifier(), load_sentiment()
    texts = [*TEXTS, "东西还行，服务太差", "味道不错，就是有点贵，一般般吧", "看情况", "it is what it is"]
    labels = classifier.classify(texts)
    for text, label in zip(texts, labels, strict=True):
        language = "zh" if detect_language(text) == "zh" else "en"
        below = label.sentiment_confidence < model.languages[language].abstain_below
        # Nothing to read is nothing to ask another labeller about.
        assert label.abstained == (below and bool(text))
    assert {label.abstained for label in labels} == {True, False}


def test_damaged_weights_are_refused_with_their_name(tmp_path: Path) -> None:
    cut = tmp_path / "cut.npz"
    cut.write_bytes(WEIGHTS.read_bytes()[:-4000])
    flipped = tmp_path / "flipped.npz"
    content = bytearray(WEIGHTS.read_bytes())
    content[len(content) // 4] ^= 0xFF
    flipped.write_bytes(bytes(content))
    lacking = tmp_path / "lacking.npz"
    np.savez(lacking, **{key: value for key, value in weights().items() if key != "en_abstain"})
    short = tmp_path / "short.npz"
    np.savez(short, **(weights() | {"zh_buckets": np.zeros((5, 2), np.int8)}))
    for path in (cut, flipped, lacking, short):
        with pytest.raises(ConfigError, match=path.name):
            load_sentiment(path)
