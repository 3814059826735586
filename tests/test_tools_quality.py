"""What `data_quality` finds in data with planted faults."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.identity import text_key
from store.records import Channel, Feedback, LabelledFeedback, Labels, Outcome, Sentiment
from tests.tools_world import NOW, build
from tools.catalogue import run_tool
from tools.context import ToolContext
from tools.results import ToolResult

GOOD, BAD = Sentiment.POSITIVE, Sentiment.NEGATIVE


def item(
    number: str, text: str, sentiment: Sentiment = GOOD, days: float = 10, **given: Any
) -> LabelledFeedback:
    fields = {
        "source": "world",
        "channel": Channel.REVIEW,
        "occurred_at": NOW - timedelta(days=days),
        **given,
    }
    labels = Labels(sentiment=sentiment, sentiment_confidence=0.95, labeller="test/1") if text else None
    return LabelledFeedback(
        feedback=Feedback(feedback_id=number, text=text, language="zh", **fields),
        labels=labels,
        text_key=text_key(text) if text else None,
    )


def plain(count: int = 60) -> list[LabelledFeedback]:
    return [
        item(f"p{n}", f"用了第{n}天，还可以的样子", days=20 + n, channel=Channel.CHAT, customer_id=f"c{n}")
        for n in range(count)
    ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def quality(home: Path, items: list[LabelledFeedback], language: str = "zh") -> ToolResult:
    context = build(home, items)
    try:
        return run_tool("data_quality", {"language": language}, context)
    finally:
        _close(context)


def test_clean_data_is_not_doubted(home: Path) -> None:
    result = quality(home, plain())
    data = result.data
    assert data["noise"]["n"] == 0 and data["noise"]["judged"] == 60
    assert data["bursts"]["count"] == data["copied"]["texts"] == 0
    assert data["outliers"] == [] and data["score_text"]["high_score_negative_text"]["n"] == 0
    assert data["dates"] == {"future": 0, "stale": 0, "days_since_last": 20}
    assert not any("噪声" in doubt or "矛盾" in doubt for doubt in result.caveats)


def test_noise_is_counted_named_and_left_in_every_figure(home: Path) -> None:
    spam = ["兼职刷单日结，加微信了解", "asdfghjkl", "。", "系统默认好评", "test 123 测试"]
    items = plain() + [item(f"n{n}", text) for n, text in enumerate(spam * 2)]
    result = quality(home, items)
    flags = {row["flag"]: row for row in result.data["noise"]["flags"]}
    assert {name: row["n"] for name, row in flags.items()} == dict.fromkeys(flags, 2)
    assert set(flags["advertising"]["evidence"]) == {"n0", "n5"}
    assert set(flags["advertising"]["evidence"]) <= set(result.evidence)
    assert result.n == result.data["items"] == 70
    assert any("14%" in doubt and "广告 2 条" in doubt for doubt in result.caveats)


def test_brushing_is_suspected_in_both_languages(home: Path) -> None:
    burst = [
        item(
            f"b{n}", "宝贝收到了，质量很好，非常满意", days=3 + n / 100, product="电饭煲", customer_id=f"x{n}"
        )
        for n in range(8)
    ]
    result = quality(home, plain() + burst, "en")
    (found,) = result.data["bursts"]["listed"]
    assert (found["about"], found["n"], found["customers"]) == ("电饭煲", 8, 8)
    assert any("Suspected brushing" in doubt for doubt in result.caveats)
    assert result.data["copied"]["items"] == 8


def test_scores_against_their_words(home: Path) -> None:
    items = plain()
    items += [item(f"h{n}", f"质量太差了根本不能用{n}", BAD, rating=5) for n in range(3)]
    items += [item(f"l{n}", f"非常满意，强烈推荐{n}", GOOD, nps=1) for n in range(2)]
    items += [item("ok", "质量太差了", BAD, rating=1)]
    result = quality(home, items)
    found = result.data["score_text"]
    assert set(found["high_score_negative_text"]["evidence"]) == {"h0", "h1", "h2"}
    assert set(found["low_score_positive_text"]["evidence"]) == {"l0", "l1"}
    assert any("5 条的分数与文字相互矛盾" in doubt for doubt in result.caveats)


def test_outliers_are_judged_within_their_product(home: Path) -> None:
    items = [
        item(f"a{n}", "", product="甲", metrics={"订单金额": 100.0 + n % 9}, customer_id=f"c{n}")
        for n in range(40)
    ]
    items += [item(f"z{n}", "", product="乙", metrics={"订单金额": 9000.0 + n % 9}) for n in range(40)]
    items.append(item("far", "", product="甲", metrics={"订单金额": 8999.0}))
    result = quality(home, items)
    (row,) = result.data["outliers"]
    assert (row["metric"], row["group"], row["outliers"], row["evidence"]) == ("订单金额", "甲", 1, ["far"])


def test_dates_ahead_and_far_back_are_said(home: Path) -> None:
    items = [*plain(), item("f", "明年的反馈", days=-40), item("o", "十几年前的反馈", days=5000)]
    result = quality(home, items)
    assert (result.data["dates"]["future"], result.data["dates"]["stale"]) == (1, 1)
    assert {"f", "o"} <= set(result.evidence)


def test_satisfaction_that_behaviour_contradicts_is_flagged_with_both_figures(home: Path) -> None:
    items = [
        item(f"s{n}", "", channel=Channel.SURVEY, csat=5 if n % 20 < 17 else 2, customer_id=f"c{n}")
        for n in range(200)
    ]
    items += [
        item(f"u{n}", "", channel=Channel.APP, metrics={"课程完成率": 0.46 if n % 2 else 0.5})
        for n in range(60)
    ]
    result = quality(home, items)
    (pair,) = result.data["contradictions"]
    assert (pair["channel"], pair["satisfied"], pair["rate"]) == ("survey", 0.85, 0.48)
    assert pair["contradicts"] and pair["gap"] == 0.37
    assert any("85%" in doubt and "48%" in doubt and "课程完成率" in doubt for doubt in result.caveats)


def test_satisfaction_that_behaviour_bears_out_is_not_flagged(home: Path) -> None:
    items = [item(f"s{n}", "", channel=Channel.SURVEY, csat=5 if n % 20 < 17 else 2) for n in range(200)]
    context = build(home, items)
    outcomes = [
        Outcome(customer_id=f"c{n}", occurred_at=NOW, outcome="renewed" if n % 10 < 8 else "churned")
        for n in range(100)
    ]
    context.facts.add_outcomes(outcomes)
    result = run_tool("data_quality", {}, context)
    _close(context)
    (pair,) = result.data["contradictions"]
    assert (pair["behaviour"], pair["rate"], pair["contradicts"]) == ("retention_rate", 0.8, False)


def _close(context: ToolContext) -> None:
    context.facts.close()
    context.operations.close()
