"""Noise: single texts, bursts of praise, copied texts; the hand-written cases as a gate."""

from datetime import UTC, datetime, timedelta

import pytest

from evals.noise_score import load_noise_cases, score
from pipeline.noise import Noise, find_noise
from pipeline.noise_bursts import find_bursts, find_copied
from store.identity import text_key
from store.records import Channel, Feedback, LabelledFeedback, Labels, Sentiment

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
PRAISE = "宝贝收到了，质量很好，非常满意的一次购物"


def item(
    number: int,
    text: str,
    hours: float,
    *,
    sentiment: Sentiment = Sentiment.POSITIVE,
    product: str = "电饭煲",
    group: str | None = None,
    customer: str | None = None,
) -> LabelledFeedback:
    return LabelledFeedback(
        feedback=Feedback(
            feedback_id=f"f{number}",
            source="shop",
            channel=Channel.REVIEW,
            occurred_at=START + timedelta(hours=hours),
            text=text,
            product=product,
            customer_id=customer or f"c{number}",
        ),
        labels=Labels(sentiment=sentiment, sentiment_confidence=0.9, labeller="test/1"),
        text_key=text_key(text),
        near_duplicate_of=group,
    )


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("兼职刷单日结，加微信了解", Noise.ADVERTISING),
        ("卖家让我加微信返现，是不是骗人", None),
        ("我5月21日入住，22日离开，前台很热情", None),
        ("酒店房间可以免费升级，客服会联系我们", None),
        ("asdfghjkl", Noise.GIBBERISH),
        ("螺蛳粉很臭但很香", None),
        ("[PHONE]", Noise.TOO_SHORT),
        ("👍", None),
        ("…", Noise.TOO_SHORT),
        ("系统默认好评!", Noise.TEMPLATE),
        ("Customer didn't leave a comment", Noise.TEMPLATE),
        ("test 123 测试", Noise.TEST),
        ("测试了一周，很稳定", None),
        ("", Noise.TOO_SHORT),
    ],
)
def test_each_kind_of_noise_and_what_only_looks_like_it(text: str, flag: Noise | None) -> None:
    assert find_noise([text]) == [flag]


def test_long_texts_are_never_called_short_or_mash() -> None:
    assert find_noise(["测试" * 60, "阿斯蒂芬" * 40]) == [None, None]


def test_the_hand_written_cases_hold() -> None:
    cases = load_noise_cases()
    assert len(cases) >= 150 and {case["language"] for case in cases} == {"zh", "en"}
    rows = {(row["split"], row["flag"]): row for row in score(cases)["figures"]}
    assert rows["held", "any"]["precision"] >= 0.95, rows["held", "any"]
    assert rows["held", "any"]["recall"] >= 0.9, rows["held", "any"]


def test_a_burst_of_praise_within_a_day_is_suspected() -> None:
    items = [item(n, PRAISE, n / 2, group="g") for n in range(6)]
    items += [item(20 + n, "质量很好很耐用啊朋友们真不错", n * 100) for n in range(6)]
    (burst,) = find_bursts(items)
    assert (burst.about, burst.n, burst.customers) == ("电饭煲", 6, 6)
    assert burst.feedback_ids == tuple(f"f{n}" for n in range(6))
    assert (burst.start, burst.end) == (START, START + timedelta(hours=2.5))


@pytest.mark.parametrize(
    "items",
    [
        [item(n, PRAISE, n, group="g") for n in range(4)],
        [item(n, PRAISE, n * 24.5, group="g") for n in range(12)],
        [item(n, PRAISE, n, group="g", product=f"p{n}") for n in range(9)],
        [item(n, PRAISE, n, group="g", sentiment=Sentiment.NEGATIVE) for n in range(9)],
        [item(n, "好评", n, group="g") for n in range(9)],
    ],
    ids=["few", "spread out", "many products", "complaints", "short"],
)
def test_what_is_no_burst(items: list[LabelledFeedback]) -> None:
    assert find_bursts(items) == []


def test_texts_that_several_customers_gave_word_for_word_are_copied() -> None:
    items = [item(n, PRAISE, n * 100) for n in range(3)]
    items += [item(10 + n, "客服很有耐心地帮我解决了问题", n, customer="same") for n in range(5)]
    assert find_copied(items) == {PRAISE: ("f0", "f1", "f2")}
