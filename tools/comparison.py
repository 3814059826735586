"""Two periods or two segments: what changed, whether it is more than chance, and through which groups."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from analytics.compare import Comparison, Decomposition, Key, compare, decompose, is_partition
from analytics.day_spread import Daily
from analytics.sums import EMPTY, Sums
from store.dimensions import TIME_DIMENSIONS
from store.facts import Aggregate, Selection, Window
from tools.answers import answer, evidence_ids
from tools.arguments import Filters, Language, Period, SelectionArguments
from tools.caveats import SMALL_SAMPLE, caveat
from tools.context import ToolContext
from tools.daily import NO_DAYS, by_date
from tools.dimensions import MULTI_VALUED, dimension_title, find_dimension
from tools.groups import Namer
from tools.measures import Measure, find_measure, level, pooled, rounded
from tools.periods import ResolvedPeriod, comparable
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, normalise, sample_caveats, unfinished

# Tried in this order where no dimension is asked for; the one whose mix moved most is shown.
_USUAL = ("channel", "region", "product", "version", "customer_type", "tier", "org_unit")
_LISTED = 10


class CompareArguments(SelectionArguments):
    """What is compared with what."""

    metric: Annotated[str, Field(description="as in metric_stats: nps, csat, volume, negative_share ...")] = (
        "nps"
    )
    compare_to: Annotated[
        Period,
        Field(
            description='the earlier period; default: the comparable one before. Also "previous", '
            '"same period last year", or any period'
        ),
    ] = None
    by: Annotated[str | None, Field(description="dimension that the change is split over")] = None
    segment_a: Annotated[
        Filters, Field(description="with segment_b: compare two segments within the period instead, a to b")
    ] = Field(default_factory=dict)
    segment_b: Annotated[Filters, Field(description="the segment held against segment_a")] = Field(
        default_factory=dict
    )


def compare_periods(args: CompareArguments, context: ToolContext) -> ToolResult:
    """Compare a metric between two periods (or two segments of one period): before, after, change.

    Use for "did NPS fall", "this month against last", "year on year", "Guangdong against Zhejiang". The
    change comes with its 95% interval; only if `significant` has it risen or fallen. mix_effect is the part
    due to a changed make-up (of dimension `by`), rate_effect to the groups' own levels; contributions lists
    the groups that moved it.
    """
    measure = find_measure(args.metric, context, args.language)
    if args.segment_a or args.segment_b:
        return _segments(args, measure, context)
    chosen = choose(args, context)
    now = context.clock.now()
    before = comparable(args.compare_to, chosen.period, now=now, zone=context.zone, language=args.language)
    windows = (before.window, chosen.period.window)
    sides, days = _sides(measure, chosen.selection, windows, context)
    data = _data(measure, compare(measure.kind, *sides, scale=measure.scale, days=days))
    data |= {"before_period": _period(before), "after_period": _period(chosen.period)}
    caveats = _doubts(measure, chosen, before, sides, context, args.language)
    caveats += _reading(data, args.language)
    split = _split(args, measure, chosen.selection, windows, sides, context)
    data |= _contributions(split, measure, context, args.language)
    if split and _mostly_mix(split[1], data):
        caveats.append(caveat("mix_only", args.language, dimension=dimension_title(split[0], args.language)))
    return answer(
        "compare_periods",
        args,
        chosen,
        n=sides[0].n + sides[1].n,
        data=data,
        evidence=evidence_ids(chosen.selection, context, order="lowest_score", metric=measure.name)
        if sides[1].n
        else [],
        caveats=caveats,
        chart=_chart(measure, data, before.label, chosen.period.label),
    )


def _segments(args: CompareArguments, measure: Measure, context: ToolContext) -> ToolResult:
    if not (args.segment_a and args.segment_b):
        raise Refusal("one_segment")
    chosen = choose(args, context)
    sides, labels = [], []
    for segment in (args.segment_a, args.segment_b):
        filters, reported = normalise(segment, context)
        found = context.facts.aggregate(Aggregate(measure.name, chosen.also(filters)))
        sides.append(pooled(found))
        labels.append(", ".join(f"{name}={value}" for name, value in reported.items()))
    data = _data(measure, compare(measure.kind, sides[0], sides[1], scale=measure.scale))
    data |= {
        "segment_a": {"label": labels[0], "n": sides[0].n},
        "segment_b": {"label": labels[1], "n": sides[1].n},
        "mix_effect": None,
        "rate_effect": None,
        "contributions": [],
    }
    caveats = [
        *sample_caveats(chosen, sides[0].n + sides[1].n, context, args.language),
        *(caveat("small_sample", args.language, n=side.n) for side in sides if side.n < SMALL_SAMPLE),
        *_reading(data, args.language),
    ]
    return answer(
        "compare_periods",
        args,
        chosen,
        n=sides[0].n + sides[1].n,
        data=data,
        evidence=evidence_ids(chosen.selection, context, order="lowest_score", metric=measure.name),
        caveats=caveats,
        chart=_chart(measure, data, *labels),
    )


def _sides(
    measure: Measure, selection: Selection, windows: tuple[Window, Window], context: ToolContext
) -> tuple[tuple[Sums, Sums], tuple[Daily, Daily] | None]:
    """The sums of both windows, whole and by day; outcomes (churn, retention) are not counted by day."""
    by_day = () if measure.name in NO_DAYS else ("date",)
    found = context.facts.aggregate(Aggregate(measure.name, selection, windows=windows, group_by=by_day))
    first, second = ([g for g in found if g.window == index] for index in (0, 1))
    days = (by_date(first), by_date(second)) if by_day else None
    return (pooled(first), pooled(second)), days


def _data(measure: Measure, found: Comparison) -> dict[str, Any]:
    change = found.difference
    return {
        "metric": measure.name,
        "title": measure.title,
        "kind": measure.kind,
        "before": level(measure, found.before.value),
        "before_ci_low": rounded(found.before.ci_low),
        "before_ci_high": rounded(found.before.ci_high),
        "n_before": found.before.n,
        "after": level(measure, found.after.value),
        "after_ci_low": rounded(found.after.ci_low),
        "after_ci_high": rounded(found.after.ci_high),
        "n_after": found.after.n,
        "change": level(measure, change.value),
        "relative_change": rounded(_relative(measure, found)),
        "ci_low": rounded(change.ci_low),
        "ci_high": rounded(change.ci_high),
        "significant": change.significant,
        "direction": found.direction,
        "reason": change.reason,
    }


def _relative(measure: Measure, found: Comparison) -> float | None:
    """Change over the level before; NPS has no ratio scale, so none is given."""
    if measure.kind == "nps" or not found.before.value or found.difference.value is None:
        return None
    return found.difference.value / found.before.value


def _period(period: ResolvedPeriod) -> dict[str, Any]:
    return {"label": period.label, **period.result().model_dump(by_alias=True)}


def _doubts(
    measure: Measure,
    chosen: Chosen,
    before: ResolvedPeriod,
    sides: tuple[Sums, Sums],
    context: ToolContext,
    language: Language,
) -> list[str]:
    found = []
    for side, period in ((sides[0], before), (sides[1], chosen.period)):
        found += sample_caveats(chosen.over(period), side.n, context, language)
    if measure.kind == "count" and chosen.period.bounded and before.bounded:
        if unfinished(chosen.period, context):
            found.append(caveat("unfinished_volume", language, period=chosen.period.label))
        days = [_days(before), _days(chosen.period)]
        if days[0] != days[1]:
            found.append(
                caveat("unequal_length", language, before_days=f"{days[0]:g}", after_days=f"{days[1]:g}")
            )
    return found


def _days(period: ResolvedPeriod) -> float:
    if period.window.start is None or period.window.end is None:
        return 0.0
    return round((period.window.end - period.window.start).total_seconds() / 86400, 2)


def _reading(data: Mapping[str, Any], language: Language) -> list[str]:
    if data["change"] is None:
        return [caveat("no_difference", language, reason=data["reason"])]
    return [] if data["significant"] else [caveat("not_significant", language)]


def _split(
    args: CompareArguments,
    measure: Measure,
    selection: Selection,
    windows: tuple[Window, Window],
    sides: tuple[Sums, Sums],
    context: ToolContext,
) -> tuple[str, Decomposition] | None:
    """The change over the asked dimension, else over the usual one whose mix moved most."""
    catalogue = context.facts.catalogue()
    if args.by:
        names: list[str] = [find_dimension(args.by, catalogue)]
    else:
        names = [
            name
            for name in _USUAL
            if (info := catalogue.dimensions.get(name))
            and 2 <= info.distinct <= 200
            and name not in selection.filters
        ]
    splits = []
    for name in names:
        groups = _groups(measure, selection, windows, name, context)
        usable = is_partition(groups, *sides) and name not in TIME_DIMENSIONS
        found = decompose(measure.kind, groups) if usable else None
        if found is not None:
            splits.append((name, found))
        elif args.by and (name in MULTI_VALUED or name in TIME_DIMENSIONS):
            raise Refusal("not_splittable", dimension=name)
    return max(splits, key=lambda split: abs(split[1].mix_effect), default=None)


def _groups(
    measure: Measure, selection: Selection, windows: tuple[Window, Window], name: str, context: ToolContext
) -> dict[Key, tuple[Sums, Sums]]:
    groups: dict[Key, tuple[Sums, Sums]] = {}
    for group in context.facts.aggregate(
        Aggregate(measure.name, selection, windows=windows, group_by=(name,))
    ):
        pair = groups.get(group.key, (EMPTY, EMPTY))
        found = Sums(group.n, group.total, group.squares)
        groups[group.key] = (found, pair[1]) if group.window == 0 else (pair[0], found)
    return groups


def _contributions(
    split: tuple[str, Decomposition] | None, measure: Measure, context: ToolContext, language: Language
) -> dict[str, Any]:
    if split is None:
        return {"by": None, "mix_effect": None, "rate_effect": None, "contributions": []}
    name, found = split
    namer = Namer(context, language)
    return {
        "by": name,
        "mix_effect": level(measure, found.mix_effect),
        "rate_effect": level(measure, found.rate_effect),
        "contributions": [
            {
                **namer.row((name,), one.key),
                "n_before": one.n_before,
                "n_after": one.n_after,
                "before": level(measure, one.before),
                "after": level(measure, one.after),
                "mix": level(measure, one.mix),
                "rate": level(measure, one.rate),
                "total": level(measure, one.total),
                "share": rounded(one.share),
            }
            for one in found.contributions[:_LISTED]
        ],
    }


def _mostly_mix(found: Decomposition, data: Mapping[str, Any]) -> bool:
    change = data["change"]
    return bool(change) and data["significant"] and found.mix_effect / change > 0.5


def _chart(measure: Measure, data: Mapping[str, Any], before: str, after: str) -> dict[str, Any] | None:
    if data["before"] is None or data["after"] is None:
        return None
    return {
        "title": {"text": measure.title},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [before, after]},
        "yAxis": {"type": "value"},
        "series": [{"type": "bar", "name": measure.title, "data": [data["before"], data["after"]]}],
    }
