"""The customer's way stage by stage: how many speak of each, how badly, and which step hurts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from analytics.estimates import difference, estimate
from analytics.sums import EMPTY, Sums
from store.errors import ToolInputError
from store.facts import Aggregate
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.dimensions import find_dimension, fold
from tools.measures import find_measure, pooled, rounded
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_FILE = Path(__file__).with_name("journey.yaml")
_EVIDENCE = 3


class JourneyArguments(SelectionArguments):
    """Which feedback, staged how."""

    stage: Annotated[
        str | None,
        Field(description="dimension that holds the stage; default: a stage column of the data, else topics"),
    ] = None
    metric: Annotated[
        str, Field(description="a score shown by stage beside the negative share, e.g. nps, csat")
    ] = "nps"


@dataclass(frozen=True)
class _Stage:
    key: str
    label: str
    filters: Mapping[str, tuple[str | None, ...]]


def journey_map(args: JourneyArguments, context: ToolContext) -> ToolResult:
    """The customer journey by stage with the painful step: reach, negative share, a score, top topics.

    Use for "where on the journey does it hurt", "which step loses customers". Stages come from a column of
    the data or from topics. pain = share of all negative items that fall to the stage; `painful` is the stage
    with most pain among those significantly worse than the rest.
    """
    measure = find_measure(args.metric, context, args.language)
    chosen = choose(args, context)
    n = context.facts.count(chosen.selection)
    caveats = sample_caveats(chosen, n, context, args.language)
    source, stages = _stages(args, chosen, context)
    negative = find_measure("negative_share", context, args.language)
    whole = pooled(context.facts.aggregate(Aggregate(negative.name, chosen.selection)))
    rows = []
    for stage in stages:
        selection = chosen.also(stage.filters)
        found = pooled(context.facts.aggregate(Aggregate(negative.name, selection)))
        score = pooled(context.facts.aggregate(Aggregate(measure.name, selection)))
        told = estimate(measure.kind, score, scale=measure.scale)
        rows.append(
            {
                "key": stage.key,
                "label": stage.label,
                "n": found.n,
                "reach": rounded(found.n / whole.n) if whole.n else None,
                **_badness(found, whole),
                "score": rounded(told.value),
                "score_ci_low": rounded(told.ci_low),
                "score_ci_high": rounded(told.ci_high),
                "score_n": told.n,
                "topics": _worst_topics(chosen, stage, args, context),
                "evidence": evidence_ids(
                    Chosen(selection, chosen.period).also({"sentiment": ("negative",)}),
                    context,
                    order="lowest_score",
                    metric=measure.name,
                    limit=_EVIDENCE,
                )
                if found.n
                else [],
            }
        )
    worst = [row for row in rows if row["worse_than_rest"]]
    painful = max(worst, key=lambda row: row["pain"], default=None)
    if n and painful is None:
        caveats.append(caveat("no_painful_stage", args.language))
    if source == "topics" and n:
        caveats.append(caveat("stages_by_topic", args.language))
    return answer(
        "journey_map",
        args,
        chosen,
        n=n,
        data={
            "metric": measure.name,
            "source": source,
            "stages": rows,
            "painful": painful["key"] if painful else None,
        },
        evidence=painful["evidence"] if painful else [],
        caveats=caveats,
        chart=_chart(rows),
    )


def _badness(found: Sums, whole: Sums) -> dict[str, Any]:
    """Negative share with interval, pain, and whether the stage is worse than all the rest."""
    told = estimate("proportion", found)
    rest = whole - found if whole.n >= found.n else EMPTY
    gap = difference("proportion", rest, found) if rest.n and found.n else None
    return {
        "negative_share": rounded(told.value),
        "ci_low": rounded(told.ci_low),
        "ci_high": rounded(told.ci_high),
        "pain": rounded(found.total / whole.total) if whole.total else 0.0,
        "worse_than_rest": bool(gap and gap.significant and (gap.value or 0) > 0),
    }


def _stages(args: JourneyArguments, chosen: Chosen, context: ToolContext) -> tuple[str, list[_Stage]]:
    catalogue = context.facts.catalogue()
    name = find_dimension(args.stage, catalogue) if args.stage else None
    if name is None:
        wanted = {fold(column) for column in _plan()["columns"]}
        name = next((one for one in catalogue.dimensions if fold(one) in wanted), None)
    if name is not None:
        values = (
            [value for value, _ in catalogue.dimensions[name].values] if name in catalogue.dimensions else []
        )
        if len(values) < 2:
            raise ToolInputError(f"journey_map: {name} has fewer than two values; it tells no stages")
        return name, [_Stage(value, value, {name: (value,)}) for value in values]
    return "topics", _by_topic(args, chosen, context)


def _by_topic(args: JourneyArguments, chosen: Chosen, context: ToolContext) -> list[_Stage]:
    """The stages that the taxonomy names, each with the topics that are spoken of: others cost time only."""
    plan = _plan()["stages"]
    groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=("topic",)))
    spoken = {group.key[0] for group in groups}
    placed: dict[str, list[str]] = {key: [] for key in plan}
    for path in context.taxonomy.paths:
        stage = placed[_stage_of(path, plan)]
        # A stage that nobody speaks of is shown too, and needs one topic to be asked about.
        if path in spoken or not stage:
            stage.append(path)
    return [
        _Stage(key, plan[key]["name"][args.language], {"topic": tuple(paths)})
        for key, paths in placed.items()
        if paths
    ]


def _stage_of(path: str, plan: Mapping[str, Any]) -> str:
    """The stage that names the path itself, else its branch, else the one that takes the rest."""
    for name in (path, path.partition("/")[0]):
        for key, stage in plan.items():
            if name in stage["topics"]:
                return key
    return next(key for key, stage in plan.items() if stage.get("rest"))


def _worst_topics(
    chosen: Chosen, stage: _Stage, args: JourneyArguments, context: ToolContext
) -> list[dict[str, Any]]:
    negative = Chosen(chosen.also(stage.filters), chosen.period).also({"sentiment": ("negative",)})
    groups = context.facts.aggregate(Aggregate("volume", negative, group_by=("topic",)))
    own = stage.filters.get("topic")
    rows: Sequence[Any] = [g for g in groups if g.key[0] and (own is None or g.key[0] in own)][:3]
    return [
        {"topic": g.key[0], "label": context.taxonomy.title_of(g.key[0], args.language), "negative": g.n}
        for g in rows
    ]


def _chart(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    drawn = [row for row in rows if row["negative_share"] is not None]
    if not drawn:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [row["label"] for row in drawn]},
        "yAxis": [{"type": "value", "max": 1}, {"type": "value"}],
        "series": [
            {"type": "line", "name": "negative_share", "data": [row["negative_share"] for row in drawn]},
            {"type": "bar", "name": "n", "yAxisIndex": 1, "data": [row["n"] for row in drawn]},
        ],
    }


@cache
def _plan() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
