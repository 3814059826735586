"""The customer's way stage by stage: how many speak of each, how badly, and which step hurts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from analytics.estimates import difference, estimate
from analytics.sums import EMPTY, Sums
from store.dimensions import TOPIC_BETWEEN, TOPIC_SET
from store.facts import Aggregate
from tools.answers import answer, evidence_ids
from tools.arguments import SelectionArguments
from tools.caveats import caveat
from tools.context import ToolContext
from tools.dimensions import find_dimension, fold
from tools.measures import find_measure, pooled, rounded
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, sample_caveats

_FILE = Path(__file__).with_name("journey.yaml")
_EVIDENCE = 3
_TOPICS = 3
# A column with more values than this holds no stages of a journey.
_MOST_STAGES = 50


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
    filters: Mapping[str, tuple[str, ...]]

    def holds(self, group: str) -> bool:
        """Whether the items of a group (a value of the column, or a set of topics) belong to the stage."""
        values = {value for wanted in self.filters.values() for value in wanted}
        return not values.isdisjoint(group.split(TOPIC_BETWEEN) if "topic" in self.filters else (group,))

    def total(self, sums: Mapping[str, Sums]) -> Sums:
        """The sums of the groups that belong to it; each item is in one group."""
        return sum((one for group, one in sums.items() if self.holds(group)), EMPTY)


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
    source, stages = _stages(args, context)
    by = TOPIC_SET if source == "topics" else source
    negative = _sums("negative_share", by, chosen, context)
    scores = _sums(measure.name, by, chosen, context)
    complaints = _complaints(by, chosen, context)
    whole = pooled(context.facts.aggregate(Aggregate("negative_share", chosen.selection)))
    rows = []
    for stage in stages:
        found = stage.total(negative)
        told = estimate(measure.kind, stage.total(scores), scale=measure.scale)
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
                "topics": _worst_topics(complaints, stage, source, args, context),
                "evidence": evidence_ids(
                    chosen.also({**stage.filters, "sentiment": ("negative",)}), context, limit=_EVIDENCE
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


def _sums(metric: str, by: str, chosen: Chosen, context: ToolContext) -> dict[str, Sums]:
    groups = context.facts.aggregate(Aggregate(metric, chosen.selection, group_by=(by,)))
    return {group.key[0]: Sums(group.n, group.total, group.squares) for group in groups if group.key[0]}


def _complaints(by: str, chosen: Chosen, context: ToolContext) -> dict[tuple[str, str], int]:
    """How many negative items by group and topic."""
    negative = chosen.also({"sentiment": ("negative",)})
    groups = context.facts.aggregate(Aggregate("volume", negative, group_by=(by, "topic")))
    return {(group.key[0], group.key[1]): group.n for group in groups if group.key[0] and group.key[1]}


def _stages(args: JourneyArguments, context: ToolContext) -> tuple[str, list[_Stage]]:
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
            raise Refusal("no_stages", dimension=name)
        if len(values) > _MOST_STAGES:
            raise Refusal("too_many_stages", dimension=name, count=len(values), most=_MOST_STAGES)
        return name, [_Stage(value, value, {name: (value,)}) for value in values]
    return "topics", _by_topic(args, context)


def _by_topic(args: JourneyArguments, context: ToolContext) -> list[_Stage]:
    plan = _plan()["stages"]
    placed: dict[str, list[str]] = {key: [] for key in plan}
    for path in context.taxonomy.paths:
        placed[_stage_of(path, plan)].append(path)
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
    complaints: Mapping[tuple[str, str], int],
    stage: _Stage,
    source: str,
    args: JourneyArguments,
    context: ToolContext,
) -> list[dict[str, Any]]:
    own = set(stage.filters["topic"]) if source == "topics" else None
    counts: Counter[str] = Counter()
    for (group, topic), n in complaints.items():
        if stage.holds(group) and (own is None or topic in own):
            counts[topic] += n
    worst = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_TOPICS]
    return [
        {"topic": topic, "label": context.taxonomy.title_of(topic, args.language), "negative": n}
        for topic, n in worst
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
