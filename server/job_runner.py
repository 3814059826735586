"""Runs the jobs: what is due is queued once, what is queued runs, what broke off is begun again.

Jobs are idempotent, so a run whose process was killed is simply run anew by whoever finds its lease over.
Several processes over one data folder share the work: the store lends each run to one of them.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from agent.wiring import App
from server.api_logs import causes, places
from server.job_cron import next_time
from store.errors import VoiceLoopError
from store.jobs import JobRun, JobSchedule, JobStore, LeaseLost

_LOG = structlog.get_logger()
LEASE_S: Final = 60.0
_BEAT_S: Final = 2.0
_LOOK_S: Final = 1.0
# A long embedding or clustering and an upload beside it; more would only take turns at the same cores.
AT_ONCE: Final = 2
# A run that its process did not survive so often is not begun again: it may be what kills it.
MOST_ATTEMPTS: Final = 5
_KEPT: Final = timedelta(days=90)


class JobStopped(Exception):
    """Ends a run at its next step. `closing`: the server ends, and the run is handed back."""

    def __init__(self, *, closing: bool) -> None:
        super().__init__("stopped")
        self.closing = closing


@dataclass(frozen=True)
class JobWork:
    """What a kind of job works with. `progress` (done, total or None, stage) raises JobStopped in time."""

    app: App
    run: JobRun
    progress: Callable[[int, int | None, str], None]


# What a kind does; its result is shown with the run (JSON).
Handler = Callable[[JobWork], Mapping[str, Any]]


class JobRunner:
    """The workers of one process. `start` begins, `close` hands back what cannot end in time."""

    def __init__(self, app: App, jobs: JobStore, handlers: Mapping[str, Handler]) -> None:
        self._app = app
        self._jobs = jobs
        self._handlers = handlers
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self, *, plans: bool = True) -> None:
        """Begin to look for work; `plans`: also for schedules that are due."""
        loops = [*[self._plan] * plans, *[self._work] * AT_ONCE]
        self._threads = [
            threading.Thread(target=loop, name=f"jobs-{number}", daemon=True)
            for number, loop in enumerate(loops)
        ]
        for thread in self._threads:
            thread.start()

    def close(self, timeout_s: float = 20.0) -> None:
        """Stop: each run ends at its next step and waits for the next start."""
        self._closing.set()
        self._wake()
        for thread in self._threads:
            thread.join(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether every worker still works."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def submit(self, run: JobRun) -> JobRun:
        """Queue a run; one of the same id is queued once."""
        kept = self._jobs.submit(run)
        self._wake()
        return kept

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _plan(self) -> None:
        forgotten: datetime | None = None
        while not self._closing.is_set():
            now = self._app.clock.now()
            self._guarded("plan", partial(self._begin_due, now))
            if forgotten is None or now - forgotten > timedelta(days=1):
                self._guarded("forget", partial(self._jobs.forget, now - _KEPT))
                forgotten = now
            self._closing.wait(_LOOK_S)

    def _begin_due(self, now: datetime) -> None:
        for schedule in self._jobs.schedules():
            if schedule.enabled and schedule.next_at <= now:
                run = scheduled_run(schedule, now, lane_of(schedule.kind, schedule.args))
                # From now on: what was missed meanwhile is caught up by this one run.
                later = next_time(schedule.cron, now, self._app.settings.zone)
                if self._jobs.begin_due(schedule.name, schedule.next_at, later, run):
                    self._wake()

    def _work(self) -> None:
        while not self._closing.is_set():
            found = self._guarded("claim", self._claim)
            if found is None:
                with self._changed:
                    self._changed.wait(_LOOK_S)
                continue
            self._guarded("run", partial(self._run, found))

    def _claim(self) -> JobRun | None:
        return self._jobs.claim(self._worker, self._app.clock.now(), lease_s=LEASE_S)

    def _guarded(self, what: str, act: Callable[[], Any]) -> Any:
        """A store that is locked or full for a while must not end the worker."""
        try:
            return act()
        except LeaseLost as error:
            _LOG.warning("job_lease_lost", reason=error.message)
        except VoiceLoopError as error:
            _LOG.error("jobs_failed", what=what, kind=error.kind, reason=error.message)
            self._closing.wait(_LOOK_S)
        return None

    def _run(self, run: JobRun) -> None:
        _LOG.info("job_started", run=run.run_id, kind=run.kind, attempt=run.attempts)
        pulse = Pulse(self._app, self._jobs, run, self._worker, self._closing)
        state, result, detail = self._outcome(run, pulse)
        pulse.end()
        ended = self._app.clock.now()
        self._jobs.finish(run.run_id, self._worker, state, ended, result=result, detail=detail)
        _LOG.info("job_ended", run=run.run_id, kind=run.kind, state=state)

    def _outcome(self, run: JobRun, pulse: "Pulse") -> tuple[Any, Mapping[str, Any], str]:
        handler = self._handlers.get(run.kind)
        if handler is None:
            return "failed", {}, f"there is no job {run.kind!r} in this version"
        if run.attempts > MOST_ATTEMPTS:
            return "failed", {}, f"given up: {MOST_ATTEMPTS} processes ended while they ran it"
        try:
            return "done", dict(handler(JobWork(self._app, run, pulse.progress))), ""
        except JobStopped as stopped:
            return ("queued" if stopped.closing else "stopped"), {}, ""
        except LeaseLost:
            raise
        except VoiceLoopError as error:
            _LOG.warning("job_failed", run=run.run_id, kind=run.kind, reason=error.kind)
            hint = f" ({error.hint})" if error.hint else ""
            return "failed", {}, f"{error.message}{hint}"
        except Exception as error:  # noqa: BLE001 - the edge: logged once, the workers go on
            _LOG.error(
                "job_broke",
                run=run.run_id,
                kind=run.kind,
                error=causes(error),
                at=places(error.__traceback__),
            )
            return "failed", {}, "the job broke off; the server's log says where"


class Pulse:
    """Says that a run goes on, also through long steps, and brings word that it should stop."""

    def __init__(self, app: App, jobs: JobStore, run: JobRun, worker: str, closing: threading.Event) -> None:
        self._app, self._jobs, self._run, self._worker = app, jobs, run, worker
        self._closing = closing
        self._at: tuple[int, int | None, str] = (0, None, "")
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse-{run.run_id}", daemon=True)
        self._thread.start()

    def progress(self, done: int, total: int | None, stage: str) -> None:
        """How far the run is; the place where it ends when it should."""
        self._at = (done, total, stage)
        if self._lost.is_set():
            raise LeaseLost(f"the job run {self._run.run_id!r} is not this worker's any more")
        if self._closing.is_set():
            raise JobStopped(closing=True)
        if self._stop.is_set():
            raise JobStopped(closing=False)

    def end(self) -> None:
        """Stop beating, with the last progress written."""
        self._ended.set()
        self._thread.join()
        if not self._lost.is_set():
            self._tell()

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            try:
                self._tell()
            except LeaseLost:
                self._lost.set()
                return
            except VoiceLoopError as error:
                # The lease outlasts many beats; the next one may get through.
                _LOG.warning("job_beat_failed", run=self._run.run_id, reason=error.kind)

    def _tell(self) -> None:
        done, total, stage = self._at
        if self._jobs.beat(
            self._run.run_id,
            self._worker,
            self._app.clock.now(),
            lease_s=LEASE_S,
            done=done,
            total=total,
            stage=stage,
        ):
            self._stop.set()


def lane_of(kind: str, args: Mapping[str, Any]) -> str:
    """Runs of a kind go one after the other; uploads beside each other, for the store orders their writes."""
    if kind == "ingest_file":
        return f"{kind}:{args['path']}"
    return "themes" if kind in ("refresh_themes", "index_feedback") else kind


def scheduled_run(schedule: JobSchedule, now: datetime, lane: str) -> JobRun:
    """The run of a schedule that was due; its id is that of the time it was due at."""
    return JobRun(
        run_id=f"{schedule.name}-{schedule.next_at:%Y%m%dT%H%M%S}",
        kind=schedule.kind,
        lane=lane,
        schedule=schedule.name,
        args=schedule.args,
        requested_by=schedule.changed_by,
        created_at=now,
    )


def asked_run(
    kind: str, args: Mapping[str, Any], *, by: str, scope: tuple[str, ...], now: datetime
) -> JobRun:
    """A run that somebody asks for."""
    return JobRun(
        run_id=f"{kind}-{secrets.token_hex(6)}",
        kind=kind,
        lane=lane_of(kind, args),
        args=dict(args),
        requested_by=by,
        scope=scope,
        created_at=now,
    )
