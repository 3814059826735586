"""A made-up year of customers who speak, use, and leave for causes of their own, and who leaves after it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from evals.wording import read_yaml
from store.records import (
    BehaviourEvent,
    Customer,
    Feedback,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
)


@dataclass
class ChurnWorld:
    """What is known by the end, and `leaves_after`: who leaves later, in days after the end."""

    end: datetime
    items: list[LabelledFeedback] = field(default_factory=list)
    events: list[BehaviourEvent] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    leaves_after: dict[str, float] = field(default_factory=dict)


@dataclass
class _Person:
    name: str
    since_week: int
    activity: float
    satisfaction: float
    minutes: float
    loyal: bool
    louder: bool
    trouble: bool = False


def draw_world(seed: int, end: datetime, *, plan: Mapping[str, Any] | None = None) -> ChurnWorld:
    """Draw a world; the same seed and end give the same."""
    plan = plan or read_yaml("churn_world.yaml")
    world, rng = ChurnWorld(end), random.Random(f"churn/{seed}")
    for number in range(plan["customers"]):
        _live(world, _person(number, plan, rng), plan, rng)
    return world


def _person(number: int, plan: Mapping[str, Any], rng: random.Random) -> _Person:
    usual = plan["satisfaction"]
    return _Person(
        name=f"W{number:05d}",
        since_week=-int(rng.expovariate(1 / 60)) if rng.random() < 0.8 else rng.randrange(plan["weeks"]),
        activity=rng.lognormvariate(0, plan["activity_sigma"]),
        satisfaction=rng.gauss(usual["mean"], usual["between"]),
        minutes=plan["use"]["minutes"] * rng.uniform(0.4, 1.6)
        if rng.random() < plan["use"]["share"]
        else 0.0,
        loyal=rng.random() < plan["loyal_share"],
        louder=rng.random() < plan["trouble"]["louder"],
    )


def _live(world: ChurnWorld, person: _Person, plan: Mapping[str, Any], rng: random.Random) -> None:
    """Week by week, until the person leaves or the time is over; what lies after the end is not kept."""
    start = world.end - timedelta(weeks=plan["weeks"])
    since = start + timedelta(weeks=person.since_week)
    world.customers.append(Customer(customer_id=person.name, since=since.date()))
    for week in range(max(0, person.since_week), plan["weeks"] + plan["after_weeks"]):
        monday = start + timedelta(weeks=week)
        changes = plan["trouble"]["ends" if person.trouble else "begins"]
        person.trouble = person.trouble != (rng.random() < changes)
        leaves = rng.random() < _hazard(person, week, plan["hazard"])
        days = rng.uniform(0, 7)
        if week >= plan["weeks"]:
            if leaves:
                world.leaves_after[person.name] = (week - plan["weeks"]) * 7 + days
                return
            continue
        until = monday + timedelta(days=days if leaves else 7)
        _speak(world, person, monday, until, plan, rng)
        _act(world, person, monday, until, plan, rng)
        if leaves:
            world.outcomes.append(Outcome(customer_id=person.name, occurred_at=until, outcome="churned"))
            return
        if rng.random() < plan["renewals"]:
            world.outcomes.append(Outcome(customer_id=person.name, occurred_at=until, outcome="renewed"))


def _hazard(person: _Person, week: int, hazard: Mapping[str, float]) -> float:
    chance = hazard["plain"]
    if person.trouble:
        chance *= hazard["trouble"]
    if week - person.since_week < 26:
        chance *= hazard["new"]
    if person.satisfaction < 0.6:
        chance *= hazard["dissatisfied"]
    if person.satisfaction > 0.8:
        chance *= hazard["content"]
    if person.minutes < 30:
        chance *= hazard["idle"]
    return chance * (hazard["loyal"] if person.loyal else 1.0)


def _speak(
    world: ChurnWorld,
    person: _Person,
    start: datetime,
    end: datetime,
    plan: Mapping[str, Any],
    rng: random.Random,
) -> None:
    trouble, noise = plan["trouble"], plan["noise"]
    rate = plan["items"] * person.activity
    if person.trouble:
        rate *= trouble["louder_by"] if person.louder else trouble["quieter_by"]
    if person.loyal:
        rate *= 2
    for at in _moments(rate, start, end, rng):
        felt = person.satisfaction + (trouble["satisfaction"] if person.trouble else 0.0)
        felt += rng.gauss(0, plan["satisfaction"]["within"])
        complains = person.loyal and rng.random() < 0.7
        mood = "negative" if felt < 0.5 or complains else "positive" if felt > 0.7 else "neutral"
        if rng.random() < noise["mood_flipped"]:
            mood = rng.choice(("negative", "neutral", "positive"))
        risky = rng.random() < (trouble["signal"] if person.trouble else plan["signal_otherwise"])
        signals = tuple(rng.choices(*zip(*plan["signals"].items(), strict=True))) if risky else ()
        scored = rng.random() < noise["score_share"]
        name = f"{person.name}-{len(world.items)}"
        labels = Labels(
            sentiment=Sentiment(mood), sentiment_confidence=0.8, risk_signals=signals, labeller="world"
        )
        feedback = Feedback(
            feedback_id=name,
            source="world",
            customer_id=person.name,
            occurred_at=at,
            text=name,
            nps=min(10, max(0, round(10 * felt))) if scored else None,
        )
        world.items.append(LabelledFeedback(feedback=feedback, labels=labels))


def _act(
    world: ChurnWorld,
    person: _Person,
    start: datetime,
    end: datetime,
    plan: Mapping[str, Any],
    rng: random.Random,
) -> None:
    done: list[tuple[str, str, float | None]] = []
    if person.minutes:
        minutes = person.minutes * (plan["trouble"]["use_by"] if person.trouble else 1.0)
        done.append(("usage", "app", round(minutes * rng.lognormvariate(0, plan["use"]["noise"]), 1)))
    if rng.random() < (plan["trouble"]["deed"] if person.trouble else plan["deed_otherwise"]):
        done.append(("search", "怎么注销账号", None))
    for kind, detail, value in done:
        at = start + (end - start) * rng.random()
        name = f"E{len(world.events)}"
        world.events.append(
            BehaviourEvent(
                event_id=name, customer_id=person.name, occurred_at=at, kind=kind, detail=detail, value=value
            )
        )


def _moments(rate: float, start: datetime, end: datetime, rng: random.Random) -> list[datetime]:
    """A Poisson stream of `rate` a week."""
    found = []
    at = start + timedelta(weeks=rng.expovariate(rate))
    while at < end:
        found.append(at)
        at += timedelta(weeks=rng.expovariate(rate))
    return found
