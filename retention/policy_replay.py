"""How changes of the policy are tried on the past; the section `replay` of the policy."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Days = Annotated[int, Field(ge=1, le=3650)]


class ReplayRules(BaseModel):
    """`days`: how far back a replay goes unless told otherwise; `gate_days`: before a change goes live.

    The gate does the last scan of each `gate_hours`. A customer counts as warned by an alert at most
    `outcome_days` before leaving, and as warned early where it was at least `lead_days` before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: _Days = 90
    gate_days: _Days = 28
    gate_hours: Annotated[int, Field(ge=1, le=168)] = 24
    outcome_days: _Days = 90
    lead_days: _Days = 14
