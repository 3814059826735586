"""Jobs over the API: what runs, what ran, what is due; begin, stop, change."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.api_access import Caller, CallerNow, needs, require
from server.api_pages import Cursor, Limit, cursor_at, offset_of
from server.api_problems import NotFound, problems
from server.api_state import ServerState, StateNow
from server.job_kinds import KINDS, parsed
from server.job_runner import asked_run
from server.job_schedules import schedule_of
from store.errors import NotPermitted
from store.jobs import JobRun, JobSchedule, JobState
from store.records import AuditEntry

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_Id = Annotated[
    str, Path(max_length=200, pattern=r"^[A-Za-z0-9_.:-]+$", examples=["refresh_themes-0c1f7c1e9d0a"])
]


class JobView(BaseModel):
    """A run of a job: `done` of `total` steps of `stage`; `detail` says why it failed."""

    model_config = ConfigDict(from_attributes=True)

    run_id: str = Field(examples=["refresh_themes-0c1f7c1e9d0a"])
    kind: str = Field(examples=["refresh_themes"])
    schedule: str = Field(examples=["themes"], description="empty: somebody asked for it")
    state: JobState
    requested_by: str = Field(examples=["wang"])
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    done: int = Field(examples=[1200])
    total: int | None = Field(examples=[20000])
    stage: str = Field(examples=["indexing"])
    attempts: int = Field(description="above one: its process ended and another took it up")
    stop_requested: bool
    result: dict[str, Any] = Field(examples=[{"texts": 1200, "themes": 42}])
    detail: str


class JobPage(BaseModel):
    """Runs, newest first."""

    jobs: list[JobView]
    next_cursor: str | None = None


class JobWanted(BaseModel):
    """Which job, with which arguments."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=60, examples=["refresh_themes"])
    args: dict[str, Any] = Field(default={}, examples=[{"full": True}])


class ScheduleView(BaseModel):
    """When a job runs by itself; `next_at` is null where it is switched off."""

    name: str = Field(examples=["themes"])
    kind: str = Field(examples=["refresh_themes"])
    args: dict[str, Any]
    cron: str = Field(examples=["20 3 * * *"])
    enabled: bool
    next_at: AwareDatetime | None
    changed_by: str
    changed_at: AwareDatetime


class Schedules(BaseModel):
    """Every schedule, by name."""

    schedules: list[ScheduleView]


class ScheduleWanted(BaseModel):
    """A schedule as it is to be: five fields of cron in the configured zone."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=60, examples=["write_report"])
    cron: str = Field(max_length=100, examples=["0 9 * * 1"])
    args: dict[str, Any] = Field(default={}, examples=[{"kind": "weekly"}])
    enabled: bool = True


@router.get("", operation_id="list_jobs", summary="List job runs", responses=problems(401, 403))
def list_jobs(
    caller: CallerNow,
    state: StateNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Annotated[str | None, Query(max_length=60)] = None,
    status: Annotated[JobState | None, Query()] = None,
) -> JobPage:
    """A manager sees all runs, others those that they asked for."""
    first = offset_of(cursor)
    if _sees_all(caller):
        found = state.app.jobs.runs(kind=kind, state=status, limit=limit + 1, offset=first)
    else:
        mine = [
            run for run in state.app.jobs.runs(kind=kind, state=status, limit=1_000) if _mine(run, caller)
        ]
        found = mine[first : first + limit + 1]
    more = cursor_at(first + limit) if len(found) > limit else None
    return JobPage(jobs=[JobView.model_validate(run) for run in found[:limit]], next_cursor=more)


@router.post(
    "", status_code=202, operation_id="begin_job", summary="Begin a job", responses=problems(401, 403)
)
def begin_job(caller: CallerNow, state: StateNow, wanted: JobWanted) -> JobView:
    """Queue a run. Jobs work on everything, so a key of some units alone may not begin one."""
    parsed(wanted.kind, wanted.args)
    if KINDS[wanted.kind].internal:
        raise NotPermitted(f"not permitted: the server begins {wanted.kind} by itself")
    require(caller, KINDS[wanted.kind].role)
    _require_everything(caller)
    run = asked_run(wanted.kind, wanted.args, by=caller.asker.user, scope=(), now=state.app.clock.now())
    _audit(state, caller, "job.begin", run.run_id, kind=wanted.kind)
    return JobView.model_validate(state.jobs.submit(run))


@router.get(
    "/schedules",
    operation_id="list_schedules",
    summary="List schedules",
    responses=problems(401, 403),
    dependencies=[needs("manager")],
)
def list_schedules(state: StateNow) -> Schedules:
    """What the server does by itself, and when next."""
    return Schedules(schedules=[_schedule(one) for one in state.app.jobs.schedules()])


@router.put(
    "/schedules/{name}",
    operation_id="put_schedule",
    summary="Make or change a schedule",
    responses=problems(401, 403),
    dependencies=[needs("admin")],
)
def put_schedule(caller: CallerNow, state: StateNow, name: _Id, wanted: ScheduleWanted) -> ScheduleView:
    """A missed time is caught up once."""
    _require_everything(caller)
    schedule = schedule_of(state.app, name, wanted.model_dump(), by=caller.asker.user)
    _audit(state, caller, "schedule.change", name, cron=wanted.cron, enabled=str(wanted.enabled))
    state.app.jobs.save_schedule(schedule)
    return _schedule(schedule)


@router.delete(
    "/schedules/{name}",
    status_code=204,
    operation_id="delete_schedule",
    summary="Forget a schedule",
    responses=problems(401, 403, 404),
    dependencies=[needs("admin")],
)
def delete_schedule(caller: CallerNow, state: StateNow, name: _Id) -> None:
    """One that comes with the product is back at the next start: switch it off instead."""
    _require_everything(caller)
    if not state.app.jobs.delete_schedule(name):
        raise NotFound(f"there is no schedule {name!r}")
    _audit(state, caller, "schedule.delete", name)


@router.get("/{run_id}", operation_id="get_job", summary="One run", responses=problems(401, 403, 404))
def get_job(caller: CallerNow, state: StateNow, run_id: _Id) -> JobView:
    """How far it is."""
    return JobView.model_validate(permitted(state.app.jobs.run(run_id), run_id, caller))


@router.post(
    "/{run_id}/stop", operation_id="stop_job", summary="Stop a run", responses=problems(401, 403, 404)
)
def stop_job(caller: CallerNow, state: StateNow, run_id: _Id) -> JobView:
    """One that waits ends at once, one that runs at its next step; what is stored stays."""
    permitted(state.app.jobs.run(run_id), run_id, caller)
    _audit(state, caller, "job.stop", run_id)
    stopped = state.app.jobs.stop(run_id, state.app.clock.now())
    return JobView.model_validate(permitted(stopped, run_id, caller))


def permitted(run: JobRun | None, run_id: str, caller: Caller) -> JobRun:
    """The run, where the caller may see it. Raises NotFound and NotPermitted."""
    if run is None:
        raise NotFound(f"there is no job run {run_id!r}")
    if not (_sees_all(caller) or _mine(run, caller)):
        raise NotPermitted(f"not permitted: the job run {run_id!r} is somebody else's")
    return run


def _sees_all(caller: Caller) -> bool:
    return caller.asker.role in ("manager", "admin") and not caller.asker.scope


def _mine(run: JobRun, caller: Caller) -> bool:
    return run.requested_by == caller.asker.user and run.scope == caller.asker.scope


def _require_everything(caller: Caller) -> None:
    if caller.asker.scope:
        raise NotPermitted("not permitted: jobs work on everything, and your key is for some units")


def _schedule(schedule: JobSchedule) -> ScheduleView:
    values = schedule.model_dump()
    return ScheduleView(**{**values, "next_at": schedule.next_at if schedule.enabled else None})


def _audit(state: ServerState, caller: Caller, action: str, subject: str, **detail: str) -> None:
    """With the action: it is on the disk before the action begins."""
    state.app.operations.audit(
        AuditEntry(
            occurred_at=state.app.clock.now(),
            actor=caller.asker.user,
            action=action,
            subject=subject,
            detail=detail,
        )
    )
