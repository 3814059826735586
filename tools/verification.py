"""Whether a measure worked, by the strongest design the data allow."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from analytics.interventions import Daily, InterventionEffect, intervention_effect
from analytics.sums import EMPTY, Sums
from retention.measures import load_measures
from store.facts import Selection
from store.plan_parts import Verdict
from tools.answers import answer, evidence_ids
from tools.arguments import Arguments, Filters, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.daily import daily_sums, day_chart, line, need_daily, without_gaps
from tools.measures import Measure, find_measure, rounded
from tools.periods import ResolvedPeriod, resolve
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, normalise, sample_caveats


class EffectArguments(Arguments):
    """Which measure, judged by what."""

    metric: Annotated[str, Field(description="as in metric_stats: nps, csat, volume, negative_share ...")]
    start: Annotated[str, Field(description="first day of the measure, e.g. 2026-10-01")]
    days_before: Annotated[int, Field(ge=1, le=730, description="days looked at before the start")] = 60
    days_after: Annotated[
        int, Field(ge=1, le=730, description="days looked at from the start on (never beyond today)")
    ] = 30
    filters: Annotated[Filters, Field(description="whom or what the measure was applied to")] = Field(
        default_factory=dict
    )
    exclude: Annotated[Filters, Field(description="like filters, but left out, of the control group too")] = (
        Field(default_factory=dict)
    )
    topic: Annotated[
        str | None,
        Field(
            description="judge the share of all feedback that is negative about this topic; metric is then "
            "negative_share"
        ),
    ] = None
    control: Annotated[
        Filters | Literal["rest"],
        Field(
            description="a comparable group without the measure, as filters; 'rest' for everything outside "
            "one filtered dimension; leave out where there is none"
        ),
    ] = Field(default_factory=dict)
    target: Annotated[
        float | None,
        Field(description="the change that was aimed at, in the metric's unit (shares 0..1), e.g. -0.05"),
    ] = None
    plan_id: Annotated[str | None, Field(description="the action plan that this verifies")] = None
    language: Annotated[Language, Field(description="language of caveats")] = "zh"


def verify_effect(args: EffectArguments, context: ToolContext) -> ToolResult:
    """Whether a measure worked: its effect on a metric with 95% interval, and the verdict against the target.

    Use after an action plan ran for a while. With a control group: difference in differences; without one:
    interrupted time series (trend, weekdays and autocorrelation taken out); with too few days a plain
    before/after comparison, which proves least. `design` and `evidence_grade` say which. A missed target
    names the root_cause call that reopens the question.
    """
    measure, topic = _judged(args, context)
    if args.plan_id is not None and not any(p.plan_id == args.plan_id for p in context.operations.plans()):
        raise Refusal("unknown_plan", plan=args.plan_id)
    span, start = _span(args, context)
    filters, reported = normalise(args.filters, context)
    exclude, left_out = normalise(args.exclude, context)
    if left_out:
        reported["exclude"] = left_out
    chosen = Chosen(Selection(span.window, filters, exclude), span, reported)
    treated = _daily(measure, topic, chosen.selection, span, start, context)
    control_selection = _control(args, chosen, context)
    control = (
        None if control_selection is None else _daily(measure, topic, control_selection, span, start, context)
    )
    found = intervention_effect(measure.kind, treated, start, control, scale=measure.scale)
    verdict = _verdict(found, args.target, measure)
    data: dict[str, Any] = {
        **_figures(found, measure),
        "topic": topic,
        "start": start.isoformat(),
        "end": span.end.date().isoformat() if span.end else None,
        "target": args.target,
        "verdict": verdict,
        "plan_id": args.plan_id,
        "reopen": _reopen(verdict, args, measure, start, span),
    }
    n = found.n_before + found.n_after
    return answer(
        "verify_effect",
        args,
        chosen,
        n=n,
        data=data,
        evidence=evidence_ids(chosen.selection, context, order="lowest_score", metric=measure.name)
        if n
        else [],
        caveats=[*sample_caveats(chosen, n, context, args.language), *_doubts(found, args, control)],
        chart=_chart(measure, treated, control, start),
    )


def _judged(args: EffectArguments, context: ToolContext) -> tuple[Measure, str | None]:
    """The metric, and the topic whose complaints it is the share of, as stored."""
    if args.topic is None:
        measure = find_measure(args.metric, context, args.language)
        need_daily(measure, "verify_effect")
        return measure, None
    topic = normalise({"topic": args.topic}, context)[0]["topic"][0]
    if topic is None or args.metric != "negative_share":
        raise Refusal("topic_judged", metric=args.metric)
    return topic_measure(topic, context, args.language), topic


def topic_measure(topic: str, context: ToolContext, language: Language) -> Measure:
    """The share of all feedback that is negative about a topic, as a metric."""
    title = load_measures().say("topic_metric", language, topic=context.taxonomy.title_of(topic, language))
    return Measure("negative_share", "proportion", 0.0, title)


def _span(args: EffectArguments, context: ToolContext) -> tuple[ResolvedPeriod, date]:
    now = context.clock.now()
    day = resolve(args.start, now=now, zone=context.zone, language=args.language)
    if day.start is None:
        raise Refusal("no_start_day", start=args.start)
    start = day.start.date()
    today = now.astimezone(context.zone).date()
    # Today is not over: its count would look like a fall.
    end = min(start + timedelta(days=args.days_after), today)
    if end <= start:
        raise Refusal("just_started", start=start)
    first = start - timedelta(days=args.days_before)
    span = resolve(
        f"{first} to {end - timedelta(days=1)}", now=now, zone=context.zone, language=args.language
    )
    return span, start


def _daily(
    measure: Measure,
    topic: str | None,
    selection: Selection,
    span: ResolvedPeriod,
    start: date,
    context: ToolContext,
) -> Daily:
    """Sums by day. For counts a day without items is a zero, from the first day that has any."""
    if topic is not None:
        return _topic_days(topic, selection, context)
    days = daily_sums(measure, selection, context)
    if measure.kind != "count" or not days or span.end is None:
        return days
    return without_gaps(days, min(min(days), start), span.end.date())


def _topic_days(topic: str, selection: Selection, context: ToolContext) -> dict[date, Sums]:
    """Of all items of a day, those that are negative and about the topic."""
    volume = find_measure("volume", context, "en")
    about = Chosen(selection, ResolvedPeriod(selection.window, "", None, None, "all")).also(
        {"topic": (topic,), "sentiment": ("negative",)}
    )
    said, everything = (daily_sums(volume, each, context) for each in (about, selection))
    return {
        day: Sums(sums.n, float(said.get(day, EMPTY).n), float(said.get(day, EMPTY).n))
        for day, sums in everything.items()
    }


def _control(args: EffectArguments, chosen: Chosen, context: ToolContext) -> Selection | None:
    if not args.control:
        return None
    if args.control == "rest":
        if len(chosen.selection.filters) != 1:
            raise Refusal("rest_of_one")
        return Selection(
            chosen.selection.window, exclude={**chosen.selection.exclude, **chosen.selection.filters}
        )
    if isinstance(args.control, str):
        raise Refusal("control_form", control=args.control)
    filters, _ = normalise(args.control, context)
    overlap = [
        name for name, values in filters.items() if set(values) & set(chosen.selection.filters.get(name, ()))
    ]
    if not chosen.selection.filters or len(overlap) == len(filters):
        raise Refusal("control_overlaps")
    return Selection(chosen.selection.window, filters, chosen.selection.exclude)


def _figures(found: InterventionEffect, measure: Measure) -> dict[str, Any]:
    return {
        "metric": measure.name,
        "title": measure.title,
        "kind": measure.kind,
        "design": found.design,
        "evidence_grade": found.grade,
        "effect": rounded(found.effect),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
        "significant": found.significant,
        "level_before": rounded(found.level_before),
        "level_after": rounded(found.level_after),
        "n_before": found.n_before,
        "n_after": found.n_after,
        "days_before": found.days_before,
        "days_after": found.days_after,
        "pre_trend_p": rounded(found.pre_trend_p),
        "reason": found.reason,
    }


def _verdict(found: InterventionEffect, target: float | None, measure: Measure) -> Verdict:
    """Against the target; without one, against no change in the direction that is better."""
    if found.effect is None or found.ci_low is None or found.ci_high is None:
        return "inconclusive"
    wanted = target if target else _better(measure)
    sign = 1.0 if wanted is None or wanted > 0 else -1.0
    effect = sign * found.effect
    low, high = sorted((sign * found.ci_low, sign * found.ci_high))
    aim = abs(target) if target else 0.0
    if high < 0:
        return "worse"
    if low > 0:
        return "achieved" if effect >= aim else "partly"
    return "missed" if aim and high < aim else "inconclusive"


def _better(measure: Measure) -> float | None:
    if measure.best is None:
        return None
    return -1.0 if measure.best == 0 else 1.0


def _reopen(
    verdict: Verdict, args: EffectArguments, measure: Measure, start: date, span: ResolvedPeriod
) -> dict[str, Any] | None:
    """The root_cause call that looks again where the measure did not do what it should."""
    if verdict not in ("missed", "worse", "partly"):
        return None
    period = {"from": start.isoformat(), "to": span.end.date().isoformat() if span.end else None}
    return {
        "tool": "root_cause",
        "args": {"metric": measure.name, "period": period, "filters": args.filters},
    }


def _doubts(found: InterventionEffect, args: EffectArguments, control: Daily | None) -> list[str]:
    doubts = []
    if found.design == "before_after":
        doubts.append(caveat("plain_before_after", args.language))
    if control is not None and found.design != "difference_in_differences":
        doubts.append(caveat("control_unused", args.language))
    if found.grade == "adjusted" and found.design == "difference_in_differences":
        doubts.append(caveat("pre_trend", args.language))
    if found.days_after < args.days_after:
        doubts.append(caveat("short_after", args.language, days=found.days_after, asked=args.days_after))
    if found.effect is not None and not found.significant:
        doubts.append(caveat("not_significant", args.language))
    return doubts


def _chart(measure: Measure, treated: Daily, control: Daily | None, start: date) -> dict[str, Any] | None:
    if not treated:
        return None
    days = sorted({*treated, *(control or {})})
    series = [line("treated", treated, days, measure)]
    if control is not None:
        series.append(line("control", control, days, measure))
    series[0]["markLine"] = {"data": [{"xAxis": start.isoformat()}]}
    return day_chart(measure.title, days, series)
