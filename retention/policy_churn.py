"""What the churn model learns from; the section `churn` of the policy."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Days = Annotated[int, Field(ge=1, le=3650)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChurnRules(_Part):
    """What the churn model learns from, and when it may be used; see `policy.yaml`."""

    horizon_days: Annotated[tuple[Days, ...], Field(min_length=1)]
    recent_days: Days
    history_days: Days
    most_cutoffs: Annotated[int, Field(ge=3)]
    minimum_left: Annotated[int, Field(ge=10)]
    minimum_left_held_out: Annotated[int, Field(ge=10)]
    at_risk_lift: Annotated[float, Field(gt=1)]
    exact_customers: Annotated[int, Field(ge=1)]
    screened_to: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _recent_within_history(self) -> "ChurnRules":
        if self.recent_days >= self.history_days:
            raise ValueError("recent_days must be shorter than history_days")
        return self
