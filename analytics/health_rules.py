"""The numbers that health is computed with; the policy file fills them in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Gain = Annotated[float, Field(ge=0, le=100)]
Penalty = Annotated[float, Field(ge=-100, le=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3650)]
Count = Annotated[int, Field(ge=1)]


class Rules(BaseModel):
    """Base of all rules: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScoreLevelRules(Rules):
    """Points for the level of the scores: none at `neutral`, `best` at the top, `worst` at the bottom."""

    neutral: Annotated[float, Field(gt=0, lt=1)]
    best: Gain
    worst: Penalty


class ScoreTrendRules(Rules):
    """Points for the last scores against the customer's own earlier ones.

    A change within `dead_band` (of the scale) counts for nothing; beyond it each whole scale is worth
    `points_per_unit`, within `worst` and `best`.
    """

    recent_scores: Count
    minimum_history: Count
    dead_band: Share
    points_per_unit: Gain
    best: Gain
    worst: Penalty


class NegativeShareRules(Rules):
    """Points for the negative share of what was said recently.

    Shares are smoothed by `prior` imagined items at the `expected` share. `excess` is charged for being above
    the customer's own habit, `level` for being above `expected`.
    """

    expected: Annotated[float, Field(ge=0, lt=1)]
    prior: Annotated[float, Field(gt=0)]
    excess: Penalty
    level: Penalty


class BaselineBreakRules(Rules):
    """Points for a fresh fall of at least `drop` (out of ten) below a steady own baseline."""

    points: Penalty
    drop: Annotated[float, Field(gt=0, le=10)]


class SignalRules(Rules):
    """How signals in words add up."""

    worst: Penalty
    repeat: Share
    most_repeats: Annotated[int, Field(ge=0)]


class BehaviourRules(Rules):
    """How signals in deeds add up."""

    worst: Penalty


class UsageFallRules(Rules):
    """Points for use in the last `span_days` below `tolerated_ratio` of the usual use before."""

    span_days: Days
    minimum_before: Count
    tolerated_ratio: Annotated[float, Field(gt=0, le=1)]
    worst: Penalty


class SilenceRules(Rules):
    """Points for a customer who complained, was in regular contact, and has said nothing since."""

    points: Penalty
    minimum_contacts: Annotated[int, Field(ge=2)]
    minimum_days: Days
    times_usual_gap: Annotated[float, Field(ge=1)]


class ConfirmedRules(Rules):
    """Points where deeds confirm words: a part of each kind, `least` points or worse, within `days`."""

    points: Penalty = -12
    least: Penalty = -3
    days: Days = 45


class PriceAndRivalRules(Rules):
    """Points where price and a competitor come up together."""

    points: Penalty = -8


class RenewalRules(Rules):
    """A renewal within so many days makes what is lost weigh this `share` more, down to `worst`."""

    days_before: Days = 45
    share: Share = 0.3
    worst: Penalty = -15


class LoyalRules(Rules):
    """Who complains but stays: scores at `level` or better without a fall; complaints then weigh `weight`."""

    minimum_scores: Count
    level: Share
    weight: Share


class ProbabilityRules(Rules):
    """The logistic from health to probability: even odds at `even_health`, `slope` per health point."""

    even_health: Annotated[float, Field(ge=0, le=100)]
    slope: Annotated[float, Field(gt=0)]


class HealthRules(Rules):
    """All of it."""

    threshold: Annotated[float, Field(ge=0, le=100)]
    base: Annotated[float, Field(ge=0, le=100)]
    history_days: Days
    recent_days: Days
    half_life_days: Annotated[float, Field(gt=0)]
    score_level: ScoreLevelRules
    score_trend: ScoreTrendRules
    negative_share: NegativeShareRules
    baseline_break: BaselineBreakRules
    signals: SignalRules
    behaviour: BehaviourRules
    usage_fall: UsageFallRules
    silence: SilenceRules
    confirmed: ConfirmedRules = ConfirmedRules()
    price_and_rival: PriceAndRivalRules = PriceAndRivalRules()
    renewal: RenewalRules = RenewalRules()
    loyal: LoyalRules
    probability: ProbabilityRules
