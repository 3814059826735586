"""Surveys after key occasions: who is asked what, once; who is spared; what becomes of the question."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from retention.policy import Policy, load_policy
from retention.policy_surveys import SurveyRules
from retention.policy_surveys_told import surveys_told
from retention.survey_asking import AskReport, SurveyAsking
from retention.wording import LANGUAGES
from store.alert_operations import AlertChange
from store.clock import MovableClock
from store.contacts import OptOut
from store.messages import MessageStatus
from store.records import Channel, Customer, Outcome, Sentiment, Tier
from store.sqlite_contacts import SqliteContacts
from store.sqlite_surveys import SqliteSurveys
from tests.retention_world import NOW, ZONE, World, ago
from tests.test_retention_message_sender import Post

HOUR = 1 / 24
SERVICE: dict[str, Any] = {
    "name": "after_service",
    "kind": "csat",
    "after": {"said": {"channel": ["chat", "ticket"]}},
    "wait_hours": 2,
    "about": {"zh": "客服沟通", "en": "a contact with our service"},
}
BOUGHT = {
    **SERVICE,
    "name": "after_purchase",
    "kind": "nps",
    "after": {"did": ["purchase"]},
    "wait_hours": 24,
}


class Desk:
    """A world whose customers can be asked; the clock can be moved."""

    def __init__(self, home: Path) -> None:
        self.world = World(home)
        self.clock = MovableClock(NOW)
        self.contacts = SqliteContacts(home / "operations.sqlite", self.clock)
        self.surveys = SqliteSurveys(home / "operations.sqlite", self.clock)
        self.rules: dict[str, Any] = {"active": True, "nodes": [SERVICE]}

    def policy(self) -> Policy:
        return load_policy().model_copy(update={"surveys": SurveyRules.model_validate(self.rules)})

    def talked(self, customer: str, hours: float, **fields: Any) -> str:
        given = {"channel": Channel.CHAT, "language": "zh", **fields}
        return self.world.says(customer, hours * HOUR, "这件事办得有点慢", Sentiment.NEUTRAL, **given)

    def asking(self) -> SurveyAsking:
        self.world.context()
        return SurveyAsking(
            facts=self.world.facts,
            operations=self.world.operations,
            contacts=self.contacts,
            surveys=self.surveys,
            policies=self.policy,
            clock=self.clock,
            zone=ZONE,
            language="zh",
        )

    def ask(self) -> AskReport:
        return self.asking().run()

    def close(self) -> None:
        self.surveys.close()
        self.contacts.close()
        self.world.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_conversation_is_asked_about_once_when_it_is_over(desk: Desk) -> None:
    desk.talked("c1", 9, conversation_id="v1", region="广东", product="电饭煲")
    last = desk.talked("c1", 5, conversation_id="v1", region="广东", product="电饭煲", org_unit="hq/广东")
    desk.talked("c2", 1)
    assert desk.ask() == AskReport(occasions=1, asked=1)
    assert desk.ask() == AskReport(occasions=1)
    ((survey, status),) = desk.surveys.surveys()
    assert (survey.customer_id, survey.node, survey.kind, survey.occasion) == (
        "c1",
        "after_service",
        "csat",
        last,
    )
    assert survey.about == {"region": "广东", "product": "电饭煲", "org_unit": "hq/广东"}
    (message,) = desk.world.operations.messages()
    assert (message.message_id, message.kind, message.status) == (survey.survey_id, "survey", status)
    assert status is MessageStatus.PREPARED
    assert "2026-11-22您有过一次客服沟通。" in message.text and "1 非常不满意，5 非常满意" in message.text
    assert "a contact with our service on 2026-11-22" in message.translation
    assert message.expires_at == survey.occasion_at + timedelta(hours=74)
    desk.clock.at += timedelta(hours=2)
    assert desk.ask() == AskReport(occasions=2, asked=1)
    desk.world.operations.verify_audit()


def test_nothing_is_asked_before_a_company_wants_it(desk: Desk) -> None:
    desk.talked("c1", 5)
    assert not load_policy().surveys.active and load_policy().surveys.nodes
    desk.rules = {**desk.rules, "active": False}
    assert desk.ask() == AskReport() and desk.surveys.surveys() == []


def test_purchases_and_outcomes_are_occasions_too(desk: Desk) -> None:
    renewed = {**BOUGHT, "name": "after_renewal", "after": {"outcome": ["renewed"]}, "wait_hours": 1}
    desk.rules["nodes"] = [BOUGHT, renewed]
    desk.world.does("c1", 30 * HOUR, "purchase")
    desk.world.does("c2", 30 * HOUR, "page_view")
    desk.world.does("c3", 3 * HOUR, "purchase")
    desk.world.facts.add_outcomes([Outcome(customer_id="c4", occurred_at=ago(5 * HOUR), outcome="renewed")])
    desk.world.facts.add_customers([Customer(customer_id="c1", tier="gold")])
    assert desk.ask().asked == 2
    asked = {one.survey.customer_id: one.survey for one in desk.surveys.surveys()}
    assert set(asked) == {"c1", "c4"} and asked["c1"].about == {"tier": "gold"}


def test_who_was_asked_lately_is_spared_unless_the_question_never_arrived(desk: Desk) -> None:
    desk.rules |= {"fatigue": {"days": 10, "most_a_year": 2}, "valid_hours": 24}
    desk.talked("c1", 5)
    assert desk.ask().asked == 1
    desk.talked("c1", 4)
    assert desk.ask() == AskReport(occasions=2, tired=1)
    (first,) = desk.world.operations.messages()
    desk.world.operations.set_message_status(first.message_id, MessageStatus.CANCELLED, actor="test")
    assert desk.ask() == AskReport(occasions=2, asked=1)
    for days in (11, 22):
        desk.clock.at += timedelta(days=11)
        desk.talked("c1", -days * 24 + 5)
        assert desk.ask().asked == (days == 11)
    assert desk.ask().tired == 1


def test_no_more_than_a_day_allows_the_oldest_first(desk: Desk) -> None:
    desk.rules["most_a_day"] = 2
    for number, hours in enumerate((5, 30, 20)):
        desk.talked(f"c{number}", hours)
    assert desk.ask() == AskReport(occasions=3, asked=2, most_a_day=1)
    assert {one.survey.customer_id for one in desk.surveys.surveys()} == {"c1", "c2"}
    desk.clock.at += timedelta(hours=25)
    assert desk.ask().asked == 1


def test_a_share_is_drawn_by_lot_and_the_draw_stands(desk: Desk) -> None:
    desk.rules |= {"nodes": [{**SERVICE, "share": 0.3}], "most_a_day": 1000}
    for number in range(300):
        desk.talked(f"c{number}", 5 + number / 100)
    first = desk.ask()
    assert first.occasions == 300 and first.asked + first.not_drawn == 300
    assert 60 <= first.asked <= 120
    assert desk.ask() == AskReport(occasions=300, not_drawn=first.not_drawn)


def test_who_wants_nothing_has_left_or_is_being_called_is_not_asked(desk: Desk, tmp_path: Path) -> None:
    for customer in ("no", "gone", "called", "fine", "by_file"):
        desk.talked(customer, 5)
    desk.world.context()
    desk.contacts.opt_out([OptOut(customer_id="no", at=NOW, by="test")])
    desk.world.facts.add_customers([Customer(customer_id="by_file", attributes={"退订": "是"})])
    desk.world.facts.add_outcomes([Outcome(customer_id="gone", occurred_at=ago(1), outcome="churned")])
    (tmp_path / "post").mkdir()
    post = Post(tmp_path / "post")
    alert = post.alert("called", Tier.ORANGE)
    post.world.close()
    desk.world.operations.revise_alerts(["called"], lambda _: [AlertChange(alert)], actor="test")
    assert desk.ask() == AskReport(occasions=5, asked=1, unwanted=3, in_care=1)
    assert [one.survey.customer_id for one in desk.surveys.surveys()] == ["fine"]


def test_several_who_ask_at_once_ask_once(desk: Desk) -> None:
    desk.talked("c1", 5)
    desk.talked("c1", 6)
    asking = desk.asking()
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: asking.run(), range(8)))
    assert sum(one.asked for one in reports) == 1
    assert len(desk.surveys.surveys()) == len(desk.world.operations.messages()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"question": {"zh": "您是否喜欢我们的服务？", "en": "How was it?"}},
        {"question": {"zh": "这次体验如何？"}},
        {"after": {}},
        {"after": {"said": {"channel": "chat"}, "did": ["purchase"]}},
        {"share": 1.2},
    ],
)
def test_a_node_that_makes_no_sense_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SurveyRules.model_validate({"nodes": [{**SERVICE, **change}]})


def test_a_companys_own_question_is_asked(desk: Desk) -> None:
    own = {"zh": "哪些功能让您愿意推荐我们？", "en": "Which features would make you recommend us?"}
    desk.rules["nodes"] = [{**SERVICE, "question": own}]
    desk.talked("c1", 5, language="en")
    desk.ask()
    (message,) = desk.world.operations.messages()
    assert message.language == "en" and own["en"] in message.text and own["zh"] in message.translation


def test_the_policy_tells_who_is_asked(desk: Desk) -> None:
    assert list(surveys_told(load_policy(), "zh")) == ["不主动发问卷。"]
    desk.rules |= {"nodes": [{**SERVICE, "share": 0.25}, BOUGHT]}
    zh, en = (list(surveys_told(desk.policy(), language)) for language in LANGUAGES)
    assert "之后 2 小时，随机抽 25% 问一次 CSAT（after_service）。" in zh[0]
    assert en[1] == "24 hours after a customer's “purchase” the customer is asked for NPS (after_purchase)."
    assert "90" in en[2] and len(zh) == len(en) == 4
