"""Messages to customers over real stores and loopback channels: what goes, once; what does not, and why."""

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.address_book import AddressBook
from retention.alert_messages import automatic_message
from retention.channel_gateway import GatewayChannel
from retention.channel_mail import MailChannel
from retention.customer_channel import CustomerChannel
from retention.guides import Guide
from retention.holdout import in_holdout
from retention.message_sender import MessageSender, SendReport
from retention.notifier_webhook import signature, signing_key
from retention.policy import Policy, load_policy
from retention.policy_messages_told import messages_told
from retention.policy_outcomes import HoldoutRule, OutcomeRules
from retention.wording import LANGUAGES
from store.alert_operations import AlertChange
from store.alerts import Alert
from store.clock import MovableClock
from store.compensations import Compensation
from store.contacts import Coupon, OptOut
from store.messages import Message, MessageStatus
from store.records import Customer, Outcome, Tier
from store.sqlite_contacts import SqliteContacts
from tests.http_receiver import Receiver, receive
from tests.mail_server import MailServer, mail_server
from tests.retention_world import NOW, ZONE, World, ago

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
GUIDE = Guide.model_validate(
    {
        "topics": ["product/usability"],
        "zh": {"title": "三步完成导出", "address": "https://example.com/zh"},
        "en": {"title": "Export in three steps", "address": "https://example.com/en"},
    }
)
COUPON = Coupon(code="SORRY-1", amount=20, currency="CNY", valid_until=NOW + timedelta(days=30))


class Post:
    """A world with messages to send; the clock can be moved."""

    def __init__(self, home: Path) -> None:
        self.world = World(home)
        self.world.context()
        self.clock = MovableClock(NOW)
        self.contacts = SqliteContacts(home / "operations.sqlite", self.clock)
        self.policy: Policy = load_policy()
        self.guides: tuple[Guide, ...] = ()
        self.channels: dict[str, CustomerChannel] = {}

    def alert(self, customer: str, tier: Tier = Tier.YELLOW, **changes: Any) -> Alert:
        fields: dict[str, Any] = {
            "alert_id": f"alert-{customer}", "customer_id": customer, "tier": tier, "score": 50,
            "parts": (), "causes": ("usability",), "topics": ("product/usability",), "evidence": (),
            "summary": {"zh": "", "en": ""}, "owner_role": "automation", "due_at": NOW, "created_at": NOW,
            "raised_at": NOW, "updated_at": NOW, "evidence_until": NOW, "policy_version": 1,
        }  # fmt: skip
        made = Alert(**{**fields, **changes})
        self.world.operations.revise_alerts([customer], lambda _: [AlertChange(made)], actor="test")
        return made

    def prepare(self, customer: str, **changes: Any) -> Message:
        """The message of a yellow alert, ready to go."""
        made = automatic_message(
            self.alert(customer), None, policy=self.policy, language="zh", now=self.clock.now(), actor="scan"
        )
        assert made is not None
        return self.world.operations.propose_message(made.model_copy(update=changes))

    def send(self, **later: float) -> SendReport:
        self.clock.at += timedelta(**later)
        sender = MessageSender(
            self.contacts, self.world.facts, self.channels, lambda: self.policy, self.clock, ZONE, self.guides
        )
        return sender.run()

    def stands(self, message: Message) -> tuple[str, str]:
        (now,) = [one for one in self.world.operations.messages() if one.message_id == message.message_id]
        return now.status.value, now.reason

    def rules(self, **changes: Any) -> None:
        messages = self.policy.messages.model_copy(update=changes)
        self.policy = self.policy.model_copy(update={"messages": messages})


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path)
    yield made
    made.contacts.close()
    made.world.close()


@pytest.fixture
def gateway(post: Post) -> Iterator[Receiver]:
    with receive() as receiver:
        post.channels["gateway"] = GatewayChannel(f"http://{receiver.url}", SECRET, post.clock)
        yield receiver


@pytest.fixture
def mail(post: Post, tmp_path: Path) -> Iterator[MailServer]:
    with mail_server() as served:
        (tmp_path / "addresses.csv").write_text("customer_id,mail\nc1,c1@example.com\nc2,\n")
        book = AddressBook(tmp_path / "addresses.csv")
        post.channels["mail"] = MailChannel(served.url, "客服 <care@example.org>", book.mail, post.clock)
        yield served


def test_an_automatic_message_goes_once_signed_with_guide_and_coupon(post: Post, gateway: Receiver) -> None:
    post.guides = (GUIDE,)
    post.contacts.add_coupons([COUPON], actor="admin")
    message = post.prepare("c1")
    assert (post.send(), post.send(days=1)) == (SendReport(sent=1), SendReport())
    [got] = gateway.posted
    at = NOW
    assert got.headers["webhook-signature"] == signature(
        signing_key(SECRET), message.message_id, at, got.body
    )
    assert got.headers["webhook-id"] == got.headers["idempotency-key"] == message.message_id
    text = json.loads(got.body)["data"]["text"]
    assert "《三步完成导出》 https://example.com/zh" in text
    assert "20 元" in text and "SORRY-1" in text and "2026 年 12 月 22 日" in text
    [kept] = post.world.operations.messages()
    assert (kept.status, kept.channel, kept.sent_at, kept.text) == (MessageStatus.SENT, "gateway", NOW, text)
    assert "CNY 20" in kept.translation and "Export in three steps" in kept.translation
    assert post.contacts.coupons(given=True)[0].customer_id == "c1"
    deeds = [(one.action, one.detail.get("to")) for one in post.world.operations.audit_entries()]
    assert ("message.status", "sending") in deeds and ("message.status", "sent") in deeds
    assert "SORRY-1" not in str(post.world.operations.audit_entries())


def test_coupons_keep_to_their_caps(post: Post, gateway: Receiver) -> None:
    post.rules(coupons=post.policy.messages.coupons.model_copy(update={"month": 30}))
    big = [COUPON.model_copy(update={"code": f"BIG-{n}", "amount": 50}) for n in range(2)]
    small = [COUPON.model_copy(update={"code": f"C{n}", "amount": 15 + n}) for n in range(5)]
    post.contacts.add_coupons([*big, *small], actor="admin")
    granted = Compensation(
        compensation_id="x", customer_id="helped", conversation_id="v", tier=Tier.YELLOW, kind="credit",
        amount=10, currency="CNY", status="granted", proposed_at=ago(2), proposed_by="li", decided_at=ago(2),
    )  # fmt: skip
    post.world.operations.revise_compensation("helped", lambda _: granted, actor="li")
    for customer in ("a", "b", "helped"):
        post.prepare(customer)
    assert post.send() == SendReport(sent=3)
    # The largest of at most 20, then nothing that would go beyond 30 a month; nobody is made up to twice.
    [given] = post.contacts.coupons(given=True)
    assert given.code == "C4" and given.customer_id in ("a", "b")


def stop_by_opt_out(post: Post) -> None:
    wish = OptOut(customer_id="c1", at=NOW, by="c1")
    assert [post.contacts.opt_out([wish]) for _ in range(2)] == [1, 0]


def stop_by_profile(post: Post) -> None:
    post.world.facts.add_customers([Customer(customer_id="c1", attributes={"退订": "是"})])


def stop_by_red(post: Post) -> None:
    post.alert("c1", Tier.RED)


def stop_by_closing(post: Post) -> None:
    post.world.operations.record_verdict("alert-c1", "false_alarm", "", actor="li")


def stop_by_leaving(post: Post) -> None:
    gone = Outcome(customer_id="c1", occurred_at=NOW + timedelta(minutes=1), outcome="churned")
    post.world.facts.add_outcomes([gone])


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (stop_by_opt_out, "opted_out"),
        (stop_by_profile, "opted_out"),
        (stop_by_red, "stop_tier"),
        (stop_by_closing, "alert_closed"),
        (stop_by_leaving, "left"),
    ],
)
def test_what_ends_a_message_ends_it_at_once_and_for_good(
    post: Post, gateway: Receiver, stop: Callable[[Post], None], reason: str
) -> None:
    message = post.prepare("c1")
    stop(post)
    assert post.send() == SendReport(ended=1)
    assert post.stands(message) == ("cancelled", reason)
    assert (post.send(days=1), gateway.posted) == (SendReport(), [])


def test_quiet_hours_are_the_customers_own_and_a_message_waits_for_their_end(
    post: Post, gateway: Receiver
) -> None:
    # 12:00 in Shanghai is 23:00 of the day before in New York.
    abroad = Customer(customer_id="abroad", attributes={"timezone": "America/New_York"})
    post.world.facts.add_customers([abroad])
    message = post.prepare("abroad")
    post.prepare("here")
    assert post.send() == SendReport(sent=1, waiting=1)
    assert post.stands(message) == ("prepared", "quiet_hours")
    assert post.send(hours=9, minutes=59) == SendReport()
    assert post.send(minutes=1) == SendReport(sent=1)


def test_a_customer_is_written_to_once_a_week_and_what_waits_too_long_expires(
    post: Post, gateway: Receiver
) -> None:
    post.prepare("c1")
    assert post.send() == SendReport(sent=1)
    survey = post.prepare(
        "c1", message_id="message-survey", kind="survey", playbook="ces", tier=None, alert_id=None,
        expires_at=NOW + timedelta(days=8),
    )  # fmt: skip
    other = post.prepare("c1", message_id="message-other", playbook="apologise_and_guide")
    assert post.send() == SendReport(waiting=2)
    assert post.stands(other) == ("prepared", "frequency")
    assert post.send(days=7) == SendReport(sent=1, ended=1)
    assert (post.stands(survey)[0], post.stands(other)) == ("sent", ("cancelled", "expired"))


def test_the_daily_cap_holds_up_the_rest(post: Post, gateway: Receiver) -> None:
    post.rules(most_a_day=2)
    for number in range(3):
        post.prepare(f"c{number}")
    assert post.send() == SendReport(sent=2, waiting=1)
    assert post.send(hours=20) == SendReport(waiting=1)
    assert post.send(hours=4, minutes=1) == SendReport(sent=1)


def test_a_gateway_that_fails_is_tried_again_with_the_same_letter_until_it_is_too_late(
    post: Post, gateway: Receiver
) -> None:
    gateway.statuses = [500, 429]
    message = post.prepare("c1")
    assert post.send() == SendReport(waiting=1)
    assert post.stands(message) == ("prepared", "not_reached")
    assert (post.send(minutes=2), post.send(minutes=6)) == (SendReport(waiting=1), SendReport(sent=1))
    bodies = {one.body for one in gateway.posted}
    assert len(gateway.posted) == 3 and len(bodies) == 1
    gateway.statuses = [410]
    refused = post.prepare("c2")
    assert (post.send(), post.stands(refused)) == (SendReport(failed=1), ("failed", "not_reached"))


def test_what_a_dead_sender_left_is_posted_again_with_the_same_id_but_never_mailed_again(
    post: Post, gateway: Receiver, mail: MailServer
) -> None:
    lent = {"status": MessageStatus.SENDING, "attempts": 1, "next_at": NOW + timedelta(minutes=5)}
    posted = post.prepare("c1", channel="gateway", **lent)
    mailed = post.prepare("c2", channel="mail", **lent)
    assert post.send(minutes=4) == SendReport()
    assert post.send(minutes=1) == SendReport(sent=1, unsure=1)
    assert [one.headers["webhook-id"] for one in gateway.posted] == [posted.message_id]
    assert (post.stands(mailed), mail.mails) == (("failed", "unsure"), [])


def test_mail_is_sent_whole_and_an_end_in_the_text_is_not_guessed_about(post: Post, mail: MailServer) -> None:
    post.prepare("c1")
    unreached = post.prepare("c2")
    assert post.send() == SendReport(sent=1, waiting=1)
    assert post.stands(unreached) == ("prepared", "no_address")
    [got] = mail.mails
    assert got["To"] == "c1@example.com" and "使用" in str(got["Subject"])
    assert got["Message-ID"].startswith("<message-") and got["Auto-Submitted"] == "auto-generated"
    assert got.get_content().startswith("您好，您关于")
    mail.end = ""
    unsure = post.prepare("c1", message_id="message-2", kind="survey", expires_at=NOW + timedelta(days=30))
    assert (post.send(days=8), post.stands(unsure)) == (
        SendReport(unsure=1, ended=1),
        ("failed", "unsure"),
    )
    assert post.send(days=1) == SendReport()


@pytest.mark.parametrize(
    ("answers", "report"),
    [({"rcpt": "550 no such"}, SendReport(failed=1)), ({"end": "451 later"}, SendReport(waiting=1))],
)
def test_mail_that_is_refused_has_not_arrived(
    post: Post, mail: MailServer, answers: dict[str, str], report: SendReport
) -> None:
    vars(mail).update(answers)
    message = post.prepare("c1")
    assert post.send() == report
    [kept] = post.world.operations.messages()
    assert kept.reason == "not_reached" and "example.com" not in kept.detail
    assert message.message_id == kept.message_id


def test_an_opt_out_of_one_channel_leaves_the_other(post: Post, gateway: Receiver, mail: MailServer) -> None:
    post.contacts.opt_out([OptOut(customer_id="c1", channel="gateway", at=NOW, by="c1")])
    post.prepare("c1")
    assert post.send() == SendReport(sent=1)
    assert (gateway.posted, len(mail.mails)) == ([], 1)
    assert post.contacts.opt_in("c1", "gateway", actor="li") and post.contacts.opt_outs() == []


def test_without_a_channel_nothing_goes_and_says_so(post: Post) -> None:
    message = post.prepare("c1")
    assert (post.send(), post.stands(message)) == (SendReport(waiting=1), ("prepared", "no_channel"))


def test_a_customer_held_out_gets_no_automatic_message_and_it_says_why(post: Post, gateway: Receiver) -> None:
    half = OutcomeRules(holdout=HoldoutRule(share=0.5))
    post.policy = post.policy.model_copy(update={"outcomes": half})
    held = next(f"c{n}" for n in range(99) if in_holdout(f"c{n}", half.holdout))
    reached = next(f"c{n}" for n in range(99) if not in_holdout(f"c{n}", half.holdout))
    kept_back, goes = post.prepare(held), post.prepare(reached)
    assert post.send() == SendReport(sent=1, ended=1)
    assert post.stands(kept_back) == ("cancelled", "holdout")
    assert post.stands(goes)[0] == "sent"


def test_a_segment_may_have_rules_of_its_own(post: Post, gateway: Receiver) -> None:
    segment = {
        "name": "大客户",
        "who": {"tier": "gold"},
        "change": {"messages": {"quiet_hours": {"from": "11:00", "to": "13:00"}, "most_a_day": 9}},
    }
    content = post.policy.model_dump(mode="json") | {"segments": [segment]}
    post.policy = Policy.model_validate(content)
    post.world.facts.add_customers([Customer(customer_id="gold", tier="gold")])
    message = post.prepare("gold")
    post.prepare("plain")
    assert (post.send(), post.stands(message)) == (
        SendReport(sent=1, waiting=1),
        ("prepared", "quiet_hours"),
    )


def test_two_senders_at_once_send_each_message_once(post: Post, gateway: Receiver) -> None:
    for number in range(12):
        post.prepare(f"c{number}")
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: post.send(), range(2)))
    assert sum(one.sent for one in reports) == 12
    assert len({one.headers["webhook-id"] for one in gateway.posted}) == len(gateway.posted) == 12


def test_a_stop_after_a_crash_does_not_claim_that_nothing_went(post: Post, gateway: Receiver) -> None:
    message = post.prepare("c1", status=MessageStatus.SENDING, channel="gateway", attempts=1, next_at=NOW)
    post.contacts.opt_out([OptOut(customer_id="c1", at=NOW, by="c1")])
    assert (post.send(), post.stands(message)) == (SendReport(unsure=1), ("failed", "unsure"))
    assert gateway.posted == []


def test_the_policy_says_in_both_languages_when_customers_are_written_to() -> None:
    zh, en = (" ".join(messages_told(load_policy(), language)) for language in LANGUAGES)
    assert "21:00 至 09:00 不打扰" in zh and "同一客户 7 天内最多收到 1 条消息" in zh
    assert "at most 1 message(s) within 7 days" in en and "20 CNY" in en
