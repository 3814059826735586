"""Why a figure changed, or why it is low: the root cause search as a tool."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from analytics.causes import Cause, RootCause, Symptom
from analytics.root_cause import find_causes
from store.facts import Aggregate, Find
from tools.answers import answer
from tools.arguments import Language, Period, SelectionArguments
from tools.cause_query import OUTCOMES, CauseQuery
from tools.caveats import caveat
from tools.context import ToolContext
from tools.dimensions import dimension_title
from tools.groups import Namer
from tools.industry import Scope, problem_scope
from tools.measures import Measure, find_measure, rounded
from tools.periods import ResolvedPeriod, comparable
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_EVIDENCE = 3


class RootCauseArguments(SelectionArguments):
    """What is to be explained."""

    metric: Annotated[str, Field(description="as in metric_stats; default nps")] = "nps"
    compare_to: Annotated[
        Period, Field(description="the earlier period; default: the comparable one before")
    ] = None
    mode: Annotated[
        Literal["change", "level"] | None,
        Field(
            description="change: why it moved between two periods (default); level: which groups are worse "
            "than the rest within one period (default without a period)"
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=10, description="at most this many causes")] = 3


def root_cause(args: RootCauseArguments, context: ToolContext) -> ToolResult:
    """Find the cause of a change (or of a poor level) of a metric: which items, under which conditions.

    Use for "why did NPS fall", "what is behind the complaints", for NPS, shares, averages or volume. Each
    cause has conditions {dimension: value}, theme (what was said), share of the change, effect with interval,
    evidence_grade (association, adjusted, quasi-experimental: never proof) and scope against the industry.
    verdict no_cause with a reason is an answer too: then name no cause. rivals fit the data equally well.
    """
    measure = find_measure(args.metric, context, args.language)
    chosen = choose(args, context)
    before, level_doubts = _before(args, measure, chosen, context)
    query = CauseQuery(
        measure,
        chosen.selection,
        before.window if before else None,
        chosen.period.window,
        context,
    )
    best = measure.best
    found = find_causes(
        query.cells(),
        query.dimensions(),
        symptoms=query.symptoms(),
        kind=measure.kind,
        level=before is None,
        best=best,
        direction="down" if before is None and best is None else None,
        history=query.history(before) if before else None,
    )
    causes = [_cause(cause, query, context, args.language) for cause in found.causes[: args.limit]]
    after = context.facts.aggregate(Aggregate(measure.name, chosen.selection))[0]
    data = _data(found, causes, args.language, context) | {
        "metric": measure.name,
        "title": measure.title,
        "mode": "change" if before else "level",
        "before_period": {"label": before.label, **before.result().model_dump(by_alias=True)}
        if before
        else None,
    }
    if before is None:
        # A level has no change: what the search gives there is the level itself.
        data |= {"level": data["change"], "change": None}
    doubts = [
        *sample_caveats(chosen, after.n, context, args.language),
        *level_doubts,
        *([caveat("association", args.language)] if causes else []),
        *([caveat("no_rates", args.language)] if causes and not context.facts.rates() else []),
        *(
            [caveat("assumed_best", args.language, metric=measure.title)]
            if before is None and best is None
            else []
        ),
    ]
    return answer(
        "root_cause",
        args,
        chosen,
        n=after.n,
        data=data,
        evidence=[feedback_id for cause in causes for feedback_id in cause["evidence"]],
        caveats=doubts,
        chart=_chart(causes),
    )


def _before(
    args: RootCauseArguments, measure: Measure, chosen: Chosen, context: ToolContext
) -> tuple[ResolvedPeriod | None, list[str]]:
    """The period to compare with; None for a level, and why where it was not asked for."""
    counted = measure.kind == "count"
    if args.mode == "level" or (args.mode is None and args.compare_to is None and not chosen.period.bounded):
        if counted:
            raise Refusal("no_level")
        return None, []
    before = comparable(
        args.compare_to, chosen.period, now=context.clock.now(), zone=context.zone, language=args.language
    )
    asked = args.mode is not None or args.compare_to is not None or counted
    if asked or context.facts.count(chosen.over(before).selection):
        return before, []
    return None, [caveat("level_mode", args.language)]


def _data(
    found: RootCause, causes: list[dict[str, Any]], language: Language, context: ToolContext
) -> dict[str, Any]:
    namer = Namer(context, language)
    change = found.change
    title = dimension_title(found.mix_dimension, language) if found.mix_dimension else ""
    return {
        "verdict": found.verdict,
        "reason": caveat(f"reason_{found.reason}", language, dimension=title) if found.reason else "",
        "reason_code": found.reason,
        "mix_dimension": found.mix_dimension,
        "change": rounded(change.value),
        "ci_low": rounded(change.ci_low),
        "ci_high": rounded(change.ci_high),
        "significant": change.significant,
        "causes": causes,
        "rivals": [
            {
                "conditions": dict(rival.conditions),
                "label": conditions_label(dict(rival.conditions), namer, language),
                "of": rival.of,
                "overlap": rounded(rival.overlap),
                "n": rival.n_after,
                "effect": rounded(rival.effect),
            }
            for rival in found.rivals
            if rival.of < len(causes)
        ],
        "examined": found.examined,
        "queries": found.queries,
    }


def _cause(cause: Cause, query: CauseQuery, context: ToolContext, language: Language) -> dict[str, Any]:
    namer = Namer(context, language)
    conditions = dict(cause.conditions)
    theme = _theme(cause, query, context, language)
    found = Find(query.inside(conditions), with_text=True, order="lowest_score", limit=_EVIDENCE)
    if theme["topic"] and "topic" not in conditions and cause.symptoms:
        found = Find(
            query.inside({**conditions, "topic": theme["topic"]}),
            with_text=True,
            order="lowest_score",
            limit=_EVIDENCE,
        )
    return {
        "conditions": conditions,
        "label": conditions_label(conditions, namer, language),
        **theme,
        "symptoms": [_symptom(one, namer) for one in cause.symptoms],
        "share": rounded(cause.share),
        "effect": rounded(cause.effect),
        "ci_low": rounded(cause.ci_low),
        "ci_high": rounded(cause.ci_high),
        "contribution": rounded(cause.contribution),
        "counterfactual": rounded(cause.counterfactual),
        "n_before": cause.n_before,
        "n_after": cause.n_after,
        "before": rounded(cause.before),
        "after": rounded(cause.after),
        "rest_before": rounded(cause.rest_before),
        "rest_after": rounded(cause.rest_after),
        "p_value": float(f"{cause.p_value:.3g}"),
        "new": cause.new,
        "evidence_grade": cause.evidence_grade,
        "adjusted_for": list(cause.adjusted_for),
        "score": rounded(cause.score),
        "evidence": [one.feedback.feedback_id for one in context.facts.find(found)],
    }


def _symptom(symptom: Symptom, namer: Namer) -> dict[str, Any]:
    return {
        "dimension": symptom.dimension,
        "value": symptom.value,
        "label": namer.label(symptom.dimension, symptom.value),
        "n_before": symptom.n_before,
        "n_after": symptom.n_after,
        "contribution": rounded(symptom.contribution),
    }


def _theme(cause: Cause, query: CauseQuery, context: ToolContext, language: Language) -> dict[str, Any]:
    """What was said: the topic that stands out in the cause, and the theme; either may be None."""
    named = [value for name, value in cause.conditions.items() if name == "topic"]
    named += [one.value for one in cause.symptoms if one.dimension == "topic"]
    topic = named[0] if named else _dominant("topic", cause, query)
    theme_id = cause.conditions.get("theme") or _dominant("theme", cause, query)
    labels = {theme.theme_id: theme.label for theme in context.facts.themes()}
    theme_label = labels.get(theme_id) if theme_id else None
    scope: Scope = "undecided"
    if topic:
        name = context.taxonomy.title_of(topic, language)
        scope = problem_scope("topic", topic, name, query.inside({}), context)
    elif theme_id:
        scope = problem_scope("theme", theme_id, theme_label or "", query.inside({}), context)
    return {
        "theme": context.taxonomy.title_of(topic, language) if topic else theme_label,
        "topic": topic,
        "theme_id": theme_id,
        "theme_label": theme_label,
        "scope": scope,
        "department": _department(topic, context, language) if topic else None,
    }


def _department(topic: str, context: ToolContext, language: Language) -> str | None:
    taxonomy = context.taxonomy
    return taxonomy.department(topic, language) if topic in taxonomy.entries else None


def _dominant(dimension: Literal["topic", "theme"], cause: Cause, query: CauseQuery) -> str | None:
    """The topic or theme whose share of negative items inside the cause exceeds its share overall the most.

    None where none has at least five items there and a lead of a tenth of them.
    """
    if query.measure.name in OUTCOMES:
        return None
    inside = _counts(dimension, {**cause.conditions, "sentiment": "negative"}, query)
    overall = _counts(dimension, {"sentiment": "negative"}, query)
    n_inside, n_overall = sum(inside.values()), sum(overall.values())
    leads = {value: n / n_inside - overall.get(value, 0) / n_overall for value, n in inside.items() if n >= 5}
    best = max(leads, key=lambda value: (leads[value], value), default=None)
    return best if best is not None and leads[best] >= 0.1 else None


def _counts(dimension: str, conditions: dict[str, str], query: CauseQuery) -> dict[str, int]:
    groups = query.context.facts.aggregate(
        Aggregate("volume", query.inside(conditions), group_by=(dimension,))
    )
    return {group.key[0]: group.n for group in groups if group.key[0] is not None}


def conditions_label(conditions: Mapping[str, Any], namer: Namer, language: Language) -> str:
    """The conditions of a cause to read, like 地区=广东."""
    parts = [
        f"{dimension_title(name, language)}={namer.label(name, value)}" for name, value in conditions.items()
    ]
    return "、".join(parts) if language == "zh" else ", ".join(parts)


def _chart(causes: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not causes:
        return None
    drawn = list(reversed(causes))
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value"},
        "yAxis": {"type": "category", "data": [cause["label"] for cause in drawn]},
        "series": [{"type": "bar", "data": [cause["contribution"] for cause in drawn]}],
    }
