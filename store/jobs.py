"""Work that the server does beside its requests: schedules, and runs that survive a killed process."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import AwareDatetime, Field

from store.errors import StoreError
from store.record import Record

JobState = Literal["queued", "running", "done", "failed", "stopped"]
ENDED: tuple[JobState, ...] = ("done", "failed", "stopped")


class LeaseLost(StoreError):
    """The run was stopped for silence and may be another worker's now."""


class JobRun(Record):
    """One run of a job.

    Of the runs of one `lane` only one goes at a time. A worker that runs one holds it until `held_until`
    and says again and again that it lives; one that falls silent loses it, and the run is begun again
    (`attempts`), for jobs are idempotent. `done` of `total` (None: not known) are steps of `stage`.
    """

    run_id: str
    kind: str
    lane: str
    schedule: str = ""
    args: dict[str, Any] = Field(default_factory=dict)
    state: JobState = "queued"
    requested_by: str
    scope: tuple[str, ...] = ()
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    done: int = 0
    total: int | None = None
    stage: str = ""
    attempts: int = 0
    stop_requested: bool = False
    held_by: str = ""
    held_until: AwareDatetime | None = None
    result: dict[str, Any] = Field(default_factory=dict)
    detail: str = ""


class JobSchedule(Record):
    """When a job of a kind is due: five fields of cron, in the configured zone; `next_at` in UTC."""

    name: str
    kind: str
    args: dict[str, Any] = Field(default_factory=dict)
    cron: str
    enabled: bool = True
    next_at: AwareDatetime
    changed_by: str
    changed_at: AwareDatetime


class JobStore(Protocol):
    """Runs and schedules. Every write is one durable transaction."""

    def submit(self, run: JobRun) -> JobRun:
        """Keep a run, or return the one of that id that is kept already."""
        ...

    def claim(self, worker: str, now: datetime, *, lease_s: float) -> JobRun | None:
        """The oldest run that waits, or whose worker fell silent, in a lane where none goes."""
        ...

    def beat(
        self,
        run_id: str,
        worker: str,
        now: datetime,
        *,
        lease_s: float,
        done: int,
        total: int | None,
        stage: str,
    ) -> bool:
        """Say that a run goes on and how far it is; whether it should stop. Raises LeaseLost."""
        ...

    def finish(
        self,
        run_id: str,
        worker: str,
        state: JobState,
        now: datetime,
        *,
        result: Mapping[str, Any],
        detail: str,
    ) -> JobRun:
        """End a run, or hand it back (`queued`). Raises LeaseLost."""
        ...

    def stop(self, run_id: str, now: datetime) -> JobRun | None:
        """Stop a run: at once where it waits, else when its worker next beats; None where there is none."""
        ...

    def run(self, run_id: str) -> JobRun | None:
        """One run."""
        ...

    def runs(
        self, *, kind: str | None = None, state: JobState | None = None, limit: int = 50, offset: int = 0
    ) -> list[JobRun]:
        """Runs, newest first."""
        ...

    def schedules(self) -> list[JobSchedule]:
        """Schedules by name."""
        ...

    def save_schedule(self, schedule: JobSchedule) -> None:
        """Keep a schedule, in place of the one of that name."""
        ...

    def delete_schedule(self, name: str) -> bool:
        """Forget a schedule; whether there was one."""
        ...

    def begin_due(self, name: str, due: datetime, next_at: datetime, run: JobRun) -> bool:
        """Queue the run of a schedule that was due then and move it on; False where another process did."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete runs that ended before; how many."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
