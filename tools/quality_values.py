"""Values that are doubtful: outliers, scores that contradict their words, impossible dates."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from analytics.outliers import LEAST_VALUES, find_outliers
from store.facts import Aggregate, Find, Selection, Window
from store.records import LabelledFeedback
from tools.arguments import Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.measures import rounded
from tools.quality_check import EVIDENCE, Check
from tools.selection import Chosen

_SCORES: Final = ("nps", "csat", "ces", "rating")
# What the words of a score at an end of its scale should not be; a detractor of 5 or 6 may be kind.
_HIGH: Final = {"rating": 5.0, "csat": 5.0, "nps": 9.0}
_LOW: Final = {"rating": 2.0, "csat": 2.0, "nps": 3.0}
_SURE: Final = 0.8
_LOOKED_AT: Final = 2_000
_STALE_YEARS: Final = 10
_STALE_DAYS: Final = 90


def outliers(items: Sequence[LabelledFeedback], language: Language) -> Check:
    """Far values of each metric within its product, or within all where there are few."""
    rows: list[dict[str, Any]] = []
    doubts: list[str] = []
    evidence: list[str] = []
    for (metric, group), values in sorted(_values(items).items()):
        found = find_outliers([value for value, _ in values])
        if found is None or not found.indices:
            continue
        ids = [values[index][1] for index in found.indices]
        evidence += ids[:EVIDENCE]
        rows.append(
            {
                "metric": metric,
                "group": group or None,
                "n": len(values),
                "outliers": len(ids),
                "share": rounded(len(ids) / len(values)),
                "low": rounded(found.low),
                "high": rounded(found.high),
                "median": rounded(found.middle),
                "evidence": ids[:EVIDENCE],
            }
        )
        span = {"low": f"{found.low:.4g}", "high": f"{found.high:.4g}"}
        name = f"{metric} ({group})" if group else metric
        doubts.append(caveat("outliers", language, metric=name, count=len(ids), **span))
    return Check({"outliers": rows}, doubts[:EVIDENCE], evidence)


def _values(items: Sequence[LabelledFeedback]) -> dict[tuple[str, str], list[tuple[float, str]]]:
    """Values with their ids by metric and product; products with too few values are judged together."""
    groups: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for item in items:
        feedback = item.feedback
        scores = {name: getattr(feedback, name) for name in _SCORES}
        for name, value in {**feedback.metrics, **scores}.items():
            if value is not None:
                groups[(name, feedback.product or "")].append((value, feedback.feedback_id))
    found: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for (metric, product), values in groups.items():
        found[(metric, product if len(values) >= LEAST_VALUES else "")] += values
    return found


def score_text(chosen: Chosen, language: Language, context: ToolContext) -> Check:
    """Items whose score and words contradict each other, the labeller being at least 0.8 sure of the words.

    Among the newest 2,000 candidates of each kind; `looked_at` says how many these were.
    """
    known = context.facts.catalogue().metrics
    found: dict[str, list[str]] = {"high_score_negative_text": [], "low_score_positive_text": []}
    looked_at = 0
    for kind, ends, sentiment in (
        ("high_score_negative_text", _HIGH, "negative"),
        ("low_score_positive_text", _LOW, "positive"),
    ):
        for metric, end in ends.items():
            if metric not in known:
                continue
            values = _values_beyond(metric, end, kind.startswith("high"), chosen, context)
            if not values:
                continue
            selection = chosen.also({metric: values, "sentiment": (sentiment,)})
            candidates = context.facts.find(Find(selection, with_text=True, limit=_LOOKED_AT))
            looked_at += len(candidates)
            found[kind] += [one.feedback.feedback_id for one in candidates if _is_sure(one)]
    ids = {kind: list(dict.fromkeys(one)) for kind, one in found.items()}
    high, low = (len(one) for one in ids.values())
    data: dict[str, Any] = {
        "looked_at": looked_at,
        **{kind: {"n": len(one), "evidence": one[:EVIDENCE]} for kind, one in ids.items()},
    }
    doubts = [caveat("score_text", language, count=high + low, high=high, low=low)] if high + low else []
    return Check({"score_text": data}, doubts, [one for some in ids.values() for one in some[:EVIDENCE]])


def _is_sure(item: LabelledFeedback) -> bool:
    labels = item.labels
    return (
        labels is not None
        and not labels.abstained
        and labels.implied_sentiment in (None, labels.sentiment)
        and labels.sentiment_confidence >= _SURE
    )


def _values_beyond(
    metric: str, end: float, high: bool, chosen: Chosen, context: ToolContext
) -> tuple[str, ...]:
    groups = context.facts.aggregate(Aggregate("volume", chosen.selection, group_by=(metric,)))
    given = [group.key[0] for group in groups if group.key[0] is not None]
    return tuple(value for value in given if (float(value) >= end if high else float(value) <= end))


def dates(chosen: Chosen, language: Language, context: ToolContext) -> Check:
    """Items dated more than a day ahead or more than ten years back, and how old the newest is."""
    now = context.clock.now()
    chosen_by = chosen.selection
    future = Selection(Window(now + timedelta(days=1), None), chosen_by.filters, chosen_by.exclude)
    old = now - timedelta(days=round(365.25 * _STALE_YEARS))
    stale = Selection(Window(None, old), chosen_by.filters, chosen_by.exclude)
    ahead = context.facts.count(future)
    # A window that is open on one side holds no undated items.
    behind = context.facts.count(stale)
    last = context.facts.catalogue().last_at
    idle = (now - last).days if last else None
    data = {"future": ahead, "stale": behind, "days_since_last": idle}
    doubts = []
    if ahead:
        doubts.append(caveat("future_dates", language, count=ahead))
    if behind:
        doubts.append(caveat("stale_dates", language, count=behind))
    if last is not None and idle is not None and idle > _STALE_DAYS:
        day = f"{last.astimezone(context.zone):%Y-%m-%d}"
        doubts.append(caveat("stale_data", language, last=day, days=idle))
    ids = [
        one.feedback.feedback_id
        for selection, count in ((future, ahead), (stale, behind))
        if count
        for one in context.facts.find(Find(selection, limit=EVIDENCE))
    ]
    return Check({"dates": data}, doubts, ids)
