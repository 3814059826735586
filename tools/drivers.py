"""What drives a score: topics complained of and praised, or the data's own sub-scores."""

from typing import Annotated, Any, Literal

from pydantic import Field

from analytics.drivers import LEAST_ROWS_PER_FACTOR, Driver, find_drivers
from store.facts import Aggregate
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.measures import Measure, find_measure, rounded
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_MOST = 15
_LEAST_SHARE = 0.01
# A number that fewer of the scored items carry would leave too few rows with everything.
_TOGETHER = 0.5
Kind = Literal["topic", "metric"]


class DriverArguments(SelectionArguments):
    """Which score, explained by what."""

    metric: Annotated[str, Field(description="the score to be explained: nps, csat, rating, any number")] = (
        "nps"
    )
    by: Annotated[
        Literal["topics", "metrics"] | None,
        Field(
            description="explain by topics (complaints and praise apart) or by the other numbers of the data "
            "(sub-scores); default: metrics where there are at least two, else topics"
        ),
    ] = None
    factors: Annotated[
        list[str], Field(description="names of topics or metrics to use; default: the commonest")
    ] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=1, le=_MOST, description="at most this many factors")] = 10


def drivers(args: DriverArguments, context: ToolContext) -> ToolResult:
    """What a score depends on most: factors by importance, with effect and 95% intervals.

    Use for "what drives satisfaction", "what matters most to customers". Importance is each factor's share
    of what is explained, with factors that go together sharing it fairly; effect is the change of the score
    that goes with the factor, others equal; impact = effect x how often it occurs. Associations, adjusted
    for each other, not proof of cause.
    """
    measure = find_measure(args.metric, context, args.language)
    if measure.kind not in ("nps", "mean"):
        raise Refusal("not_explained")
    chosen = choose(args, context)
    kind, names = _factors(args, measure, chosen, context)
    caveats = [caveat("association", args.language)]
    rows: list[dict[str, Any]] = []
    r2, n = None, context.facts.aggregate(Aggregate(measure.name, chosen.selection))[0].n
    caveats += sample_caveats(chosen, n, context, args.language)
    if names:
        moments = context.facts.moments(chosen.selection, [(measure.name,), *names])
        found = find_drivers(moments.n, moments.sums, moments.products)
        n = moments.n
        if found is None:
            least = LEAST_ROWS_PER_FACTOR * len(names) + 2
            caveats.append(caveat("too_few_rows", args.language, n=n, least=least))
        else:
            r2 = found.r2
            scale = 100.0 if measure.kind == "nps" else 1.0
            rows = [_row(one, names[one.index], scale, args, context) for one in found.drivers[: args.limit]]
            if any(one.vif > 5 for one in found.drivers):
                caveats.append(caveat("collinear", args.language))
    elif n:
        caveats.append(caveat("no_factors", args.language))
    return answer(
        "drivers",
        args,
        chosen,
        n=n,
        data={
            "metric": measure.name,
            "title": measure.title,
            "kind": measure.kind,
            "by": kind,
            "r2": rounded(r2),
            "drivers": rows,
        },
        evidence=evidence_ids(chosen.selection, context, order="lowest_score", metric=measure.name)
        if n
        else [],
        caveats=caveats,
        chart=_chart(rows, measure),
    )


def _factors(
    args: DriverArguments, measure: Measure, chosen: Chosen, context: ToolContext
) -> tuple[str, list[tuple[str, ...]]]:
    """How the score is explained, and the factors as products of metrics."""
    numbers = [] if args.by == "topics" else _numbers(measure, chosen, context)
    by = args.by or ("metrics" if len(numbers) >= 2 else "topics")
    if by == "metrics":
        asked = [find_measure(name, context, args.language).name for name in args.factors]
        return by, [(name,) for name in (asked or numbers)[:_MOST] if name != measure.name]
    topics = context.facts.aggregate(
        Aggregate(measure.name, chosen.selection, group_by=("topic",), limit=_MOST)
    )
    total = context.facts.aggregate(Aggregate(measure.name, chosen.selection))[0].n
    known = [group.key[0] for group in topics if group.key[0] is not None and group.n >= _LEAST_SHARE * total]
    if args.factors:
        known = [name for name in known if _asked(name, args)]
    sides: list[tuple[str, ...]] = [
        (f"share:topic={topic}", side) for topic in known for side in ("negative_share", "positive_share")
    ]
    return by, sides[:_MOST]


def _asked(topic: str, args: DriverArguments) -> bool:
    wanted = {name.casefold() for name in args.factors}
    return not wanted.isdisjoint({topic.casefold(), topic.partition("/")[0].casefold()})


def _numbers(measure: Measure, chosen: Chosen, context: ToolContext) -> list[str]:
    """Scores and other numbers that most items with the outcome carry too, most filled first."""
    known = context.facts.catalogue().metrics
    total = context.facts.aggregate(Aggregate(measure.name, chosen.selection))[0].n
    together = {
        name: context.facts.moments(chosen.selection, [(measure.name,), (name,)]).n
        for name, info in known.items()
        if name != measure.name and info.n > 0
    }
    return sorted(
        (name for name, n in together.items() if n >= _TOGETHER * max(1, total)),
        key=lambda name: (-together[name], name),
    )


def _row(
    one: Driver, factor: tuple[str, ...], scale: float, args: DriverArguments, context: ToolContext
) -> dict[str, Any]:
    kind: Kind = "topic" if factor[0].startswith("share:topic=") else "metric"
    key = factor[0].removeprefix("share:topic=")
    side = factor[1].removesuffix("_share") if kind == "topic" else None
    label = context.taxonomy.title_of(key, args.language) if kind == "topic" else key
    if side is not None:
        label = caveat(f"driver_{side}", args.language, topic=label)
    return {
        "key": key,
        "side": side,
        "label": label,
        "kind": kind,
        "importance": rounded(one.importance),
        "importance_low": rounded(one.importance_low),
        "importance_high": rounded(one.importance_high),
        "effect": rounded(scale * one.coefficient),
        "ci_low": rounded(scale * one.ci_low),
        "ci_high": rounded(scale * one.ci_high),
        "significant": one.ci_low > 0 or one.ci_high < 0,
        "standardised": rounded(one.standardised),
        "mean": rounded(one.mean),
        "impact": rounded(scale * one.contribution) if kind == "topic" else None,
        "vif": rounded(one.vif),
        "evidence_grade": "adjusted",
    }


def _chart(rows: list[dict[str, Any]], measure: Measure) -> dict[str, Any] | None:
    if not rows:
        return None
    return {
        "title": {"text": measure.title},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value"},
        "yAxis": {"type": "category", "inverse": True, "data": [row["label"] for row in rows]},
        "series": [{"type": "bar", "data": [row["importance"] for row in rows]}],
    }
