"""The feed of task changes: written with the change, whatever makes it; and how far a CRM has come with it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from store.clock import FixedClock
from store.crm import LeaseOver
from store.models import REVISION
from store.records import Task, TaskStatus
from store.sqlite_crm import SqliteCrm
from store.sqlite_operations import SqliteOperationStore
from store.task_changes import TaskChange
from store.task_lines import TaskBoard, TaskRevision
from tests.retention_world import NOW

FILE = "operations.sqlite"


class Stores:
    def __init__(self, home: Path) -> None:
        self.clock = FixedClock(NOW)
        self.operations = SqliteOperationStore(home / FILE, self.clock)
        self.crm = SqliteCrm(home / FILE, self.clock)

    def task(self, number: int, status: TaskStatus = TaskStatus.OPEN) -> str:
        task = Task(
            task_id=f"task-{number}",
            status=status,
            owner="销售",
            summary="客户要走",
            created_at=NOW,
            created_by="scan",
        )
        return self.operations.propose_task(task).task_id

    def change(self, task_id: str, **values: object) -> None:
        self.operations.change_task(task_id, TaskChange.model_validate(values), actor="王芳")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    made = Stores(tmp_path)
    yield made
    made.operations.close()
    made.crm.close()


def test_each_change_is_fed_once_with_what_changed_and_how_the_task_stood(stores: Stores) -> None:
    one = stores.task(1)
    stores.change(one, owner="李雷", comment="已转交", due_at=NOW + timedelta(days=1))
    stores.change(one, owner="李雷")  # changes nothing
    stores.change(one, status=TaskStatus.DONE, comment="已回电")
    created, moved, done = stores.crm.changes(one, after=0)
    assert (created.actor, created.task.version) == ("scan", 1)
    assert "summary" in created.fields
    assert set(moved.fields) == {"owner", "due_at", "placed_at"}
    assert (moved.actor, moved.comments, moved.task.owner) == ("王芳", ("已转交",), "李雷")
    assert (done.fields, done.comments, done.task.status) == (("status",), ("已回电",), TaskStatus.DONE)
    assert created.number < moved.number < done.number


def test_what_is_decided_about_all_tasks_is_fed_too(stores: Stores) -> None:
    one = stores.task(1)

    def decide(board: TaskBoard) -> list[TaskRevision]:
        return [TaskRevision(line.task_id, owner="韩梅", placed=True) for line in board.undone]

    stores.operations.revise_tasks(decide, since=NOW, actor="tending")
    assert [change.actor for change in stores.crm.changes(one, after=0)] == ["scan", "tending"]


def test_a_change_that_is_not_committed_is_not_fed(stores: Stores) -> None:
    one = stores.task(1)

    def fails(board: TaskBoard) -> list[TaskRevision]:
        return [TaskRevision(one, owner="韩梅"), TaskRevision("none such", owner="韩梅")]

    with pytest.raises(sa.exc.NoResultFound):
        stores.operations.revise_tasks(fails, since=NOW, actor="tending")
    assert len(stores.crm.changes(one, after=0)) == 1
    assert stores.operations.task(one).owner == "销售"  # type: ignore[union-attr]


def test_a_task_is_lent_to_one_at_a_time_and_a_late_word_does_not_count(stores: Stores) -> None:
    one = stores.task(1)
    (link,) = stores.crm.claim("hub", NOW)
    assert stores.crm.claim("hub", NOW) == []
    later = NOW + timedelta(minutes=3)
    (again,) = stores.crm.claim("hub", later)
    with pytest.raises(LeaseOver):
        stores.crm.arrived(link, link.last, "r1")
    stores.crm.give_back(stores.crm.arrived(again, again.last, "r1"))
    assert stores.crm.claim("hub", later + timedelta(days=1)) == []
    kept = stores.crm.link("hub", one)
    assert kept is not None
    assert (kept.remote_id, kept.sent) == ("r1", kept.last)


def test_a_new_crm_begins_with_what_is_undone_as_it_stands(stores: Stores) -> None:
    ended, undone = stores.task(1), stores.task(2)
    stores.change(ended, status=TaskStatus.DONE)
    stores.change(undone, owner="李雷")
    (link,) = stores.crm.claim("hub", NOW)
    assert link.task_id == undone
    assert [one.task.owner for one in stores.crm.changes(undone, after=link.sent)] == ["李雷"]


def test_what_is_stuck_waits_for_a_person_and_is_counted(stores: Stores) -> None:
    one = stores.task(1)
    (link,) = stores.crm.claim("hub", NOW)
    stores.crm.failed(link, "refused", None)
    stores.change(one, owner="李雷")
    assert stores.crm.claim("hub", NOW + timedelta(days=1)) == []
    assert stores.crm.counts("hub")[:3] == (0, 0, 1)
    assert stores.crm.retry("hub") == 1
    assert [one.task_id for one in stores.crm.claim("hub", NOW)] == [one]


def test_an_event_that_was_dealt_with_is_not_taken_again(stores: Stores) -> None:
    assert stores.crm.take_in("hub", "e1", NOW)
    assert stores.crm.take_in("hub", "e1", NOW)  # broken off before it was dealt with
    stores.crm.taken_in("hub", "e1", NOW)
    assert not stores.crm.take_in("hub", "e1", NOW)


def test_a_store_from_before_feeds_its_undone_tasks_as_they_stand(tmp_path: Path) -> None:
    before = Stores(tmp_path)
    ended, undone = before.task(1), before.task(2)
    before.change(ended, status=TaskStatus.DONE)
    before.change(undone, owner="李雷", due_at=NOW + timedelta(days=2), comment="早先说的")
    before.operations.close()
    before.crm.close()
    engine = sa.create_engine(f"sqlite:///{tmp_path / FILE}")
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "store/migrations")
        command.downgrade(config, "0018")
        connection.commit()
    engine.dispose()
    after = Stores(tmp_path)
    (link,) = after.crm.claim("hub", NOW)
    (stands,) = after.crm.changes(undone, after=link.sent)
    assert stands.task == after.operations.task(undone)
    after.change(undone, status=TaskStatus.DONE)
    assert after.crm.changes(undone, after=stands.number)[0].fields == ("status",)
    assert after.crm.changes(ended, after=0) == []
    after.operations.close()
    after.crm.close()
    assert int(REVISION) >= 19
