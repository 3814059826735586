"""What was learnt from verdicts: the section `learnt`, written by `policy learn` and never by hand."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Times = Annotated[float, Field(gt=0, le=4)]
Points = Annotated[float, Field(ge=0, le=100)]
Scores = Literal["high", "fallen", "low", "none"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallAt(_Part):
    """From which score (0 to 100) a cause calls: that of the cause, shifted by each context it is met in.

    Contexts are written `kind/value`, as `retention/contexts.py` reads them. A cause that is not named calls
    at any score.
    """

    causes: dict[str, FiniteFloat] = Field(default_factory=dict)
    contexts: dict[str, FiniteFloat] = Field(default_factory=dict)


class Learnt(_Part):
    """Bounded multipliers of the points of parts (`signal/refund`, `score_level`), and thresholds.

    `verdicts` counts those it rests on, of which `accurate` were. Empty: nothing was learnt.
    """

    verdicts: Annotated[int, Field(ge=0)] = 0
    accurate: Annotated[int, Field(ge=0)] = 0
    weights: dict[str, Times] = Field(default_factory=dict)
    call_at: CallAt = CallAt()

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.weights and not self.call_at.causes
