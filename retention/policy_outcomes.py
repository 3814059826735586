"""How what became of alerts is counted; the section `outcomes` of the policy."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from store.records import Tier


class HoldoutRule(BaseModel):
    """Which share of the customers gets no automatic message, so that its effect can be told.

    A customer is held out of all such messages or of none, by a hash of `name` and the customer's id. A tier
    whose alerts a person deals with can be no part of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    tiers: frozenset[Tier] = frozenset({Tier.YELLOW})
    name: Annotated[str, Field(min_length=1, max_length=60)] = "holdout"


class OutcomeRules(BaseModel):
    """`saved_days`: whoever has not left so many days after an alert was saved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    saved_days: Annotated[int, Field(ge=7, le=730)] = 90
    holdout: HoldoutRule = HoldoutRule()
