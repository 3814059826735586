"""How the scan goes about it, and who may change what of a task: the sections `alerts` and `task_changes`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertRules(_Part):
    """How the scan for alerts goes about it."""

    reassess_hours: Annotated[float, Field(gt=0)]


Roles = Annotated[tuple[Literal["analyst", "service", "manager", "admin"], ...], Field(min_length=1)]


class TaskChangeRules(_Part):
    """Which roles may change what of a task."""

    comment: Roles
    snoozed_until: Roles
    status: Roles
    owner: Roles
    due_at: Roles
