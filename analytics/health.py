"""Customer health, 0 to 100, as a sum of parts that can be read one by one.

health = base + the points of all parts, kept within 0..100 (a part `limit` carries what was cut, so that the
parts always add up). The churn probability is a logistic of health. Both are rules whose numbers stand in the
policy, not a model trained on outcomes.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import Literal

from analytics.breakpoints import baseline_break
from analytics.customer_history import History, Mood, Score, Signal, Use
from analytics.health_rules import HealthRules
from analytics.health_together import together

PartName = Literal[
    "score_level",
    "score_trend",
    "baseline_break",
    "negative_share",
    "signal",
    "behaviour",
    "usage_fall",
    "silence",
    "confirmed",
    "price_and_rival",
    "renewal",
    "limit",
]


@dataclass(frozen=True)
class Part:
    """One addend of health: its points, when it happened, the ids it rests on, the figures behind it."""

    name: PartName
    points: float
    at: datetime | None = None
    evidence: tuple[str, ...] = ()
    detail: str = ""
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """The verdict on one customer. `items` counts scores and texts it rests on; `loyal` see LoyalRules."""

    health: float
    probability: float
    base: float
    parts: tuple[Part, ...]
    items: int
    loyal: bool


def assess_health(history: History, rules: HealthRules, now: datetime) -> Health:
    """Compute health at `now` from what is known up to then; what lies after `now` is not looked at."""
    past = history.until(now, rules.history_days)
    scoring = _scores(past.scores, rules, now)
    loyal = _loyal(past.scores, scoring, rules)
    weight = rules.loyal.weight if loyal else 1.0
    parts = [
        *scoring,
        *_negative_share(past.moods, rules, now, weight),
        *_signals(past.signals, rules, now, weight),
        *_behaviour(past.deeds, rules, now),
        *_usage_fall(past.uses, rules, now),
        *_silence(past, rules, now, weight),
    ]
    parts += together(parts, past, rules, now)
    parts = [_rounded(part) for part in parts if abs(part.points) >= 0.05]
    total = rules.base + sum(part.points for part in parts)
    kept = min(100.0, max(0.0, total))
    if kept != total:
        parts.append(Part("limit", round(kept - total, 1)))
    parts.sort(key=lambda part: part.points)
    return Health(
        health=round(kept, 1),
        probability=churn_probability(kept, rules),
        base=rules.base,
        parts=tuple(parts),
        items=len(past.scores) + len(past.moods),
        loyal=loyal,
    )


def churn_probability(health: float, rules: HealthRules) -> float:
    """Return 1 / (1 + exp(slope (health - even_health))), rounded to 4 decimals."""
    rule = rules.probability
    return round(1.0 / (1.0 + math.exp(rule.slope * (health - rule.even_health))), 4)


def _rounded(part: Part) -> Part:
    return Part(part.name, round(part.points, 1), part.at, part.evidence, part.detail, part.figures)


def _decay(at: datetime, now: datetime, rules: HealthRules) -> float:
    return float(0.5 ** ((now - at) / timedelta(days=rules.half_life_days)))


def _scores(scores: Sequence[Score], rules: HealthRules, now: datetime) -> list[Part]:
    if not scores:
        return []
    parts = [_score_level(scores, rules, now)]
    by_instrument: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_instrument[score.instrument].append(score)
    for pick in (_score_trend, _break):
        found = [part for series in by_instrument.values() if (part := pick(series, rules, now))]
        if found:
            # One fall seen in two questionnaires is one fall.
            parts.append(min(found, key=lambda part: part.points))
    return parts


def _score_level(scores: Sequence[Score], rules: HealthRules, now: datetime) -> Part:
    rule = rules.score_level
    span = timedelta(days=2 * rules.recent_days)
    weights = [0.5 ** ((now - score.at) / span) for score in scores]
    # One imagined neutral score keeps a single answer from deciding alone.
    level = (rule.neutral + sum(w * s.value for w, s in zip(weights, scores, strict=True))) / (
        1 + sum(weights)
    )
    above = level - rule.neutral
    points = rule.best * above / (1 - rule.neutral) if above > 0 else -rule.worst * above / rule.neutral
    mean = fmean([score.value for score in scores])
    return Part(
        "score_level",
        points,
        scores[-1].at,
        tuple(score.evidence for score in scores[-3:]),
        figures={"mean": round(100 * mean, 1), "n": len(scores)},
    )


def _score_trend(series: Sequence[Score], rules: HealthRules, now: datetime) -> Part | None:
    rule = rules.score_trend
    fresh = [s for s in series if s.at > now - timedelta(days=rules.recent_days)][-rule.recent_scores :]
    before = series[: len(series) - len(fresh)]
    if not fresh or len(before) < rule.minimum_history:
        return None
    was, now_is = fmean([s.value for s in before]), fmean([s.value for s in fresh])
    change = now_is - was
    if abs(change) <= rule.dead_band:
        return None
    # A single fresh score is half a proof.
    sureness = len(fresh) / rule.recent_scores
    points = sureness * max(rule.worst, min(rule.best, rule.points_per_unit * change))
    return Part(
        "score_trend",
        points,
        fresh[-1].at,
        tuple(s.evidence for s in fresh),
        detail=series[0].instrument,
        figures={"before": round(100 * was, 1), "after": round(100 * now_is, 1), "n": len(fresh)},
    )


def _break(series: Sequence[Score], rules: HealthRules, now: datetime) -> Part | None:
    at = baseline_break([10 * score.value for score in series], drop=rules.baseline_break.drop)
    if at is None or series[at].at <= now - timedelta(days=rules.recent_days):
        return None
    low = series[at:]
    return Part(
        "baseline_break",
        rules.baseline_break.points,
        series[at].at,
        tuple(s.evidence for s in low),
        detail=series[0].instrument,
        figures={
            "before": round(100 * fmean([s.value for s in series[:at]]), 1),
            "after": round(100 * fmean([s.value for s in low]), 1),
            "n": len(low),
        },
    )


def _loyal(scores: Sequence[Score], scoring: Sequence[Part], rules: HealthRules) -> bool:
    fell = any(part.points < 0 for part in scoring)
    recent = scores[-rules.loyal.minimum_scores :]
    return (
        not fell
        and len(recent) >= rules.loyal.minimum_scores
        and fmean([score.value for score in recent]) >= rules.loyal.level
    )


def _negative_share(
    moods: Sequence[Mood], rules: HealthRules, now: datetime, weight: float
) -> Iterable[Part]:
    rule = rules.negative_share
    start = now - timedelta(days=rules.recent_days)
    recent = [mood for mood in moods if mood.at > start]
    negative = [mood for mood in recent if mood.negative]
    if not negative:
        return
    old = [mood for mood in moods if mood.at <= start]
    habit = (sum(mood.negative for mood in old) + rule.prior * rule.expected) / (len(old) + rule.prior)
    usual = max(habit, rule.expected)
    share = (len(negative) + rule.prior * usual) / (len(recent) + rule.prior)
    room = 1 - rule.expected
    points = (
        rule.excess * max(0.0, share - usual) / room + rule.level * max(0.0, share - rule.expected) / room
    )
    yield Part(
        "negative_share",
        weight * points,
        negative[-1].at,
        tuple(mood.evidence for mood in negative[-3:]),
        figures={"negative": len(negative), "n": len(recent), "share": round(len(negative) / len(recent), 4)},
    )


def _grouped(
    signals: Sequence[Signal], name: PartName, points: Callable[[list[Signal]], float], worst: float
) -> list[Part]:
    by_name: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        by_name[signal.name].append(signal)
    parts = [
        Part(
            name,
            points(group),
            group[-1].at,
            tuple(dict.fromkeys(signal.evidence for signal in group[-3:])),
            detail=kind,
            figures={"n": len(group)},
        )
        for kind, group in by_name.items()
    ]
    total = sum(part.points for part in parts)
    scale = worst / total if total < worst else 1.0
    return [
        Part(p.name, p.points * scale, p.at, p.evidence, detail=p.detail, figures=p.figures) for p in parts
    ]


def _signals(signals: Sequence[Signal], rules: HealthRules, now: datetime, weight: float) -> list[Part]:
    rule = rules.signals

    def points(group: list[Signal]) -> float:
        repeats = min(len(group) - 1, rule.most_repeats)
        fresh = min(signal.points * _decay(signal.at, now, rules) for signal in group)
        return weight * fresh * (1 + rule.repeat * repeats)

    return _grouped(signals, "signal", points, rule.worst)


def _behaviour(deeds: Sequence[Signal], rules: HealthRules, now: datetime) -> list[Part]:
    def points(group: list[Signal]) -> float:
        return min(deed.points * _decay(deed.at, now, rules) for deed in group)

    return _grouped(deeds, "behaviour", points, rules.behaviour.worst)


def _usage_fall(uses: Sequence[Use], rules: HealthRules, now: datetime) -> Iterable[Part]:
    rule = rules.usage_fall
    span = timedelta(days=rule.span_days)
    recent = [use for use in uses if use.at > now - span]
    before = [use for use in uses if now - 4 * span < use.at <= now - span]
    if len(before) < rule.minimum_before:
        return
    # A customer seen for less than three spans before is measured over the time he was seen.
    seen = max(span, now - span - before[0].at)
    usual = sum(use.amount for use in before) * (span / seen)
    if usual <= 0:
        return
    ratio = sum(use.amount for use in recent) / usual
    if ratio >= rule.tolerated_ratio:
        return
    yield Part(
        "usage_fall",
        rule.worst * (1 - ratio / rule.tolerated_ratio),
        uses[-1].at,
        figures={"ratio": round(ratio, 4), "days": rule.span_days},
    )


def _silence(past: History, rules: HealthRules, now: datetime, weight: float) -> Iterable[Part]:
    rule = rules.silence
    complaints = [mood for mood in past.moods if mood.negative]
    if not complaints:
        return
    contacts = sorted(
        {score.at for score in past.scores}
        | {mood.at for mood in past.moods}
        | {deed.at for deed in past.deeds}
        | {use.at for use in past.uses}
    )
    last = complaints[-1]
    if len(contacts) < rule.minimum_contacts or contacts[-1] > last.at + timedelta(days=1):
        return
    gaps = [later - earlier for earlier, later in pairwise(contacts)]
    usual = median(gap.total_seconds() for gap in gaps)
    silent = now - last.at
    if silent < timedelta(days=rule.minimum_days) or silent.total_seconds() < rule.times_usual_gap * usual:
        return
    yield Part(
        "silence", weight * rule.points, last.at, (last.evidence,), figures={"days": float(silent.days)}
    )
