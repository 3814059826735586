"""Small stores at the edge of what tools can meet: nothing, one row, nulls, one group, odd values."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from store.alert_operations import AlertChange
from store.alerts import Alert, AlertPart
from store.identity import text_key
from store.records import (
    Channel,
    Feedback,
    Intent,
    LabelledFeedback,
    Labels,
    Sentiment,
    Task,
    TaskStatus,
    Tier,
    TopicLabel,
)
from tests.tools_world import NOW, build
from tools.context import ToolContext

CUSTOMER: Final = "c1"
ALERT: Final = "alert-0000000000000001"
TASK: Final = "task-0000000000000001"
LONG: Final = "长" * 10_000
ODD: Final = (
    'it\'s "quoted"',
    "two\nlines\tand a tab",
    "a|b",
    "a=b",
    "😀👩‍👩‍👧",
    "100%_of{braces}",
    "' OR 1=1 --",
    "-- ; DROP TABLE feedback",
    "[bold]x[/bold]",
    "\u202eright to left",
    LONG,
)
WORDS: Final = "物流太慢了，等了五天才到"
Rows = Sequence[LabelledFeedback]


def _row(number: int, at: datetime | None, **given: Any) -> LabelledFeedback:
    feedback = Feedback(feedback_id=f"e{number:05d}", source="edge", occurred_at=at, **given)
    if not feedback.text:
        return LabelledFeedback(feedback=feedback)
    labels = Labels(
        sentiment=Sentiment.NEGATIVE,
        sentiment_confidence=0.9,
        topics=(TopicLabel(topic="logistics/speed", polarity=Sentiment.NEGATIVE),),
        intent=Intent.COMPLAINT,
        labeller="edge/1",
    )
    return LabelledFeedback(feedback=feedback, labels=labels, text_key=text_key(feedback.text))


def _ago(days: float) -> datetime:
    return (NOW - timedelta(days=days)).astimezone(UTC)


def _one() -> Rows:
    return [_row(0, _ago(3), customer_id=CUSTOMER, nps=3, text=WORDS, region="east", product="P1")]


def _bare() -> Rows:
    return [_row(0, None, attributes={"note": "x"})]


def _nulls() -> Rows:
    """Two months without any region, csat, topic or words; ratings where nothing else is."""
    return [_row(k, _ago(k % 60), customer_id=f"c{k % 9}", rating=1 + k % 5) for k in range(240)]


def _flat(score: float, count: int, **given: Any) -> Rows:
    """Every item says the same and scores the same, spread over 60 days."""
    return [
        _row(
            k,
            _ago((k % 60) + 0.3),
            customer_id=CUSTOMER,
            text=WORDS,
            nps=score,
            channel=Channel.SURVEY,
            region="east",
            product="P1",
            version="1",
            attributes={"campaign": "none"},
            **given,
        )
        for k in range(count)
    ]


def _distinct() -> Rows:
    """A dimension, a customer and a text of its own for every row; all scores at the top."""
    return [
        _row(
            k,
            _ago((k % 60) + 0.3),
            customer_id=f"c{k}",
            text=f"{WORDS}{k}",
            nps=10,
            rating=5,
            region=f"r{k}",
            attributes={"serial": f"s{k}"},
        )
        for k in range(400)
    ]


def _odd() -> Rows:
    """Every odd value in a column, a product, a customer and an attribute's name."""
    return [
        _row(
            k,
            _ago((k % 60) + 0.3),
            customer_id=ODD[k % 10],
            text=f"{ODD[k % 11]} {WORDS}",
            nps=k % 11,
            region=ODD[k % 11],
            product=ODD[(k // 11) % 11],
            attributes={"a|b=c": ODD[k % 11]},
        )
        for k in range(330)
    ]


STORES: Final[Mapping[str, Callable[[], Rows]]] = {
    "empty": list,
    "one": _one,
    "bare": _bare,
    "nulls": _nulls,
    "all_zero": lambda: _flat(0, 1000),
    "all_ten": lambda: _flat(10, 600, rating=5, csat=5, metrics={"amount": 7.0}),
    "distinct": _distinct,
    "odd": _odd,
}


def open_stores(folder: Path) -> dict[str, ToolContext]:
    """All of them, filled."""
    opened = {}
    for name, rows in STORES.items():
        home = folder / name
        home.mkdir()
        opened[name] = build(home, rows(), rates=name != "empty")
        if name != "empty":
            opened[name].operations.revise_alerts([CUSTOMER], lambda files: [_alert()], actor="edge")
    return opened


def _alert() -> AlertChange:
    """An alert on the customer with its task, by ids that tests can name."""
    at = _ago(0.1)
    alert = Alert(
        alert_id=ALERT,
        customer_id=CUSTOMER,
        tier=Tier.CALLBACK,
        score=50,
        parts=(
            AlertPart(signal="base", weight=25, points=25),
            AlertPart(signal="limit", weight=25, points=25),
        ),
        causes=("repeated_negative",),
        evidence=("e00000",),
        summary={"zh": "一线回访：客户反复不满", "en": "call-back: repeated dissatisfaction"},
        owner_role="frontline_manager",
        due_at=at + timedelta(days=1),
        created_at=at,
        raised_at=at,
        updated_at=at,
        evidence_until=at,
        policy_version=1,
    )
    task = Task(
        task_id=TASK,
        alert_id=ALERT,
        customer_id=CUSTOMER,
        tier=alert.tier,
        status=TaskStatus.OPEN,
        owner="一线主管",
        due_at=alert.due_at,
        summary=alert.summary["zh"],
        created_at=at,
        created_by="edge",
    )
    return AlertChange(alert, "opened", task)


def close_stores(opened: Mapping[str, ToolContext]) -> None:
    """Let go of the files."""
    for context in opened.values():
        context.facts.close()
        context.operations.close()
