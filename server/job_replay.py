"""The job that replays a policy over the past."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from server.job_runner import JobWork


class ReplayArguments(BaseModel):
    """Which policy (a version, or a text) over which span; else the last days that it names itself."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = None
    text: str | None = Field(default=None, max_length=200_000)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    every_hours: int | None = Field(
        default=None, ge=1, description="only the last scan of each so many hours; else every scan"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "ReplayArguments":
        if (self.version is None) == (self.text is None):
            raise ValueError("give either version or text")
        return self


def replay_policy(args: ReplayArguments, work: JobWork) -> Mapping[str, Any]:
    """Do past scans again, as they were and by this policy, and tell what differs."""
    from retention.policy import parse_policy

    app = work.app
    policy = app.policy_book.policy(args.version) if args.version else parse_policy(args.text or "")
    every = timedelta(hours=args.every_hours) if args.every_hours else None
    report = app.time_machine.replay(
        policy,
        args.since,
        args.until,
        every=every,
        tell=lambda done, total: work.progress(done, total, "replay"),
    )
    return report.model_dump(mode="json")
