"""Task changes reach each kind of CRM in order, each with one effect, whatever its receiver does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from evals.crm_receivers import OWNERS, Kind, client
from retention.crm_client import NotTaken
from store.records import TaskStatus, Tier
from tests.crm_world import CrmWorld, crm_world

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
KINDS: tuple[Kind, ...] = ("hubspot", "zendesk", "webhook")


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrmWorld]:
    with crm_world(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def hubspot(tmp_path: Path) -> Iterator[CrmWorld]:
    with crm_world(tmp_path, "hubspot") as made:
        yield made


@pytest.fixture
def zendesk(tmp_path: Path) -> Iterator[CrmWorld]:
    with crm_world(tmp_path, "zendesk") as made:
        yield made


def histories(world: CrmWorld, tasks: int = 3) -> list[str]:
    made = [world.task(number) for number in range(tasks)]
    for one in made:
        world.change(one, owner="李雷", comment="已转交李雷")
        world.change(one, due_at=world.clock.now() + timedelta(days=3))
        world.change(one, comment="客户要求明天再谈")
        world.change(one, status=TaskStatus.DONE, comment="已回电，续约")
    return made


def as_it_should_be(world: CrmWorld, tasks: list[str]) -> None:
    assert world.at.wrong == []
    assert dict(world.receiver.by_task) == {one: world.numbers(one) for one in tasks}
    assert world.store.counts("hub")[:3] == (len(tasks), 0, 0)


FAULTS: dict[str, list[int | str]] = {
    "well": [],
    "answers 500": [500, 500, 500, 500],
    "asks to wait": [429, 503, 429],
    "done, never answered": ["lost"] * 7,
    "now and then": [500, "lost", "unseen", 503, "lost", 429, "unseen", "lost", 500, "lost", "lost"],
    "refuses the key": [401, 403],
}


@pytest.mark.parametrize("faults", FAULTS)
def test_each_change_arrives_once_in_order_whatever_the_receiver_does(world: CrmWorld, faults: str) -> None:
    tasks = histories(world)
    world.at.faults = list(FAULTS[faults])
    world.send()
    as_it_should_be(world, tasks)


def test_a_change_that_is_made_while_another_waits_comes_after_it(world: CrmWorld) -> None:
    one = world.task(1)
    world.at.faults = ["unseen", 500]
    world.outbox.send_due()
    world.change(one, comment="还在等")
    world.change(one, status=TaskStatus.DONE)
    world.send()
    as_it_should_be(world, [one])


def test_a_receiver_that_is_down_is_left_alone_until_it_is_back(world: CrmWorld) -> None:
    tasks = [world.task(number) for number in range(12)]
    world.at.faults = ["unseen"] * 5
    first = world.outbox.send_due()
    assert (first.arrived, first.failed, len(world.at.asked)) == (0, 12, 2)
    world.send()
    as_it_should_be(world, tasks)


def test_an_answer_that_comes_too_late_is_not_an_effect_more(tmp_path: Path) -> None:
    with crm_world(tmp_path, "zendesk", timeout_s=0.2) as world:
        one = world.task(1)
        world.change(one, comment="稍后")
        world.at.late_s, world.at.faults = 0.5, ["late", "late", "late"]
        world.send()
        as_it_should_be(world, [one])


def test_two_processes_that_send_at_once_make_one_effect_each(world: CrmWorld, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    tasks = histories(world, 8)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.outbox.send_due(), range(8)))
    world.send()
    as_it_should_be(world, tasks)


def test_what_is_refused_for_good_is_stuck_and_seen_and_the_others_go_on(world: CrmWorld) -> None:
    stuck, well = world.task(1), world.task(2)
    world.at.faults = [422]
    with capture_logs() as logs:
        sent = world.outbox.send_due()
    assert (sent.stuck, sent.arrived) == (1, 1)
    (told,) = [one for one in logs if one["event"] == "crm_not_taken"]
    assert told["task"] in (stuck, well)
    assert world.at.url not in str(logs)
    assert world.store.counts("hub").stuck == 1
    world.store.retry("hub")
    world.send()
    as_it_should_be(world, [stuck, well])


def test_a_draft_is_not_told_until_it_is_open_nor_what_ended_as_one(world: CrmWorld) -> None:
    draft = world.task(1, status=TaskStatus.PENDING_APPROVAL)
    world.send()
    assert world.receiver.by_task == {}
    world.change(draft, status=TaskStatus.OPEN)
    turned_down = world.task(2, status=TaskStatus.PENDING_APPROVAL)
    world.change(turned_down, status=TaskStatus.REJECTED)
    world.send()
    assert dict(world.receiver.by_task) == {draft: world.numbers(draft)[1:]}


def test_hubspot_has_the_task_as_it_stands(hubspot: CrmWorld) -> None:
    hubspot.receiver.contacts["c001"] = "77"
    one = hubspot.task(1)
    hubspot.change(one, comment="先发资料")
    hubspot.send()
    told = hubspot.receiver.task(one)
    assert "c001" in told["hs_task_subject"]
    assert (told["hs_task_status"], told["hs_task_priority"], told["hs_task_type"]) == (
        "NOT_STARTED",
        "HIGH",
        "CALL",
    )
    assert told["hubspot_owner_id"] == str(OWNERS["王芳"])
    assert told["hs_timestamp"] == "2026-11-22T06:00:00Z"
    assert "&lt;价格&gt;" in told["hs_task_body"]
    assert "先发资料" in told["hs_task_body"]
    assert list(hubspot.receiver.associations.values()) == [["77"]]
    hubspot.change(one, status=TaskStatus.CANCELLED)
    hubspot.send()
    told = hubspot.receiver.task(one)
    assert (told["hs_task_status"], told["voiceloop_status"]) == ("COMPLETED", "cancelled")


def test_zendesk_has_the_ticket_as_it_stands_with_every_comment_once(zendesk: CrmWorld) -> None:
    zendesk.receiver.users["c001"] = 31
    one = zendesk.task(1)
    zendesk.send()
    zendesk.change(one, comment="先发资料")
    zendesk.change(one, comment="客户已读", owner="李雷")
    zendesk.at.faults = ["lost"] * 5
    zendesk.send()
    ticket = zendesk.receiver.ticket(one)
    assert (ticket["status"], ticket["priority"], ticket["type"]) == ("open", "urgent", "task")
    assert (ticket["assignee_id"], ticket["requester_id"]) == (OWNERS["李雷"], 31)
    created, *comments = zendesk.receiver.comments[ticket["id"]]
    assert "先道歉" in created
    assert comments == ["先发资料", "客户已读"]
    zendesk.change(one, status=TaskStatus.DONE)
    zendesk.send()
    assert zendesk.receiver.ticket(one)["status"] == "solved"


def test_a_key_that_zendesk_has_forgotten_makes_no_second_ticket(zendesk: CrmWorld) -> None:
    one = zendesk.task(1)
    zendesk.at.faults = ["done", "done", "done", "lost"]  # look-up, names of fields, customer; the ticket
    zendesk.outbox.send_due()
    assert [ask.method for ask in zendesk.at.asked] == ["GET", "GET", "GET", "POST"]
    assert len(zendesk.receiver.tickets) == 1
    zendesk.clock.at += timedelta(hours=3)
    zendesk.send()
    as_it_should_be(zendesk, [one])
    assert len(zendesk.receiver.tickets) == 1


def test_a_ticket_that_is_closed_for_good_takes_nothing_more_and_blocks_nothing(zendesk: CrmWorld) -> None:
    one = zendesk.task(1)
    zendesk.send()
    zendesk.receiver.edit(one, status="closed")
    zendesk.change(one, status=TaskStatus.DONE, comment="补记")
    zendesk.send()
    assert zendesk.store.counts("hub")[:3] == (1, 0, 0)
    assert zendesk.at.wrong == []


def test_a_task_without_a_deadline_has_a_date_in_hubspot_that_is_not_taken_for_one(hubspot: CrmWorld) -> None:
    one = hubspot.task(1, due_at=None, tier=Tier.YELLOW)
    hubspot.send()
    hubspot.later()
    assert hubspot.inbox.read().changes == 0
    assert hubspot.receiver.task(one)["hs_task_type"] == "TODO"


def test_what_was_deleted_there_is_stuck_until_somebody_wants_it_anew(hubspot: CrmWorld) -> None:
    one = hubspot.task(1)
    hubspot.send()
    hubspot.receiver.tasks.clear()
    hubspot.change(one, comment="还在吗")
    assert hubspot.outbox.send_due().stuck == 1
    assert "deleted" in hubspot.store.links("hub")[0].detail
    hubspot.store.retry("hub", one)
    hubspot.send()
    assert hubspot.receiver.task(one)["voiceloop_change"] == str(hubspot.numbers(one)[-1])


def test_a_request_that_comes_late_and_undoes_a_newer_one_is_put_right(hubspot: CrmWorld) -> None:
    one = hubspot.task(1)
    hubspot.change(one, owner="李雷")
    hubspot.change(one, status=TaskStatus.DONE)
    hubspot.send()
    first, second, last = hubspot.numbers(one)
    # The first attempt at the second change was given up, and carried out only now.
    hubspot.receiver.edit(one, voiceloop_change=str(second), hs_task_status="NOT_STARTED")
    hubspot.later()
    hubspot.inbox.read()
    hubspot.send()
    told = hubspot.receiver.task(one)
    assert (told["voiceloop_change"], told["hs_task_status"]) == (str(last), "COMPLETED")
    assert hubspot.operations.task(one).status is TaskStatus.DONE  # type: ignore[union-attr]
    assert first < second


def test_preparing_twice_makes_everything_once(hubspot: CrmWorld) -> None:
    assert hubspot.client.prepare() == []
    assert hubspot.receiver.made["voiceloop_task_id"]["hasUniqueValue"] is True


def test_what_a_crm_answers_is_not_quoted_beyond_the_errors_name(hubspot: CrmWorld) -> None:
    hubspot.receiver.made.pop("voiceloop_change")
    hubspot.task(1)
    hubspot.outbox.send_due()
    (link,) = hubspot.store.links("hub")
    assert (link.state, link.detail) == ("stuck", "hub answered 400 (VALIDATION_ERROR)")


def test_an_address_that_is_none_says_so(hubspot: CrmWorld) -> None:
    lost = client("hubspot", "http://127.0.0.1:1", hubspot.clock)
    with pytest.raises(NotTaken) as told:
        lost.changed("")
    assert told.value.down
    lost.close()
