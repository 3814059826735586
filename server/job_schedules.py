"""The schedules a server begins with, and changes to them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from agent.wiring import App
from server.job_cron import next_time
from server.job_kinds import parsed
from store.jobs import JobSchedule

_FILE = Path(__file__).with_name("job_schedules.yaml")
_SEEDER = "voiceloop"


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Mapping[str, Any]]:
    """The schedules that come with the product, by name."""
    return dict(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def seed_schedules(app: App) -> None:
    """Keep the shipped schedules that the store has not; one that was changed or switched off stays so."""
    known = {schedule.name for schedule in app.jobs.schedules()}
    for name, said in shipped().items():
        if name not in known:
            app.jobs.save_schedule(schedule_of(app, name, said, by=_SEEDER))


def schedule_of(app: App, name: str, said: Mapping[str, Any], *, by: str) -> JobSchedule:
    """A schedule from `kind`, `cron`, `args` and `enabled`. Raises ToolInputError for what is none."""
    now = app.clock.now()
    args = dict(said.get("args") or {})
    parsed(said["kind"], args)
    return JobSchedule(
        name=name,
        kind=said["kind"],
        args=args,
        cron=said["cron"],
        enabled=bool(said.get("enabled", True)),
        next_at=next_time(said["cron"], now, app.settings.zone),
        changed_by=by,
        changed_at=now,
    )
