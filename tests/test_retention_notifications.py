"""Who is told of an alert, in which words, signed, once, again where it failed, and without secrets in logs."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from structlog.testing import capture_logs

from agent.settings import Settings
from agent.wiring import App, open_app
from retention.alert_notices import AlertNotices
from retention.alert_scan import AlertScan
from retention.aliases import Aliases
from retention.notifier import Notification, NotSent
from retention.notify_targets import Target, notifier_of
from retention.policy import load_policy
from store.clock import FixedClock
from store.deliveries import Delivery
from store.errors import ConfigError
from store.records import Sentiment, Tier
from tests.http_receiver import Receiver, receive
from tests.retention_world import NOW, ZONE, World

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    # apprise imports what it could need for encrypted e-mail.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = SecretStr("whsec_" + base64.b64encode(KEY).decode())
PHONE = "13800138000"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as made:
        yield made


class Teller:
    """An application with one customer's alert, and what it has told."""

    def __init__(self, folder: Path, targets: list[dict[str, Any]]) -> None:
        self.folder, home = folder, folder / "home"
        home.mkdir()
        world = World(home)
        world.says(
            PHONE, 0.1, "客服一直推脱，我要解约", Sentiment.NEGATIVE, signals=("cancel",), org_unit="hq/east"
        )
        world.context()
        world.close()
        (home / "notify.yaml").write_text(yaml.safe_dump({"targets": targets}), encoding="utf-8")
        self.settings = Settings(home=home, notify_secret=SECRET, _env_file=None)

    def open(self, days: float = 0) -> App:
        return open_app(self.settings, FixedClock(NOW + timedelta(days=days)))

    def alert(self) -> list[Delivery]:
        """Raise the alert and tell it; what is to be sent."""
        with self.open() as app:
            notices = AlertNotices(app.operations)
            notices.on_alert("outbox", app.alert_teller.observer(app.notify_targets, app.outbox()))
            AlertScan(app.facts, app.operations, app.clock, ZONE, {}, load_policy).run()
            assert notices.dispatch() == 1
            assert notices.dispatch() == 0
            return app.deliveries.deliveries()


def test_an_alert_goes_to_those_of_its_tier_role_and_units_in_their_language(tmp_path: Path) -> None:
    log = "log://"
    teller = Teller(
        tmp_path,
        [
            {"name": "director", "url": log, "roles": ["service_director"], "languages": ["zh", "en"]},
            {"name": "sales", "url": log, "roles": ["sales"]},
            {"name": "yellow", "url": log, "tiers": ["yellow"]},
            {"name": "east", "url": log, "scope": ["hq/east"], "languages": ["en"]},
            {"name": "west", "url": log, "scope": ["hq/west"]},
        ],
    )
    told = {one.target: one for one in teller.alert()}
    assert set(told) == {"director", "east"}
    assert "红色预警" in told["director"].title and "red alert" in told["director"].title
    assert "解约或取消" in told["director"].text and "cancelling" in told["director"].text
    assert "客服一直推脱，我要解约" in told["east"].text
    assert "2026-11-22 14:00" in told["east"].text  # two hours, in the zone of people
    assert PHONE not in "".join(one.model_dump_json() for one in told.values())


def test_a_webhook_is_signed_and_what_was_sent_is_recorded(tmp_path: Path, receiver: Receiver) -> None:
    teller = Teller(tmp_path, [{"name": "crm", "url": f"webhook+http://{receiver.url}/hooks/s3cret"}])
    teller.alert()
    with teller.open() as app:
        assert app.outbox().send_due() == (1, 0, 0)
        assert app.outbox().send_due() == (0, 0, 0)
        [kept] = app.deliveries.deliveries(state="sent")
    [post] = receiver.posted
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    said = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert post.headers["webhook-signature"] == f"v1,{said}"
    assert post.headers["webhook-id"] == kept.delivery_id
    assert json.loads(post.body)["data"]["tier"] == "red"


def test_what_fails_is_tried_again_and_given_up_in_the_end(tmp_path: Path, receiver: Receiver) -> None:
    teller = Teller(tmp_path, [{"name": "crm", "url": f"webhook+http://{receiver.url}/hooks/s3cret"}])
    teller.alert()
    receiver.statuses = [500, 503]
    with capture_logs() as logs:
        for days, outcome in ((0, (0, 1, 0)), (0.1, (0, 1, 0)), (0.2, (1, 0, 0))):
            with teller.open(days) as app:
                assert app.outbox().send_due() == outcome
    assert [one["reason"] for one in logs] == ["the webhook answered 500", "the webhook answered 503"]
    assert "s3cret" not in str(logs)


def test_what_is_refused_for_good_is_not_sent_again(tmp_path: Path, receiver: Receiver) -> None:
    teller = Teller(tmp_path, [{"name": "crm", "url": f"webhook+http://{receiver.url}/"}])
    teller.alert()
    receiver.statuses = [410]
    with teller.open() as app, capture_logs():
        assert app.outbox().send_due() == (0, 0, 1)
        assert [one.detail for one in app.deliveries.deliveries(state="given_up")] == [
            "the webhook answered 410"
        ]


def test_apprise_delivers_by_its_address(tmp_path: Path, receiver: Receiver) -> None:
    teller = Teller(tmp_path, [{"name": "any", "url": f"json://{receiver.url}/hook"}])
    teller.alert()
    with teller.open() as app:
        assert app.outbox().send_due() == (1, 0, 0)
    said = json.loads(receiver.posted[0].body)
    assert "红色预警" in said["title"] and "解约或取消" in said["message"]


@pytest.mark.parametrize(
    "url",
    [
        "wecombot://11111111-1111-1111-1111-111111111111",
        "dingtalk://0123456789abcdef",
        "feishu://0123456789abcdef0123",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops",
        "mailto://user:password@example.com",
    ],
)  # fmt: skip
def test_the_addresses_of_the_guide_are_understood(url: str) -> None:
    notifier_of(Target(name="x", url=SecretStr(url)), secret=None, clock=FixedClock(NOW))


@pytest.mark.parametrize("statuses", [[500]])
def test_neither_logs_nor_errors_hold_an_address(
    receiver: Receiver, statuses: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    receiver.statuses = statuses
    target = Target(name="any", url=SecretStr(f"json://user:hunter2@{receiver.url}/tok3n"))
    assert "hunter2" not in repr(target)
    with pytest.raises(NotSent) as failed:
        notifier_of(target, secret=None, clock=FixedClock(NOW)).send(
            Notification(notification_id="n", topic="report", subject="s", title="t", text="x")
        )
    assert (
        "tok3n" not in failed.value.message + caplog.text
        and "hunter2" not in failed.value.message + caplog.text
    )


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("nosuch://tok3n", None, "nosuch://"),
        ("webhook+https://example.com/tok3n", None, "VOICELOOP_NOTIFY_SECRET is not set"),
        ("webhook+https://example.com/tok3n", SecretStr("short"), "24 to 64 bytes"),
        ("webhook+ftp://example.com/tok3n", SECRET, "webhook+https://"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_named_by_its_target(url: str, secret: SecretStr | None, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        notifier_of(Target(name="ops", url=SecretStr(url)), secret=secret, clock=FixedClock(NOW))
    assert "ops" in wrong.value.message and said in wrong.value.message
    assert "tok3n" not in wrong.value.message


def test_the_log_is_told_that_there_is_an_alert_and_nothing_of_the_customer() -> None:
    notifier = notifier_of(Target(name="log", url=SecretStr("log://")), secret=None, clock=FixedClock(NOW))
    with capture_logs() as logs:
        notifier.send(
            Notification(
                notification_id="n", topic="alert", subject="a1", tier=Tier.RED, title="t", text="我要解约"
            )
        )
    assert logs == [
        {"event": "notification", "log_level": "warning", "topic": "alert", "subject": "a1", "tier": "red"}
    ]


def test_an_alias_is_the_same_after_a_restart_and_another_in_another_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "one.key", tmp_path / "other.key"
    assert Aliases(one).of(PHONE) == Aliases(one).of(PHONE) != Aliases(other).of(PHONE)
    assert one.stat().st_mode & 0o777 == 0o600
