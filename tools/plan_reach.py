"""How many are hit: the counts behind the order of an action plan's measures."""

from collections.abc import Mapping, Sequence
from typing import Any

from retention.measures import load_measures
from retention.plans import Ranked, Reach
from store.facts import Aggregate, Group, Selection
from tools.arguments import Language
from tools.context import ToolContext
from tools.measures import rounded
from tools.periods import ResolvedPeriod
from tools.selection import Chosen

_TOPICS = 3


def count_reach(
    chosen: Chosen,
    narrowed: Selection,
    before: ResolvedPeriod | None,
    cause: Mapping[str, Any] | None,
    language: Language,
    context: ToolContext,
) -> tuple[Reach, list[Reach]]:
    """How many are hit, as a whole and by topic, within the cause, over the items of the whole question."""
    facts = context.facts
    windows = (chosen.period.window, *([before.window] if before else []))
    scopes = [g.n for g in facts.aggregate(Aggregate("volume", chosen.selection, windows))]
    scope_before = scopes[1] if before else None
    said = facts.aggregate(Aggregate("negative_share", narrowed, windows))
    everywhere = facts.aggregate(Aggregate("negative_share", chosen.selection, windows))
    urgent = Chosen(narrowed, chosen.period).also({"sentiment": ("negative",), "priority": ("urgent",)})
    title = cause["label"] if cause else load_measures().say("cause_overall", language)
    overall = _counted(title, said, everywhere, facts.count(urgent), scopes[0], scope_before)
    by_topic = _by_topic(facts.aggregate(Aggregate("negative_share", narrowed, windows, group_by=("topic",))))
    in_all = _by_topic(
        facts.aggregate(Aggregate("negative_share", chosen.selection, windows, group_by=("topic",)))
    )
    urgent_by_topic = {
        group.key[0]: group.n for group in facts.aggregate(Aggregate("volume", urgent, group_by=("topic",)))
    }
    reaches = [
        _counted(
            context.taxonomy.title_of(topic, language),
            groups,
            in_all.get(topic, []),
            urgent_by_topic.get(topic, 0),
            scopes[0],
            scope_before,
            topic=topic,
        )
        for topic, groups in by_topic.items()
    ]
    of_cause = cause["topic"] if cause else None
    reaches = [reach for reach in reaches if reach.negative]
    reaches.sort(key=lambda reach: (reach.topic != of_cause, -reach.negative, reach.topic or ""))
    return overall, reaches[:_TOPICS]


def _by_topic(groups: Sequence[Group]) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = {}
    for group in groups:
        if group.key[0] is not None:
            found.setdefault(group.key[0], []).append(group)
    return found


def _negative(groups: Sequence[Group], window: int) -> int:
    """Negative items of a window; a window without a group has none."""
    return round(sum(group.total for group in groups if group.window == window))


def _counted(
    title: str,
    groups: Sequence[Group],
    everywhere: Sequence[Group],
    urgent: int,
    scope: int,
    scope_before: int | None,
    *,
    topic: str | None = None,
) -> Reach:
    """A Reach from the negative share's sums by window, within the cause and everywhere."""
    return Reach(
        title=title,
        n=sum(group.n for group in groups if group.window == 0),
        negative=_negative(groups, 0),
        urgent=urgent,
        scope=scope,
        everywhere=_negative(everywhere, 0),
        negative_before=None if scope_before is None else _negative(groups, 1),
        everywhere_before=None if scope_before is None else _negative(everywhere, 1),
        scope_before=scope_before,
        topic=topic,
    )


def ranking_figures(ranked: Ranked) -> dict[str, Any]:
    """The figures that rank a measure."""
    return {
        "action": ranked.measure.action,
        "about": ranked.reach.title,
        "score": ranked.score,
        "cost": ranked.template.cost,
        "coverage": ranked.template.coverage,
        **{name: rounded(getattr(ranked.reach, name)) for name in ("reach", "severity", "trend")},
    }


def reach_figures(reach: Reach) -> dict[str, Any]:
    """The counts of a reach with the rates made of them."""
    return {
        "topic": reach.topic,
        "title": reach.title,
        "n": reach.n,
        "negative": reach.negative,
        "urgent": reach.urgent,
        "scope": reach.scope,
        "rate": rounded(reach.rate),
        "rate_before": rounded(reach.rate_before),
        "reach": rounded(reach.reach),
        "severity": rounded(reach.severity),
        "trend": rounded(reach.trend),
    }
