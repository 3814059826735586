"""What may be learnt from verdicts, how far, and when it is refused: the policy's section `learning`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Sd = Annotated[float, Field(gt=0, le=5)]
Count = Annotated[int, Field(ge=1, le=100_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LearningPriors(_Part):
    """How sure the policy is of itself before any verdict: standard deviations of normal priors.

    `precision` is the share of alerts expected to be right (its log-odds with the spread `general`); `score`
    is that of the score's slope, in shares of the slope that `health.probability` states; `weights` that of a
    part's multiplier around 1; `causes` and `contexts` those of log-odds around what is general.
    """

    precision: Annotated[float, Field(gt=0, lt=1)] = 0.7
    general: Sd = 1.5
    score: Sd = 0.5
    weights: Sd = 0.5
    causes: Sd = 0.8
    contexts: Sd = 0.8


class LearningRules(_Part):
    """How verdicts become weights and thresholds; docs/learning.md gives the method.

    `most_lost` is the share of alerts judged accurate that may go unraised for the target; `held_out` the
    share of verdicts, the newest, that judge what those before each of them teach; `mistaken` the share of
    verdicts taken to be wrong, which excuses as many "accurate" among what is no longer raised.
    `call_at_most` bounds thresholds (points of the score, 0 to 100), `times` the multipliers, `red_times`
    those of signals that call for red. Of causes in `protected` no threshold is ever learnt. Of customers who
    would not be called for, the share `explored` is called for all the same each month, so that a wrong
    lesson is found out.
    """

    minimum_verdicts: Count = 40
    minimum_each: Count = 10
    minimum_of_cause: Count = 5
    target_precision: Annotated[float, Field(gt=0, lt=1)] = 0.85
    most_lost: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    held_out: Annotated[float, Field(ge=0.1, le=0.8)] = 0.5
    half_life_days: Annotated[float, Field(gt=0)] = 365
    mistaken: Annotated[float, Field(ge=0, le=0.3)] = 0.03
    times: tuple[float, float] = (0.4, 1.6)
    red_times: tuple[float, float] = (0.8, 1.6)
    call_at_most: Annotated[float, Field(ge=0, le=100)] = 60
    protected: tuple[str, ...] = ("cancel",)
    explored: Share = 0.02
    priors: LearningPriors = LearningPriors()

    @model_validator(mode="after")
    def _bounds_around_one(self) -> "LearningRules":
        for name, (low, high) in (("times", self.times), ("red_times", self.red_times)):
            if not 0 < low <= 1 <= high <= 4:
                raise ValueError(f"{name}: the bounds must hold 1, above 0 and up to 4")
        return self
