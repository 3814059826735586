"""Who answers an alert of a tier, by when and how; the section `tiers` of the policy."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Days = Annotated[int, Field(ge=1, le=3650)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deadline(_Part):
    """How soon: hours on the clock, or working days; exactly one of them."""

    clock_hours: Annotated[float, Field(gt=0)] | None = None
    working_days: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Deadline":
        if (self.clock_hours is None) == (self.working_days is None):
            raise ValueError("give either clock_hours or working_days")
        return self


class TierRule(_Part):
    """Who answers an alert of this tier, how soon and how; when one is too thin or too soon to repeat."""

    owner_role: Annotated[str, Field(min_length=1)]
    automatic: bool = False
    deadline: Deadline
    playbook: Annotated[str, Field(min_length=1)]
    minimum_items: Annotated[int, Field(ge=1)] = 1
    cooldown_days: Days
