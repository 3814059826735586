"""Tasks in a real store, a CRM's stand-in, and what sends the one to the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from evals.crm_receivers import Kind, client, receiver_of
from evals.crm_stand_in import StandIn, serving
from retention.crm_inbox import CrmInbox
from retention.crm_outbox import CrmOutbox, CrmSent
from retention.policy import load_policy
from store.clock import MovableClock
from store.records import Task, TaskStatus, Tier
from store.sqlite_crm import SqliteCrm
from store.sqlite_operations import SqliteOperationStore
from store.task_changes import TaskChange
from tests.retention_world import NOW


class CrmWorld:
    """`hub` is one CRM of that kind; `receiver` is what it is, `at` the address that it is reached by."""

    def __init__(
        self, home: Path, kind: Kind, receiver: Any, at: StandIn, clock: MovableClock, timeout_s: float
    ) -> None:
        self.clock, self.receiver, self.at = clock, receiver, at
        self.operations = SqliteOperationStore(home / "operations.sqlite", clock)
        self.store = SqliteCrm(home / "operations.sqlite", clock)
        self.client = client(kind, at.url, clock, timeout_s)
        self.outbox = CrmOutbox("hub", self.client, self.store, clock)
        self.inbox = CrmInbox(
            "hub", "manager", self.client, self.store, self.operations, load_policy, clock, "zh"
        )
        self.store.claim("hub", clock.now())  # from now on

    def task(self, number: int, **values: Any) -> str:
        told: dict[str, Any] = {
            "task_id": f"task-{number}",
            "customer_id": f"c{number:03d}",
            "tier": Tier.RED,
            "status": TaskStatus.OPEN,
            "owner": "王芳",
            "due_at": self.clock.now() + timedelta(hours=2),
            "summary": "客户说要解约：<价格> 太高",
            "advice": "先道歉，再谈价值",
            "created_at": self.clock.now(),
            "created_by": "scan",
        }
        return self.operations.propose_task(Task.model_validate(told | values)).task_id

    def change(self, task_id: str, **values: Any) -> None:
        self.clock.at += timedelta(seconds=2)
        self.operations.change_task(task_id, TaskChange.model_validate(values), actor="陈静")

    def numbers(self, task_id: str) -> list[int]:
        return [one.number for one in self.store.changes(task_id, after=0)]

    def send(self, rounds: int = 40, step: timedelta = timedelta(hours=1)) -> list[CrmSent]:
        """Rounds until nothing waits any more."""
        done = []
        for _ in range(rounds):
            done.append(self.outbox.send_due())
            if not self.store.links("hub", pending=True):
                return done
            self.clock.at += step
        return done

    def later(self, seconds: float = 90) -> datetime:
        self.clock.at += timedelta(seconds=seconds)
        return self.clock.at

    def close(self) -> None:
        self.client.close()
        self.store.close()
        self.operations.close()


@contextmanager
def crm_world(home: Path, kind: Kind, timeout_s: float = 10.0) -> Iterator[CrmWorld]:
    clock = MovableClock(NOW)
    receiver, schema = receiver_of(kind, clock)
    with serving(receiver, schema) as at:
        world = CrmWorld(home, kind, receiver, at, clock, timeout_s)
        world.client.prepare()
        at.asked.clear()
        try:
            yield world
        finally:
            world.close()
