"""How an action plan will be judged: where, by which figure, and against whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from retention.measures import TOPIC_METRIC, Template, load_measures
from retention.plans import Reach
from store.dimensions import MANY_VALUED, TOPIC_SET
from store.errors import ToolInputError
from store.facts import Aggregate, Selection, Window
from store.plan_parts import Control, Judgement, PlanDesign, Values
from tools.arguments import Language
from tools.context import ToolContext
from tools.daily import NO_DAYS
from tools.dimensions import dimension_title
from tools.groups import Namer
from tools.measures import Measure, find_measure, pooled, rounded
from tools.measures import figure as figure_of
from tools.periods import ResolvedPeriod
from tools.selection import Chosen
from tools.verification import topic_measure

# Dates are past when a plan runs; what was said is what a plan is to change, not where it runs.
_PAST: Final = ("date", "week", "month", "quarter", "year")
_SCORED: Final = ("nps", "csat", "ces", "rating", "nps_class")
_SAID: Final = (
    *("sentiment", "emotion", "intent", "priority", "labeller", "theme", TOPIC_SET),
    *MANY_VALUED,
    *_SCORED,
)
# Along these a measure can be tried in one place and not in another, the most natural first.
_PLACES: Final = ("org_unit", "region", "city", "product", "channel", "source", "tier", "customer_type")
_MOST_PEERS, _NAMED, _LEAST_ITEMS = 50, 6, 30


def design_plan(
    measure: Measure,
    chosen: Chosen,
    before: ResolvedPeriod | None,
    cause: Mapping[str, Any] | None,
    topics: Sequence[Reach],
    aim: float | None,
    context: ToolContext,
) -> PlanDesign:
    """Lay down how a plan will be judged. `aim` is the change aimed at in the metric, where known."""
    conditions = {} if cause is None else as_filters(cause["conditions"])
    place = {name: values for name, values in conditions.items() if name not in (*_SAID, *_PAST)}
    where = replace(chosen.selection, filters={**chosen.selection.filters, **place})
    whole = len(place) == len(conditions)
    topic = _topic(cause, conditions, topics)
    if topic is not None and ("topic" in conditions or not _judges(measure)):
        judged = judge_topic(topic, where, chosen.period, before, context)
    elif _judges(measure):
        now = value_of(measure, where, chosen.period.window, context)
        judged = Judgement(
            metric=measure.name, title=measure.title, baseline=now, change=aim if whole else None
        )
    else:
        judged = judge_metric("negative_share", where, chosen.period, context)
    start = chosen.period.start
    return PlanDesign(
        metric=measure.name,
        judged_by=judged,
        asked=dict(chosen.selection.filters),
        left_out=dict(chosen.selection.exclude),
        filters=dict(where.filters),
        exclude=dict(where.exclude),
        control=_control(chosen, place, context),
        since=start.date() if start else None,
        potential=_potential(cause),
    )


def as_filters(conditions: Mapping[str, Any]) -> dict[str, tuple[str | None, ...]]:
    """The conditions of a cause as a store takes filters."""
    return {name: tuple(value) if isinstance(value, list) else (value,) for name, value in conditions.items()}


def _judges(measure: Measure) -> bool:
    """Whether a plan can be judged by a metric: by day, and it is known which way is better."""
    return measure.best is not None and measure.name not in NO_DAYS


def _topic(
    cause: Mapping[str, Any] | None, conditions: Mapping[str, Any], topics: Sequence[Reach]
) -> str | None:
    named = conditions.get("topic")
    if named:
        return str(named[0])
    if cause is not None and cause["topic"]:
        return str(cause["topic"])
    return topics[0].topic if topics else None


def judge_topic(
    topic: str, where: Selection, period: ResolvedPeriod, before: ResolvedPeriod | None, context: ToolContext
) -> Judgement:
    """By the share of all feedback of a place that is negative about a topic; back to the level before."""
    title = topic_measure(topic, context, "zh").title
    now, past = (
        None if window is None else _topic_share(topic, replace(where, window=window), context)
        for window in (period.window, before.window if before else None)
    )
    change = past - now if now is not None and past is not None and past < now else None
    return Judgement(
        metric="negative_share", topic=topic, title=title, baseline=rounded(now), change=rounded(change)
    )


def judge_metric(metric: str, where: Selection, period: ResolvedPeriod, context: ToolContext) -> Judgement:
    """By a metric of a place, against no change."""
    measure = find_measure(metric, context, "zh")
    now = value_of(measure, where, period.window, context)
    return Judgement(metric=measure.name, title=measure.title, baseline=now)


def judge_measure(
    template: Template,
    reach: Reach,
    design: PlanDesign,
    chosen: Chosen,
    before: ResolvedPeriod | None,
    context: ToolContext,
) -> Judgement:
    """How one measure of a plan is judged: by its topic, by its own metric, or as the plan is."""
    where = Selection(chosen.selection.window, design.filters, design.exclude)
    if template.metric == TOPIC_METRIC and reach.topic is not None:
        return judge_topic(reach.topic, where, chosen.period, before, context)
    if template.metric in (TOPIC_METRIC, "plan"):
        return design.judged_by
    return judge_metric(template.metric, where, chosen.period, context)


def value_of(measure: Measure, selection: Selection, window: Window, context: ToolContext) -> float | None:
    """The metric in a place and window; None for a volume, which is no level to aim at, or without items."""
    if measure.kind == "count":
        return None
    groups = context.facts.aggregate(Aggregate(measure.name, selection, (window,)))
    value = figure_of(measure, pooled(groups))["value"]
    return None if value is None else float(value)


def _topic_share(topic: str, where: Selection, context: ToolContext) -> float | None:
    everything = context.facts.count(where)
    said = Selection(
        where.window, {**where.filters, "topic": (topic,), "sentiment": ("negative",)}, where.exclude
    )
    return context.facts.count(said) / everything if everything else None


def _control(chosen: Chosen, place: Values, context: ToolContext) -> Control:
    """The other values of the dimension that the cause names; a hold-out where it names none."""
    catalogue = context.facts.catalogue()
    ranked = [*_PLACES, *sorted(set(catalogue.dimensions) - set(_PLACES))]
    named = sorted(place, key=lambda name: ranked.index(name) if name in ranked else len(ranked))
    for name in named:
        peers = [value for value in _values(name, chosen, place, context) if value not in place[name]]
        if not 0 < len(peers) <= _MOST_PEERS:
            continue
        filters = {**chosen.selection.filters, **place, name: tuple(peers)}
        n = context.facts.count(replace(chosen.selection, filters=filters))
        if n >= _LEAST_ITEMS:
            return Control(kind="peers", dimension=name, groups=tuple(peers), filters=filters, n=n)
    for name in [] if named else [each for each in _PLACES if each in catalogue.dimensions]:
        values = _values(name, chosen, place, context)
        if 2 <= len(values) <= _MOST_PEERS:
            # Every second by size: both halves get large and small ones.
            return Control(kind="hold_out", dimension=name, groups=tuple(values[1::2]))
    return Control()


def _values(name: str, chosen: Chosen, place: Values, context: ToolContext) -> list[str]:
    """The values of a dimension beside the other conditions, those with most items first."""
    others = {key: values for key, values in place.items() if key != name}
    within = replace(chosen.selection, filters={**chosen.selection.filters, **others})
    groups = context.facts.aggregate(Aggregate("volume", within, group_by=(name,)))
    found = [(group.n, group.key[0]) for group in groups if group.key[0] is not None]
    return [value for _, value in sorted(found, key=lambda one: (-one[0], one[1]))]


def _potential(cause: Mapping[str, Any] | None) -> dict[str, float | None] | None:
    if cause is None or cause.get("contribution") is None:
        return None
    return {name: cause[name] for name in ("contribution", "share", "effect", "ci_low", "ci_high")}


def control_words(control: Control, context: ToolContext, language: Language) -> str:
    """Who is compared with, in words; the values named are the largest."""
    book = load_measures()
    if control.dimension is None:
        return book.say("control_none", language)
    namer = Namer(context, language)
    groups = book.say("listed", language).join(
        namer.label(control.dimension, value) for value in control.groups[:_NAMED]
    )
    if len(control.groups) > _NAMED:
        groups = book.say("groups_more", language, groups=groups, n=len(control.groups))
    title = dimension_title(control.dimension, language)
    return book.say(f"control_{control.kind}", language, dimension=title, groups=groups, n=control.n)


def judged_title(judged: Judgement, context: ToolContext, language: Language) -> str:
    """What a plan is judged by, to read; the stored title where the metric is not known any more."""
    if judged.topic is not None:
        return topic_measure(judged.topic, context, language).title
    try:
        return find_measure(judged.metric, context, language).title
    except ToolInputError:
        return judged.title
