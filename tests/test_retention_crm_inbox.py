"""What people change in a CRM: taken over once, by role, decided where both sides changed the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from evals.crm_receivers import OWNERS, Kind
from retention.crm_inbox import CrmRead
from retention.crm_merge import CrmWish
from store.alert_operations import AlertChange
from store.alerts import Alert
from store.errors import NotPermitted, ToolInputError
from store.records import Task, TaskStatus, Tier
from tests.crm_world import CrmWorld, crm_world
from tests.retention_world import NOW

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
EDITS: dict[Kind, dict[str, dict[str, object]]] = {
    "hubspot": {
        "ended": {"hs_task_status": "COMPLETED"},
        "reopened": {"hs_task_status": "IN_PROGRESS"},
        "owner": {"hubspot_owner_id": str(OWNERS["李雷"])},
        "stranger": {"hubspot_owner_id": "9"},
        "due": {"hs_timestamp": "2026-11-30T01:00:00Z"},
        "verdict": {"voiceloop_verdict": "false_alarm", "voiceloop_verdict_reason": "说的是别家"},
    },
    "zendesk": {
        "ended": {"status": "solved"},
        "reopened": {"status": "open"},
        "owner": {"assignee_id": OWNERS["李雷"]},
        "stranger": {"assignee_id": 9},
        "due": {"due_at": "2026-11-30T01:00:00Z"},
        "verdict": {
            "custom": {
                "VoiceLoop verdict": "voiceloop_false_alarm",
                "VoiceLoop verdict reason": "说的是别家",
            }
        },
    },
}


class Polled(CrmWorld):
    kind: Kind

    def edit(self, task_id: str, what: str) -> None:
        self.later(5)
        self.receiver.edit(task_id, **EDITS[self.kind][what])
        self.later()

    def now(self, task_id: str) -> Task:
        task = self.operations.task(task_id)
        assert task is not None
        return task

    def told(self, task_id: str) -> dict[str, str]:
        """Status, owner and deadline as the CRM has them."""
        return self.client._api.find(task_id).values  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(params=["hubspot", "zendesk"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Polled]:
    with crm_world(tmp_path, request.param) as made:
        made.__class__ = Polled
        assert isinstance(made, Polled)
        made.kind = request.param
        yield made


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[CrmWorld]:
    with crm_world(tmp_path, "webhook") as made:
        yield made


def test_what_people_change_there_is_taken_over_once(world: Polled) -> None:
    one = world.task(1)
    world.send()
    for what in ("owner", "due", "ended"):
        world.edit(one, what)
        assert world.inbox.read() == CrmRead(1, 1, 0, 0)
        world.send()
    world.later()
    assert world.inbox.read().changes == 0
    task = world.now(one)
    assert (task.owner, task.status) == ("李雷", TaskStatus.DONE)
    assert f"{task.due_at:%d %H}" == "30 01"
    lines = [line.field for line in world.operations.task_events(one) if line.actor == "crm:hub"]
    assert lines == ["owner", "due_at", "status"]


def test_nothing_comes_back_that_we_have_sent(world: Polled) -> None:
    one = world.task(1)
    world.send()
    world.change(one, owner="李雷", due_at=NOW + timedelta(days=5), status=TaskStatus.DONE)
    world.send()
    world.later()
    assert world.inbox.read() == CrmRead(1, 0, 0, 0)


def test_an_owner_that_the_settings_do_not_name_is_told_by_id(world: Polled) -> None:
    one = world.task(1)
    world.send()
    world.edit(one, "stranger")
    world.inbox.read()
    assert world.now(one).owner == f"{world.kind}:9"


def test_where_both_changed_the_later_counts(world: Polled) -> None:
    theirs, ours = world.task(1), world.task(2)
    world.send()
    world.change(theirs, owner="韩梅")
    world.edit(theirs, "owner")
    world.edit(ours, "owner")
    world.change(ours, owner="韩梅")
    world.send()
    world.later()
    world.inbox.read()
    world.send()
    assert world.now(theirs).owner == "李雷"
    assert world.now(ours).owner == "韩梅"


def test_an_end_stays_whoever_says_so(world: Polled) -> None:
    here, there, both = world.task(1), world.task(2), world.task(3)
    world.send()
    world.change(here, status=TaskStatus.DONE)
    world.send()
    world.edit(here, "reopened")
    assert world.inbox.read().refused == 1
    world.edit(there, "ended")
    world.change(there, comment="还在谈")  # goes out before theirs is read
    world.edit(both, "ended")
    world.change(both, status=TaskStatus.CANCELLED)
    world.send()
    world.later()
    world.inbox.read()
    world.send()
    assert [world.told(one)["status"] for one in (here, there, both)] == ["ended"] * 3
    assert [world.now(one).status.value for one in (here, there, both)] == ["done", "done", "cancelled"]
    assert any("保持结束" in line.after for line in world.operations.task_events(here))


def test_a_change_there_outlives_one_here_of_something_else(world: Polled) -> None:
    one = world.task(1)
    world.send()
    world.edit(one, "owner")
    world.change(one, due_at=NOW + timedelta(days=9))
    world.send()
    assert world.told(one)["owner"] == "李雷"
    world.later()
    world.inbox.read()
    assert (world.now(one).owner, world.now(one).due_at) == ("李雷", NOW + timedelta(days=9))


def test_what_the_role_may_not_do_is_refused_said_and_put_back(world: Polled) -> None:
    one = world.task(1)
    world.send()
    world.change(one, comment="…")
    draft = world.task(2)
    world.send()
    object.__setattr__(world.inbox, "role", "viewer")
    world.edit(draft, "owner")
    assert world.inbox.read().refused == 1
    world.send()
    world.later()
    assert world.inbox.read()[1:] == (0, 0, 0)
    assert world.told(draft)["owner"] == "王芳"
    assert any("未采纳" in line.after for line in world.operations.task_events(draft))


def alert_of(world: CrmWorld, task_id: str) -> str:
    alert = Alert(
        alert_id="alert-1",
        customer_id="c001",
        tier=Tier.RED,
        score=80,
        parts=(),
        causes=("cancel",),
        summary={"zh": "要走", "en": "leaving"},
        owner_role="service_director",
        due_at=NOW,
        created_at=NOW,
        raised_at=NOW,
        updated_at=NOW,
        evidence_until=NOW,
        policy_version=1,
    )
    world.operations.revise_alerts(["c001"], lambda files: [AlertChange(alert)], actor="scan")
    return alert.alert_id


def test_a_verdict_there_counts_once_and_ends_alert_and_task(world: Polled) -> None:
    one = world.task(1, alert_id=alert_of(world, "task-1"))
    world.send()
    world.edit(one, "verdict")
    assert world.inbox.read().verdicts == 1
    world.send()
    world.later()
    assert world.inbox.read().verdicts == 0
    (verdict,) = world.operations.verdicts()
    assert (verdict.by, verdict.verdict, verdict.reason) == ("crm:hub", "false_alarm", "说的是别家")
    assert world.now(one).status is TaskStatus.CANCELLED
    assert world.told(one)["status"] == "ended"


def test_a_page_that_cannot_be_read_is_read_again_from_its_start(world: Polled) -> None:
    one = world.task(1)
    world.send()
    world.edit(one, "owner")
    world.at.faults = ["lost"]
    assert world.inbox.read() == CrmRead()
    assert "cannot be reached" in world.store.reading("hub").detail
    assert world.inbox.read().changes == 1
    assert world.store.reading("hub").detail == ""


def test_many_changed_tasks_are_read_page_by_page(world: Polled) -> None:
    tasks = [world.task(number) for number in range(105)]
    while world.outbox.send_due().arrived:
        pass
    for one in tasks:
        world.receiver.edit(one, **EDITS[world.kind]["ended"])
    world.later()
    seen = world.inbox.read()
    assert seen.changes == 105
    assert all(task.status is TaskStatus.DONE for task in world.operations.tasks())


def test_an_event_sent_twice_has_one_effect(gateway: CrmWorld) -> None:
    one = gateway.task(1)
    gateway.send()
    wish = CrmWish(at=gateway.later(), status=TaskStatus.DONE, comment="电话里谈妥了")
    assert gateway.inbox.take(one, wish, "e-1").changes == 1
    assert gateway.inbox.take(one, wish, "e-1").changes == 0
    comments = [line for line in gateway.operations.task_events(one) if line.field == "comment"]
    assert len(comments) == 1


def test_an_event_broken_off_midway_says_nothing_twice(gateway: CrmWorld) -> None:
    one = gateway.task(1)
    gateway.send()
    wish = CrmWish(at=gateway.later(), comment="明天再打")
    # As a process leaves it that ends between the change and the word that it was dealt with.
    gateway.store.take_in("hub", "e-1", gateway.clock.now())
    gateway.inbox.take(one, wish, "e-0")
    gateway.inbox.take(one, wish, "e-1")
    assert sum(line.field == "comment" for line in gateway.operations.task_events(one)) == 1


def test_an_event_older_than_our_change_does_not_undo_it(gateway: CrmWorld) -> None:
    one = gateway.task(1)
    gateway.send()
    before = gateway.clock.now()
    gateway.change(one, owner="韩梅")
    gateway.inbox.take(one, CrmWish(at=before, owner="李雷"), "e-1")
    task = gateway.operations.task(one)
    assert task is not None
    assert task.owner == "韩梅"


def test_an_event_of_a_task_that_was_never_told_there_or_beyond_the_role_is_refused(
    gateway: CrmWorld,
) -> None:
    with pytest.raises(ToolInputError, match="ever told"):
        gateway.inbox.take("task-9", CrmWish(at=NOW), "e-1")
    one = gateway.task(1)
    gateway.send()
    object.__setattr__(gateway.inbox, "role", "viewer")
    with pytest.raises(NotPermitted):
        gateway.inbox.take(one, CrmWish(at=gateway.later(), owner="李雷"), "e-2")
