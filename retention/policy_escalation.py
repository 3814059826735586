"""Who is told of a task that is overdue, step by step; the section `escalation` of the policy."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention.working_days import WorkingCalendar
from store.records import Tier


class EscalationStep(BaseModel):
    """A role that is told once, so long after the deadline; `take_over`: it becomes the owner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Annotated[str, Field(min_length=1)]
    after_hours: Annotated[float, Field(ge=0)] | None = None
    after_working_days: Annotated[int, Field(ge=1)] | None = None
    take_over: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> "EscalationStep":
        if self.after_hours is not None and self.after_working_days is not None:
            raise ValueError("give either after_hours or after_working_days")
        return self

    def due(self, deadline: datetime, calendar: WorkingCalendar, zone: ZoneInfo) -> datetime:
        """When this step is taken, for a task with that deadline."""
        if self.after_working_days is None:
            return deadline + timedelta(hours=self.after_hours or 0)
        local = deadline.astimezone(zone)
        return datetime.combine(calendar.add(local.date(), self.after_working_days), local.timetz())


class EscalationRules(BaseModel):
    """The steps of each tier, in order. A tier without any is told to nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: Mapping[Tier, tuple[EscalationStep, ...]] = {}

    @model_validator(mode="after")
    def _told_once(self) -> "EscalationRules":
        for tier, steps in self.tiers.items():
            roles = [step.role for step in steps]
            if len(set(roles)) < len(roles):
                raise ValueError(f"{tier.value}: a role is told once, so it has one step")
        return self

    def steps(self, tier: Tier | None) -> tuple[EscalationStep, ...]:
        """The steps of a tier."""
        return self.tiers.get(tier, ()) if tier is not None else ()
