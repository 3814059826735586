"""Any metric of a selection and of its groups."""

from typing import Annotated, Any

from pydantic import Field

from analytics.estimates import estimate
from store.responses import FIRST_RESPONSE
from tools.answers import answer, evidence_ids
from tools.context import ToolContext
from tools.groups import GroupedArguments, bar_or_line, group_dimensions, grouped
from tools.held import Held, target_line
from tools.measures import estimate_caveats, figure, find_measure, sums
from tools.response_times import add_spread
from tools.results import ToolResult
from tools.selection import choose, sample_caveats


class MetricArguments(GroupedArguments):
    """Which metric, of what."""

    metric: Annotated[
        str,
        Field(
            description="nps, csat, ces, rating, volume, positive_share, neutral_share, "
            "negative_share, churn_rate, retention_rate, first_response (minutes), "
            "first_response<=<minutes>, unanswered_share, share:<dimension>=<value>, "
            "or the name of any numeric column of the data"
        ),
    ] = "volume"


def metric_stats(args: MetricArguments, context: ToolContext) -> ToolResult:
    """One metric of a selection with its 95% interval: averages, shares (0..1), churn, or counts (volume).

    Use for "how many", "what is the average rating / CSAT", "what share is negative", "churn rate", "how fast
    do we answer", also split by one or several dimensions through group_by, ranked by sort. n counts the
    items that carry the metric. `target` and `baseline` say what it is held against; first_response also has
    median, p90, within and unanswered. For NPS use nps_stats; for a change of periods use compare_periods.
    """
    chosen = choose(args, context)
    measure = find_measure(args.metric, context, args.language)
    total = sums(measure, chosen.selection, context.facts)
    data: dict[str, Any] = {
        "metric": measure.name,
        "title": measure.title,
        "kind": measure.kind,
        **figure(measure, total),
        "groups": [],
    }
    caveats = sample_caveats(chosen, total.n, context, args.language)
    if total.n:
        caveats += estimate_caveats(estimate(measure.kind, total, scale=measure.scale), args.language)
    dimensions = group_dimensions(args, context)
    chart = None
    if dimensions:
        data["group_by"] = list(dimensions)
        data["groups"], doubts = grouped(
            measure, chosen, dimensions, args, context, lambda of: figure(measure, of), n=total.n
        )
        caveats += doubts
        chart = bar_or_line(data["groups"], dimensions, measure.title)
    held = Held(measure, chosen, context, args.language).figures(
        data["value"], data["ci_low"], data["ci_high"]
    )
    data |= held
    if measure.name == FIRST_RESPONSE:
        target = context.targets.of(FIRST_RESPONSE).target
        minutes = target.at_most if target else None
        add_spread(data, data["groups"], chosen.selection, dimensions, minutes, context)
    if chart is not None and (mark := target_line(held)):
        chart["series"][0]["markLine"] = mark
    outcomes = measure.name in ("churn_rate", "retention_rate")
    evidence = evidence_ids(chosen.selection, context) if total.n and not outcomes else []
    return answer(
        "metric_stats", args, chosen, n=total.n, data=data, evidence=evidence, caveats=caveats, chart=chart
    )
