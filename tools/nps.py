"""Net Promoter Score of a selection and of its groups."""

from typing import Any

from analytics.nps import nps
from analytics.sums import Sums
from tools.answers import answer, evidence_ids
from tools.context import ToolContext
from tools.groups import GroupedArguments, bar_or_line, group_dimensions, grouped
from tools.held import Held, target_line
from tools.measures import find_measure, rounded, sums
from tools.results import ToolResult
from tools.selection import choose, sample_caveats


class NpsArguments(GroupedArguments):
    """What the score is computed of."""


def nps_stats(args: NpsArguments, context: ToolContext) -> ToolResult:
    """Net Promoter Score with its 95% interval and the counts of promoters, passives and detractors.

    Use for "what is our NPS", also split by any dimension or over time through group_by. Scores are
    points from -100 to 100; n counts scored answers only. `target` and
    `baseline` say what it is held against. Say "rose" or "fell" only after compare_periods.
    """
    chosen = choose(args, context)
    measure = find_measure("nps", context, args.language)
    total = sums(measure, chosen.selection, context.facts)
    data: dict[str, Any] = {**_figures(total), "groups": []}
    caveats = sample_caveats(chosen, total.n, context, args.language)
    dimensions = group_dimensions(args, context)
    chart = None
    if dimensions:
        data["group_by"] = list(dimensions)
        data["groups"], doubts = grouped(
            measure, chosen, dimensions, args, context, _figures, n=total.n, value="nps"
        )
        caveats += doubts
        chart = bar_or_line(data["groups"], dimensions, measure.title, "nps")
    held = Held(measure, chosen, context, args.language).figures(data["nps"], data["ci_low"], data["ci_high"])
    data |= held
    if chart is not None and (mark := target_line(held)):
        chart["series"][0]["markLine"] = mark
    evidence = evidence_ids(chosen.selection, context, order="lowest_score", metric="nps") if total.n else []
    return answer(
        "nps_stats", args, chosen, n=total.n, data=data, evidence=evidence, caveats=caveats, chart=chart
    )


def _figures(of: Sums) -> dict[str, Any]:
    found = nps(*of)
    return {
        "nps": rounded(found.nps),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
        "promoters": found.promoters,
        "passives": found.passives,
        "detractors": found.detractors,
    }
