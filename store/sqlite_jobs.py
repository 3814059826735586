"""Jobs on one machine: tables of the operation store's SQLite file."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session, aliased

from store.jobs import ENDED, JobRun, JobSchedule, JobState, LeaseLost
from store.models import JobRunRow, JobScheduleRow
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile


class SqliteJobs:
    """A JobStore in the file of the operation store. Errors as SqliteFile."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def submit(self, run: JobRun) -> JobRun:
        """Keep a run, or return the one of that id that is kept already."""
        with self._file.writing() as session:
            row = session.get(JobRunRow, run.run_id)
            if row is None:
                row = JobRunRow(**run.model_dump())
                session.add(row)
            return _run(row)

    def claim(self, worker: str, now: datetime, *, lease_s: float) -> JobRun | None:
        """The oldest run that waits, or whose worker fell silent, of a lane where none goes."""
        other = aliased(JobRunRow)
        waits = JobRunRow.state == "queued"
        silent = (JobRunRow.state == "running") & (JobRunRow.held_until <= now)
        busy = select(other.lane).where(other.state == "running", other.held_until > now)
        due = select(JobRunRow).where(or_(waits, silent), JobRunRow.lane.not_in(busy))
        first = due.order_by(JobRunRow.created_at, JobRunRow.run_id).limit(1)
        with self._file.reading() as session:
            if session.scalar(first) is None:
                return None
        with self._file.writing() as session:
            row = session.scalar(first)
            if row is None:
                return None
            if row.stop_requested:
                row.state, row.finished_at = "stopped", now
                return None
            row.state, row.held_by, row.held_until = "running", worker, now + timedelta(seconds=lease_s)
            row.started_at, row.attempts = row.started_at or now, row.attempts + 1
            return _run(row)

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
        """Say that a run goes on and how far it is; whether it should stop."""
        with self._file.writing() as session:
            row = _held(session, run_id, worker)
            row.held_until = now + timedelta(seconds=lease_s)
            row.done, row.total, row.stage = done, total, stage
            return row.stop_requested

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
        """End a run, or hand it back."""
        with self._file.writing() as session:
            row = _held(session, run_id, worker)
            row.state, row.held_by, row.held_until = state, "", None
            row.result, row.detail = dict(result), detail
            row.finished_at = now if state in ENDED else None
            return _run(row)

    def stop(self, run_id: str, now: datetime) -> JobRun | None:
        """Stop a run: at once where it waits, else when its worker next beats."""
        with self._file.writing() as session:
            row = session.get(JobRunRow, run_id)
            if row is None:
                return None
            if row.state == "queued":
                row.state, row.finished_at = "stopped", now
            elif row.state == "running":
                row.stop_requested = True
            return _run(row)

    def run(self, run_id: str) -> JobRun | None:
        """One run."""
        with self._file.reading() as session:
            row = session.get(JobRunRow, run_id)
            return None if row is None else _run(row)

    def runs(
        self, *, kind: str | None = None, state: JobState | None = None, limit: int = 50, offset: int = 0
    ) -> list[JobRun]:
        """Runs, newest first."""
        query = select(JobRunRow).order_by(JobRunRow.created_at.desc(), JobRunRow.run_id)
        if kind is not None:
            query = query.where(JobRunRow.kind == kind)
        if state is not None:
            query = query.where(JobRunRow.state == state)
        with self._file.reading() as session:
            return [_run(row) for row in session.scalars(query.limit(limit).offset(offset))]

    def schedules(self) -> list[JobSchedule]:
        """Schedules by name."""
        with self._file.reading() as session:
            rows = session.scalars(select(JobScheduleRow).order_by(JobScheduleRow.name))
            return [
                JobSchedule.model_validate({name: getattr(row, name) for name in JobSchedule.model_fields})
                for row in rows
            ]

    def save_schedule(self, schedule: JobSchedule) -> None:
        """Keep a schedule, in place of the one of that name."""
        values = schedule.model_dump()
        with self._file.writing() as session:
            statement = insert(JobScheduleRow).values(values)
            session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def delete_schedule(self, name: str) -> bool:
        """Forget a schedule; whether there was one."""
        with self._file.writing() as session:
            return _touched(session.execute(delete(JobScheduleRow).where(JobScheduleRow.name == name))) > 0

    def begin_due(self, name: str, due: datetime, next_at: datetime, run: JobRun) -> bool:
        """Queue the run of a schedule that was due then and move it on."""
        with self._file.writing() as session:
            still = (JobScheduleRow.name == name, JobScheduleRow.next_at == due, JobScheduleRow.enabled)
            if not _touched(session.execute(update(JobScheduleRow).where(*still).values(next_at=next_at))):
                return False
            session.execute(insert(JobRunRow).values(run.model_dump()).on_conflict_do_nothing())
            return True

    def forget(self, before: datetime) -> int:
        """Delete runs that ended before; how many."""
        with self._file.writing() as session:
            return _touched(session.execute(delete(JobRunRow).where(JobRunRow.finished_at < before)))

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _held(session: Session, run_id: str, worker: str) -> JobRunRow:
    row = session.get(JobRunRow, run_id)
    if row is None or row.state != "running" or row.held_by != worker:
        raise LeaseLost(f"the job run {run_id!r} is not this worker's any more")
    return row


def _touched(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


def _run(row: JobRunRow) -> JobRun:
    return JobRun.model_validate({name: getattr(row, name) for name in JobRun.model_fields})
