"""What a root cause search answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analytics.estimates import Difference

Grade = Literal["association", "adjusted", "quasi-experimental"]
Verdict = Literal["cause_found", "no_cause"]
Reason = Literal["", "too_few", "no_change", "mix", "broad"]


@dataclass(frozen=True)
class Symptom:
    """What was said inside a cause: a value of a symptom dimension and what it adds to the group's change."""

    dimension: str
    value: str
    n_before: int
    n_after: int
    contribution: float


@dataclass(frozen=True)
class Cause:
    """A group of items that departs from the rest. Figures in the metric's unit (NPS: points).

    `effect` (with its interval) is the departure, `contribution` what it adds to the overall figure and
    `share` that over the overall change (for a level: over all that is lost against the best value); None
    where the overall figure did not change significantly. `counterfactual` is the overall change had the
    group moved as the rest did. `surprise` is -log10 of the p-value corrected for all cells examined.
    `score` = |contribution|: causes are ranked by it. `new`: the group did not exist before.
    A `symptom` or a `surge` (a group that sends more items and got worse) counts with its growth: its effect
    is what it adds to the overall figure. `adjusted_for` names the dimensions within whose values the effect
    was confirmed.
    """

    conditions: Mapping[str, str]
    symptom: bool
    surge: bool
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    rest_before: float | None
    rest_after: float | None
    effect: float
    ci_low: float
    ci_high: float
    contribution: float
    share: float | None
    counterfactual: float | None
    p_value: float
    surprise: float
    score: float
    new: bool
    evidence_grade: Grade
    adjusted_for: tuple[str, ...]
    symptoms: tuple[Symptom, ...]


@dataclass(frozen=True)
class Rival:
    """Another name for (nearly) the same items as cause number `of`: the data cannot tell the two apart.

    `overlap` is shared items over the items of both (Jaccard), in the later window.
    """

    conditions: Mapping[str, str]
    of: int
    overlap: float
    n_after: int
    effect: float


@dataclass(frozen=True)
class RootCause:
    """The answer. `reason` says why there is no cause; `mix_dimension` names the dimension whose mix moved.

    `change` is the overall change (for a level: the level itself as value, never significant).
    `examined` cells were tested with `queries` grouped queries.
    """

    verdict: Verdict
    reason: Reason
    change: Difference
    causes: tuple[Cause, ...]
    rivals: tuple[Rival, ...]
    mix_dimension: str | None
    examined: int
    queries: int
