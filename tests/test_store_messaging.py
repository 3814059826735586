"""The inbox keeps each event once; deliveries are lent to one caller and tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.deliveries import Delivery
from store.inbox import Incoming, ThreadLink
from store.sqlite_deliveries import SqliteDeliveries
from store.sqlite_inbox import SqliteInbox

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[SqliteInbox]:
    store = SqliteInbox(tmp_path / "operations.sqlite")
    yield store
    store.close()


@pytest.fixture
def deliveries(tmp_path: Path) -> Iterator[SqliteDeliveries]:
    store = SqliteDeliveries(tmp_path / "operations.sqlite")
    yield store
    store.close()


def event(event_id: str = "Ev1", at: datetime = NOW) -> Incoming:
    return Incoming(
        source="slack", event_id=event_id, kind="question", payload={"text": "NPS?"}, received_at=at
    )


def test_an_event_is_kept_once_and_what_it_said_is_forgotten_when_it_is_dealt_with(
    inbox: SqliteInbox,
) -> None:
    assert [inbox.take(event()) for _ in range(3)] == [True, False, False]
    assert inbox.begin("slack", "Ev1") == 1
    inbox.note("slack", "Ev1", turns_before=2)
    inbox.note("slack", "Ev1", reply={"ts": "1.1"})
    (kept,) = inbox.waiting("slack")
    assert (kept.turns_before, kept.reply, kept.attempts) == (2, {"ts": "1.1"}, 1)
    assert inbox.waiting("feishu") == []
    inbox.settle("slack", "Ev1", "done")
    assert inbox.waiting("slack") == []
    assert not inbox.take(event())


def test_old_events_are_forgotten_but_never_one_that_waits(inbox: SqliteInbox) -> None:
    inbox.take(event("done"))
    inbox.settle("slack", "done", "done")
    inbox.take(event("open"))
    inbox.take(event("new", NOW + timedelta(days=15)))
    assert [one.event_id for one in inbox.waiting("slack")] == ["open", "new"]
    assert inbox.take(event("done"))


def test_threads_are_linked_by_person(inbox: SqliteInbox) -> None:
    link = ThreadLink(
        source="slack", room="C1", thread="1.1", user="li", role="viewer", scope=("hq/east",),
        thread_id="slack-C1-1.1", linked_at=NOW,
    )  # fmt: skip
    inbox.link(link)
    inbox.link(link)
    inbox.link(link.model_copy(update={"user": "wu", "scope": (), "linked_at": NOW + timedelta(seconds=1)}))
    assert [one.user for one in inbox.links("slack", "C1", "1.1")] == ["li", "wu"]
    assert inbox.links("slack", "C1", "1.1")[0] == link
    assert inbox.links("slack", "C2", "1.1") == []


def delivery(delivery_id: str = "d1") -> Delivery:
    return Delivery(
        delivery_id=delivery_id, target="ops", subject="alert-1", tier="red", title="t", text="x",
        created_at=NOW, next_at=NOW,
    )  # fmt: skip


def test_a_delivery_is_kept_once_and_lent_to_one_caller(deliveries: SqliteDeliveries) -> None:
    assert deliveries.add([delivery(), delivery("d2")]) == 2
    assert deliveries.add([delivery()]) == 0
    assert len(deliveries.claim(NOW)) == 2
    assert deliveries.claim(NOW + timedelta(seconds=60)) == []
    # Whoever held it has ended without a word.
    (again, _) = deliveries.claim(NOW + timedelta(seconds=121))
    assert again.attempts == 2


def test_a_delivery_that_fails_is_tried_again_then_given_up(deliveries: SqliteDeliveries) -> None:
    deliveries.add([delivery()])
    deliveries.claim(NOW)
    deliveries.failed("d1", "refused", NOW + timedelta(minutes=5))
    assert deliveries.claim(NOW + timedelta(minutes=4)) == []
    assert len(deliveries.claim(NOW + timedelta(minutes=5))) == 1
    deliveries.failed("d1", "refused", None)
    assert deliveries.claim(NOW + timedelta(days=1)) == []
    assert [(one.state, one.detail) for one in deliveries.deliveries(state="given_up")] == [
        ("given_up", "refused")
    ]


def test_what_was_sent_is_recorded(deliveries: SqliteDeliveries) -> None:
    deliveries.add([delivery()])
    deliveries.claim(NOW)
    deliveries.sent("d1", NOW)
    assert deliveries.deliveries(state="sent")[0].sent_at == NOW
    assert deliveries.claim(NOW + timedelta(days=1)) == []
