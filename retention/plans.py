"""Action plans: which measures fit a cause, in which order, towards which target.

The order is reach x severity x trend / cost x coverage, the field's usual "reach and severity against the
cost to fix". Every figure comes from what was counted; the book of measures adds words, costs and windows
only.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from retention.measures import PLAN_METRIC, TOPIC_METRIC, Cost, MeasureBook, Template
from retention.wording import Language
from store.plan_parts import Control, Grade, Measure, PlanWords, Verdict
from store.records import ActionPlan

COST_WEIGHT: Mapping[Cost, int] = {"low": 1, "medium": 2, "high": 3}
SMALL_SAMPLE = 30
_TREND_LOW, _TREND_HIGH = 0.5, 3.0
_TOLD: Final = ("action", "owner_department", "metric", "target", "expected_effect", "first_step")


@dataclass(frozen=True)
class Reach:
    """How many are hit by one thing, counted over the items of the period and of the one before.

    Within the cause `negative` of the `n` items on it are negative, `urgent` of these are urgent;
    `everywhere` counts negative items on it inside the cause and out, `scope` all items of the question. The
    before figures are None where there is nothing to compare with.
    """

    title: str
    n: int
    negative: int
    urgent: int
    scope: int
    everywhere: int = 0
    negative_before: int | None = None
    everywhere_before: int | None = None
    scope_before: int | None = None
    topic: str | None = None

    @property
    def reach(self) -> float:
        """Share of all items that are negative about it."""
        return self.negative / self.scope if self.scope else 0.0

    @property
    def severity(self) -> float:
        """Negative share of what is said about it, up to doubled by the urgent share; 0 to 2."""
        if not self.n or not self.negative:
            return 0.0
        return (self.negative / self.n) * (1 + self.urgent / self.negative)

    @property
    def trend(self) -> float:
        """Rate now over rate before, each with half an item added (Haldane-Anscombe), within 0.5 and 3."""
        if self.negative_before is None or not self.scope_before or not self.scope:
            return 1.0
        now = (self.negative + 0.5) / (self.scope + 1)
        before = (self.negative_before + 0.5) / (self.scope_before + 1)
        return max(_TREND_LOW, min(_TREND_HIGH, now / before))

    @property
    def rate(self) -> float:
        """Share of all items of the question that are negative about it, inside the cause and out."""
        return self.everywhere / self.scope if self.scope else 0.0

    @property
    def rate_before(self) -> float | None:
        """The same in the period before; None where there is nothing to compare with."""
        if self.everywhere_before is None or not self.scope_before:
            return None
        return self.everywhere_before / self.scope_before


@dataclass(frozen=True)
class Problem:
    """What the plan is about: a metric in one place, now and where it should be.

    `target` and `basis` (`target_before`, `target_rest`) are None where nothing better is known.
    """

    text: str
    cause: str
    metric: str
    metric_title: str
    grade: Grade
    found: bool
    n: int
    now: str | None = None
    target: str | None = None
    basis: str | None = None


@dataclass(frozen=True)
class Ranked:
    """A measure with the figures that rank it."""

    measure: Measure
    template: Template
    reach: Reach
    score: float


def rank_measures(
    problem: Problem,
    topics: Sequence[Reach],
    overall: Reach,
    dimensions: Sequence[str],
    book: MeasureBook,
    *,
    language: Language,
    limit: int,
    tried: Collection[str] = (),
) -> list[Ranked]:
    """Fit the book to the cause and rank it, best first, each measure once.

    `topics` are what was complained of within the cause, `overall` the cause as a whole, `dimensions` those
    that the cause names. The ids in `tried` did not work and are left out.
    """
    candidates = [(t, reach) for reach in topics for t in book.for_topic(reach.topic or "")]
    candidates += [(t, overall) for name in dimensions for t in book.conditions.get(name, ())]
    candidates += [(t, overall) for t in book.generic]
    best: dict[str, Ranked] = {}
    for template, reach in candidates:
        if template.id in tried:
            continue
        score = priority(reach, template)
        if template.id not in best or score > best[template.id].score:
            measure = _measure(template, reach, problem, score, book, language)
            best[template.id] = Ranked(measure, template, reach, score)
    return sorted(best.values(), key=lambda r: (-r.score, r.template.id))[:limit]


def priority(reach: Reach, template: Template) -> float:
    """Return 100 x reach x severity x trend x coverage / cost (1, 2 or 3), to 4 decimals."""
    weight = COST_WEIGHT[template.cost]
    return round(100 * reach.reach * reach.severity * reach.trend * template.coverage / weight, 4)


def hypothesis(problem: Problem, book: MeasureBook, language: Language) -> str:
    """Say what should happen to the metric if the measures work; a target only where one is known."""
    if problem.now is None or problem.target is None or problem.basis is None:
        return book.say("hypothesis_bare", language, cause=problem.cause, metric=problem.metric_title)
    return book.say(
        "hypothesis",
        language,
        cause=problem.cause,
        metric=problem.metric_title,
        now=problem.now,
        target=problem.target,
        target_basis=book.say(problem.basis, language),
    )


def risks_of(
    problem: Problem,
    ranked: Sequence[Ranked],
    control: Control,
    book: MeasureBook,
    language: Language,
    *,
    after: Verdict | None = None,
) -> tuple[str, ...]:
    """What may be wrong with a plan, in words; `after` is the outcome of the plan that it follows."""
    keys: list[str] = [problem.grade if problem.found else "no_cause"]
    if problem.n < SMALL_SAMPLE:
        keys.append("small_sample")
    if any(r.template.cost == "high" for r in ranked):
        keys.append("high_cost")
    if control.kind != "peers":
        keys.append("no_control")
    if after is not None:
        keys.insert(0, f"after_{after}")
    return tuple(book.risks[key].of(language) for key in keys)


def window_days(measures: Sequence[Measure]) -> int:
    """Days until the slowest measure can have worked; 30 without any."""
    return max((measure.window_days for measure in measures), default=30)


def window(plan: ActionPlan, zone: ZoneInfo) -> tuple[date, date]:
    """First day of a plan and the first day after it: from the day after approval, or proposal until then."""
    begun = (plan.approved_at or plan.created_at).astimezone(zone).date() + timedelta(days=1)
    return begun, begun + timedelta(days=plan.window_days)


def said_in(plan: ActionPlan, language: Language) -> ActionPlan:
    """The same plan with its texts in a language; a plan without a translation stays as it is."""
    words = plan.translation
    if plan.language == language or words is None:
        return plan
    own = words_of(plan)
    measures = tuple(
        measure.model_copy(update=dict(told))
        for measure, told in zip(plan.measures, words.measures, strict=True)
    )
    texts = {name: getattr(words, name) for name in PlanWords.model_fields if name != "measures"}
    return plan.model_copy(update={**texts, "measures": measures, "language": language, "translation": own})


def words_of(plan: ActionPlan) -> PlanWords:
    """The texts of a plan in its own language."""
    texts = {name: getattr(plan, name) for name in PlanWords.model_fields if name != "measures"}
    told = tuple({name: getattr(measure, name) for name in _TOLD} for measure in plan.measures)
    return PlanWords(**texts, measures=told)


def plan_id(*parts: str) -> str:
    """Derive the id from what the plan is about, so that the same plan is stored once."""
    key = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return "plan-" + hashlib.blake2b(key, digest_size=8).hexdigest()


def _measure(
    template: Template, reach: Reach, problem: Problem, score: float, book: MeasureBook, language: Language
) -> Measure:
    metric, target = _target(template, reach, problem, book, language)
    return Measure(
        action=template.action.of(language),
        owner_department=book.departments[template.department].of(language),
        metric=metric,
        target=target,
        window_days=template.window_days,
        cost=template.cost,
        expected_effect=template.effect.of(language),
        priority_score=score,
        first_step=template.first_step.of(language),
        id=template.id,
    )


def _target(
    template: Template, reach: Reach, problem: Problem, book: MeasureBook, language: Language
) -> tuple[str, str]:
    """The metric a measure is judged by and its target, in words."""
    if template.metric == TOPIC_METRIC and reach.n:
        metric = book.say("topic_metric", language, topic=reach.title)
        now, before = f"{reach.rate:.1%}", reach.rate_before
        if before is not None and before < reach.rate:
            said = book.say("target_topic", language, topic=reach.title, now=now, target=f"{before:.1%}")
            return metric, said
        return metric, book.say("target_open", language, now=now)
    title = (
        problem.metric_title if template.metric in (PLAN_METRIC, TOPIC_METRIC) else template.metric.upper()
    )
    if template.metric == PLAN_METRIC and problem.now and problem.target:
        values = {"metric": title, "now": problem.now, "target": problem.target}
        return title, book.say("target_metric", language, **values)
    if template.metric == PLAN_METRIC and problem.now:
        return title, book.say("target_open", language, now=problem.now)
    return title, ""
