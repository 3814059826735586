"""What counts against a customer, and what calls for a tier: `signals`, `behaviour` and `triggers`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from analytics.health import PartName
from store.records import Tier

Days = Annotated[int, Field(ge=1, le=3650)]
Penalty = Annotated[float, Field(le=0, ge=-100)]
Score = Annotated[float, Field(ge=0, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignalRule(_Part):
    """A signal in words: health points when fresh, and the tier it calls for."""

    points: Penalty
    tier: Tier


class BehaviourRule(_Part):
    """A signal in deeds: points, how often it must be seen, and a tier where the deed alone justifies one."""

    points: Penalty
    minimum: Annotated[int, Field(ge=1)] = 1
    tier: Tier | None = None


class RepeatedNegative(_Part):
    """This many negative items within so many days ask for a call."""

    minimum: Annotated[int, Field(ge=2)]
    days: Days


def _calling_parts() -> dict[PartName, Tier]:
    return {"baseline_break": Tier.CALLBACK}


class Triggers(_Part):
    """What calls for a tier besides signals, and from which score (0 to 100) a cause calls at all.

    `parts` are parts of health that call for a tier by themselves. A cause that `calls_from` does not name
    calls at any score.
    """

    signal_days: Days
    repeated_negative: RepeatedNegative
    usability_topics: tuple[str, ...]
    minimum_items: Annotated[int, Field(ge=1)]
    parts: dict[PartName, Tier] = Field(default_factory=_calling_parts)
    calls_from: dict[str, Score] = Field(default_factory=dict)
