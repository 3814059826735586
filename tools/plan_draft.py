"""Drafting an action plan: the cause, what fits it in which order, and how it will be judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from retention.measures import load_measures
from retention.plans import (
    Problem,
    Ranked,
    Reach,
    hypothesis,
    plan_id,
    rank_measures,
    risks_of,
    window_days,
    words_of,
)
from store.facts import Selection
from store.plan_parts import Effect, Judgement, PlanDesign, Verdict
from store.records import ActionPlan, TaskStatus
from tools.answers import evidence_ids
from tools.arguments import Language
from tools.causes import RootCauseArguments, conditions_label, root_cause
from tools.context import ToolContext
from tools.groups import Namer
from tools.measures import Measure, find_measure, rounded
from tools.periods import ResolvedPeriod, comparable, resolve
from tools.plan_arguments import ActionPlanArguments
from tools.plan_design import as_filters, control_words, design_plan, judge_measure, value_of
from tools.plan_expectations import expecting
from tools.plan_reach import count_reach
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, normalise

_EVIDENCE = 10


@dataclass(frozen=True)
class Draft:
    """A plan that is not stored yet, with what it rests on."""

    plan: ActionPlan
    chosen: Chosen
    found: ToolResult
    cause: dict[str, Any] | None
    overall: Reach
    topics: Sequence[Reach]
    ranked: Sequence[Ranked]
    improved: bool


@dataclass(frozen=True)
class _Aim:
    """The metric where the plan applies: now, where it should be, and why there."""

    now: float | None = None
    target: float | None = None
    basis: str | None = None

    @property
    def change(self) -> float | None:
        return None if self.now is None or self.target is None else rounded(self.target - self.now)


def draft_plan(
    args: ActionPlanArguments,
    context: ToolContext,
    past: Sequence[Effect],
    *,
    tried: Collection[str] = (),
    follows: tuple[str, Verdict] | None = None,
) -> Draft:
    """Find the cause and draft a plan against it; nothing is stored.

    `past` are the verified effects that expectations rest on, `tried` the ids of measures that did not work,
    `follows` the plan they belonged to and its outcome. Raises Refusal where there is nothing to plan on.
    """
    chosen = choose(args, context)
    measure = find_measure(args.metric, context, args.language)
    found, improved = _search(args, measure, context)
    if not found.n:
        raise Refusal("nothing_to_plan", hint=" ".join(found.caveats))
    cause = _cause(args, found, context)
    before = _before(args, chosen, found, context)
    narrowed = chosen.also(as_filters(cause["conditions"])) if cause else chosen.selection
    overall, topics = count_reach(chosen, narrowed, before, cause, args.language, context)
    aim = _aim(measure, chosen, narrowed, before, cause, context)
    design = design_plan(measure, chosen, before, cause, topics, aim.change, context)
    drafting = _Drafting(
        args, context, chosen, before, cause, found, aim, design, overall, topics, past, tried, follows
    )
    other: Language = "en" if args.language == "zh" else "zh"
    plan, ranked = drafting.told(args.language, _evidence(cause, narrowed, chosen, context))
    key = _key(args, measure, chosen, before, cause, ranked, context)
    plan = plan.model_copy(
        update={
            "plan_id": plan_id(*key, *(["follows", follows[0]] if follows else [])),
            "translation": words_of(drafting.told(other, ())[0]),
            "follows": follows[0] if follows else None,
        }
    )
    return Draft(plan, chosen, found, cause, overall, topics, ranked, improved)


@dataclass(frozen=True)
class _Drafting:
    """Everything that a plan is said from, in either language."""

    args: ActionPlanArguments
    context: ToolContext
    chosen: Chosen
    before: ResolvedPeriod | None
    cause: dict[str, Any] | None
    found: ToolResult
    aim: _Aim
    design: PlanDesign
    overall: Reach
    topics: Sequence[Reach]
    past: Sequence[Effect]
    tried: Collection[str]
    follows: tuple[str, Verdict] | None
    judged: dict[tuple[str, str | None], Judgement] = field(default_factory=dict)

    def told(self, language: Language, evidence: Sequence[str]) -> tuple[ActionPlan, list[Ranked]]:
        """The plan in a language, without an id, and the order behind it."""
        book, context, cause = load_measures(), self.context, self.cause
        problem = self._problem(language)
        title = conditions_label(cause["conditions"], Namer(context, language), language) if cause else None
        overall = replace(self.overall, title=title or book.say("cause_overall", language))
        topics = [
            replace(reach, title=context.taxonomy.title_of(reach.topic or "", language))
            for reach in self.topics
        ]
        dimensions = list(cause["conditions"]) if cause else []
        ranked = rank_measures(
            problem,
            topics,
            overall,
            dimensions,
            book,
            language=language,
            limit=self.args.limit,
            tried=self.tried,
        )
        measures = []
        for each in ranked:
            judged = self._judgement(each)
            kind = find_measure(judged.metric, context, language).kind
            measures.append(expecting(each.measure, judged, kind, self.past, language))
        plan = ActionPlan(
            plan_id="",
            status=TaskStatus.PENDING_APPROVAL,
            problem=problem.text,
            cause=problem.cause,
            evidence_grade=problem.grade,
            measures=tuple(measures),
            risks=risks_of(
                problem,
                ranked,
                self.design.control,
                book,
                language,
                after=self.follows[1] if self.follows else None,
            ),
            evidence=tuple(evidence),
            language=language,
            hypothesis=hypothesis(problem, book, language),
            control=control_words(self.design.control, context, language),
            window_days=window_days(measures),
            design=self.design,
            created_at=context.clock.now(),
            created_by=context.asker.user,
        )
        return plan, ranked

    def _judgement(self, ranked: Ranked) -> Judgement:
        """How a measure is judged, counted once for all measures and both languages."""
        key = (ranked.template.metric, ranked.reach.topic)
        if key not in self.judged:
            self.judged[key] = judge_measure(
                ranked.template, ranked.reach, self.design, self.chosen, self.before, self.context
            )
        return self.judged[key]

    def _problem(self, language: Language) -> Problem:
        args, cause, context = self.args, self.cause, self.context
        book, measure = load_measures(), find_measure(args.metric, context, language)
        period = resolve(args.period, now=context.clock.now(), zone=context.zone, language=language)
        return Problem(
            text=args.problem.strip() or f"{period.label} {measure.title}",
            cause=_cause_words(cause, context, language) or book.say("cause_overall", language),
            metric=measure.name,
            metric_title=measure.title,
            grade=cause["evidence_grade"] if cause else "association",
            found=cause is not None,
            n=self.found.n,
            now=_words(measure, self.aim.now),
            target=_words(measure, self.aim.target),
            basis=self.aim.basis,
        )


def _cause_words(cause: Mapping[str, Any] | None, context: ToolContext, language: Language) -> str | None:
    if cause is None:
        return None
    label = conditions_label(cause["conditions"], Namer(context, language), language)
    topic, theme = cause["topic"], cause["theme"]
    theme = context.taxonomy.title_of(topic, language) if topic else theme
    if not theme:
        return label
    return f"{label}（{theme}）" if language == "zh" else f"{label} ({theme})"


def _evidence(
    cause: Mapping[str, Any] | None, narrowed: Selection, chosen: Chosen, context: ToolContext
) -> list[str]:
    negative = Chosen(narrowed, chosen.period).also({"sentiment": ("negative",)})
    found = [*(cause["evidence"] if cause else [])]
    found += evidence_ids(negative, context, order="lowest_score", limit=_EVIDENCE)
    return list(dict.fromkeys(found))[:_EVIDENCE]


def _search(args: ActionPlanArguments, measure: Measure, context: ToolContext) -> tuple[ToolResult, bool]:
    """The cause of the problem, and whether the metric got better: then where it is still worst is sought.

    What made a metric better is nothing to plan against.
    """
    asked = {name: getattr(args, name) for name in RootCauseArguments.model_fields if name != "limit"}
    found = root_cause(RootCauseArguments.model_validate({**asked, "limit": 10}), context)
    if not found.n or args.conditions or measure.kind == "count" or not found.data["significant"]:
        return found, False
    if not _better(measure, found.data["change"], 0.0):
        return found, False
    level = {**asked, "compare_to": None, "mode": "level", "limit": 10}
    return root_cause(RootCauseArguments.model_validate(level), context), True


def _cause(args: ActionPlanArguments, found: ToolResult, context: ToolContext) -> dict[str, Any] | None:
    """The cause the plan is about: the one asked for, else the first found; None where none stands out.

    Conditions that the search did not find itself are taken as an association without figures.
    """
    causes: list[dict[str, Any]] = found.data["causes"]
    if not args.conditions:
        return causes[0] if causes else None
    _, wanted = normalise(args.conditions, context)
    for cause in causes:
        if cause["conditions"] == wanted:
            return cause
    label = ", ".join(f"{name}={value}" for name, value in wanted.items())
    return {
        "conditions": wanted,
        "label": label,
        "theme": None,
        "topic": None,
        "evidence_grade": "association",
        "evidence": [],
        "assumed": True,
    }


def _before(
    args: ActionPlanArguments, chosen: Chosen, found: ToolResult, context: ToolContext
) -> ResolvedPeriod | None:
    """The period that the root cause was compared with; None where a level was explained."""
    if found.data["mode"] != "change":
        return None
    return comparable(
        args.compare_to, chosen.period, now=context.clock.now(), zone=context.zone, language=args.language
    )


def _aim(
    measure: Measure,
    chosen: Chosen,
    narrowed: Selection,
    before: ResolvedPeriod | None,
    cause: Mapping[str, Any] | None,
    context: ToolContext,
) -> _Aim:
    """Back to the level before, or up to that of everybody else, where that is better than now."""
    now = value_of(measure, narrowed, chosen.period.window, context)
    options = [
        ("target_before", value_of(measure, narrowed, before.window, context) if before else None),
        ("target_rest", cause.get("rest_after") if cause else None),
    ]
    for basis, value in options:
        if _better(measure, value, now):
            return _Aim(now, value, basis)
    return _Aim(now)


def _better(measure: Measure, value: float | None, now: float | None) -> bool:
    """Whether a value is nearer to the metric's best; a metric whose best is not known has no better."""
    if value is None or now is None or measure.best is None:
        return False
    return value > now if measure.best > 0 else value < now


def _words(measure: Measure, value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.1%}" if measure.kind == "proportion" else f"{value:.1f}"


def _key(
    args: ActionPlanArguments,
    measure: Measure,
    chosen: Chosen,
    before: ResolvedPeriod | None,
    cause: Mapping[str, Any] | None,
    ranked: Sequence[Ranked],
    context: ToolContext,
) -> list[str]:
    """What the plan is about and what it says: new figures make a new plan, asking again does not."""
    conditions = [f"{name}={value}" for name, value in sorted(cause["conditions"].items())] if cause else []
    filters = [f"{name}={value}" for name, value in sorted(chosen.filters.items(), key=str)]
    spans = [str(chosen.period.window), str(before.window if before else None)]
    measures = [f"{r.template.id}:{r.score}" for r in ranked]
    scope = [f"scope={unit}" for unit in context.asker.scope]
    return [measure.name, *scope, *spans, *filters, "cause", *conditions, "measures", *measures]
