"""Who is in the high-risk pool and who cares for them; the section `pool` of the policy."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from store.records import Tier


class CareTeam(BaseModel):
    """The people who care for the pool, and how many customers each. Without any the role cares for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Annotated[str, Field(min_length=1)] = "care_team"
    members: tuple[str, ...] = ()
    most_each: Annotated[int, Field(ge=1)] = 50


class PoolRules(BaseModel):
    """In the pool: who has an open alert of `tiers`, or whose latest score is low and not too old.

    `low_scores` names a score and the highest value that is low. A score older than `days` keeps nobody
    in; who was helped stays for `aftercare_days` after the task was done.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: tuple[Tier, ...] = (Tier.RED,)
    low_scores: Mapping[str, float] = {"nps": 6, "csat": 2, "rating": 2}
    days: Annotated[int, Field(ge=1, le=3650)] = 60
    aftercare_days: Annotated[int, Field(ge=0, le=3650)] = 14
    team: CareTeam = CareTeam()
