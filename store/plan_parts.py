"""What an action plan is made of: its measures, how it will be judged, and what was found when it was."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from store.record import Record

Language = Literal["zh", "en"]
Grade = Literal["association", "adjusted", "quasi-experimental"]
Kind = Literal["nps", "proportion", "mean", "count"]
Verdict = Literal["achieved", "partly", "missed", "worse", "inconclusive"]
Values = Mapping[str, tuple[str | None, ...]]


class Expected(Record):
    """What verified effects of the past let expect: the pooled change with its 95% interval.

    In the unit of the metric (NPS points, shares 0..1, its own unit for a mean). `n` effects were pooled:
    those of the same measure, or of any measure against the same topic.
    """

    value: float
    low: float
    high: float
    n: Annotated[int, Field(gt=0)]
    basis: Literal["measure", "topic"]


class Judgement(Record):
    """By which figure something is judged. `topic`: by the share of all feedback that is negative about it.

    `baseline` is the level before, `change` the change aimed at, in the metric's unit; None where not known.
    """

    metric: str
    topic: str | None = None
    title: str = ""
    baseline: float | None = None
    change: float | None = None


class Control(Record):
    """Who is compared with: `peers` (the other values of `dimension`), a hold-out to be kept, or nobody.

    Only peers carry `filters` and `n`, their items in the period. `groups` are the values meant, by name.
    """

    kind: Literal["peers", "hold_out", "none"] = "none"
    dimension: str | None = None
    groups: tuple[str, ...] = ()
    filters: Values = Field(default_factory=dict)
    n: int = 0


class Measure(Record):
    """One step of an action plan. `id` is that of the book of measures."""

    action: str
    owner_department: str
    metric: str
    target: str = ""
    window_days: Annotated[int, Field(gt=0)] = 30
    cost: Literal["low", "medium", "high"] = "medium"
    expected_effect: str = ""
    priority_score: float = 0.0
    first_step: str = ""
    id: str = ""
    judged_by: Judgement | None = None
    expected: Expected | None = None


class PlanWords(Record):
    """The texts of a plan in one language; `measures` in the order of the plan's."""

    problem: str
    cause: str
    hypothesis: str
    control: str
    risks: tuple[str, ...]
    measures: tuple[dict[str, str], ...]


class PlanDesign(Record):
    """How a plan will be judged: where (`filters`, `exclude`), since when, by what, against whom.

    `asked` and `left_out` are the filters of the question, which a new search for the cause starts from;
    `metric` is the one the question was about. `potential` is what the cause costs the metric, with its
    interval: the most that there is to gain where it goes away, no expectation.
    """

    metric: str
    judged_by: Judgement
    asked: Values = Field(default_factory=dict)
    left_out: Values = Field(default_factory=dict)
    filters: Values = Field(default_factory=dict)
    exclude: Values = Field(default_factory=dict)
    control: Control = Control()
    since: date | None = None
    potential: dict[str, float | None] | None = None


class Effect(Record):
    """A verified effect: what changed in one figure once the measures of a plan ran.

    `measures` are the ids of those judged by it; measures of one plan run together, so the effect is that
    of all of them. `effect` is None where nothing could be estimated; `reason` then says why. `main` is the
    figure that the plan as a whole is judged by. `starts_on` and `ends_on` are the first and last day looked
    at under the measures.
    """

    effect_id: str
    plan_id: str
    main: bool
    measures: tuple[str, ...]
    metric: str
    topic: str | None = None
    kind: Kind
    title: str = ""
    design: str
    evidence_grade: Grade
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    target: float | None = None
    level_before: float | None = None
    level_after: float | None = None
    n_before: int
    n_after: int
    starts_on: date
    ends_on: date
    verdict: Verdict
    reason: str | None = None
    verified_at: AwareDatetime
    verified_by: str


class PlanReview(Record):
    """The end of a plan: its outcome and, where it was missed or made worse, the cause searched for anew.

    `starts_on` and `ends_on` are the first and last day of its window; `reopened` holds the new search
    (verdict, reason, causes) and `follow_up` the id of the plan drafted.
    """

    outcome: Verdict
    verified_at: AwareDatetime
    verified_by: str
    starts_on: date
    ends_on: date
    reopened: dict[str, Any] | None = None
    follow_up: str | None = None
