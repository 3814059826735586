"""Who lives in the simulated year: the customers, what can be seen of each, who loses heart, who leaves."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Literal

from evals.wording import read_yaml
from evals.world import Person, World

Story = Literal["ordinary", "loud", "leaver", "silent_leaver", "recoverer"]


@dataclass(frozen=True)
class Decline:
    """A customer loses heart from `start` to `end`, worst after `ramp` of that time; `reason` says why."""

    start: date
    end: date
    peak: float
    ramp: float
    reason: str
    louder: bool
    announced: tuple[date, ...]
    returns: bool

    def severity(self, day: date) -> float:
        """How bad it is on a day, 0 to 1."""
        if not self.start <= day <= self.end:
            return 0.0
        share = (day - self.start).days / max(1, (self.end - self.start).days)
        if self.returns and share > self.ramp:
            return self.peak * (1 - share) / (1 - self.ramp)
        return self.peak * min(1.0, share / self.ramp)


@dataclass(frozen=True)
class Life:
    """One customer's year: `liking` is the usual score out of ten, `minutes` weekly use, 0 where unseen."""

    person: Person
    story: Story
    liking: float
    activity: float
    answers: bool
    minutes: float
    searched: bool
    renewal: date
    decline: Decline | None = None
    leaves: date | None = None

    @property
    def customer_id(self) -> str:
        """The id of the customer."""
        return self.person.customer_id

    def at_risk(self, day: date) -> bool:
        """Whether a person who calls would find trouble that may end in leaving."""
        return self.decline is not None and self.decline.start <= day <= self.decline.end

    def really(self, day: date) -> bool:
        """Whether an alert on this day is right: the customer leaves within 90 days, or is truly at risk."""
        return self.at_risk(day) or self.leaves_within(day, 90)

    def leaves_within(self, day: date, days: int) -> bool:
        """Whether the customer leaves within so many days after a day."""
        return self.leaves is not None and timedelta(0) <= self.leaves - day <= timedelta(days=days)


_COUNTS: Final = ("customers", "leavers", "silent_leavers", "recoverers", "loud")


def read_plan(company: str, customers: int | None = None) -> dict[str, Any]:
    """year.yaml, read; `seen` is what this company sees of its customers. `customers`: None as planned."""
    plan: dict[str, Any] = read_yaml("year.yaml")
    share = 1.0 if customers is None else customers / plan["customers"]
    told = {name: round(share * plan[name]) for name in _COUNTS}
    return {**plan, **told, "company": company, "seen": plan["companies"][company]}


def draw_lives(plan: Mapping[str, Any], world: World, rng: random.Random) -> list[Life]:
    """Draw every customer's year: so many of each story, the rest ordinary."""
    told = {**world.data, "customers": plan["customers"], "decliners": 0, "loud_loyal": 0}
    told["english_share"] = plan["english_share"]
    people = replace(world, data=told).people(rng, plan["start"] - timedelta(days=plan["history_days"]))
    stories: list[Story] = []
    for story, count in _stories(plan):
        stories += [story] * count
    stories += ["ordinary"] * (len(people) - len(stories))
    rng.shuffle(stories)
    return [_life(person, story, plan, rng) for person, story in zip(people, stories, strict=True)]


def _stories(plan: Mapping[str, Any]) -> list[tuple[Story, int]]:
    return [
        ("leaver", plan["leavers"]),
        ("silent_leaver", plan["silent_leavers"]),
        ("recoverer", plan["recoverers"]),
        ("loud", plan["loud"]),
    ]


def _life(person: Person, story: Story, plan: Mapping[str, Any], rng: random.Random) -> Life:
    seen, score, start = plan["seen"], plan["score"], plan["start"]
    low, high = plan["usage"]["minutes"]
    life = Life(
        person=person,
        story=story,
        liking=min(10.0, rng.gauss(score["mean"], score["between"])),
        activity=rng.lognormvariate(0, plan["activity_sigma"]),
        answers=story == "loud" or rng.random() < seen["surveys"],
        minutes=rng.uniform(low, high) if rng.random() < seen["usage"] else 0.0,
        searched=rng.random() < seen["searches"],
        renewal=start + timedelta(days=rng.randrange(365)),
    )
    if story == "leaver":
        return _leaving(life, plan, rng)
    if story == "silent_leaver":
        return _gone(life, plan, rng)
    if story == "recoverer":
        return replace(life, decline=_decline(life, plan, rng, leaves=None))
    return life


def _gone(life: Life, plan: Mapping[str, Any], rng: random.Random) -> Life:
    """When they leave: around the renewal, or any day."""
    leaves = plan["start"] + timedelta(days=rng.randrange(45, plan["days"]))
    renewal = life.renewal
    if rng.random() < plan["retention"]["renewal_share"]:
        renewal = leaves + timedelta(days=rng.randrange(-5, 11))
    return replace(life, leaves=leaves, renewal=renewal)


def _leaving(life: Life, plan: Mapping[str, Any], rng: random.Random) -> Life:
    life = _gone(life, plan, rng)
    return replace(life, decline=_decline(life, plan, rng, leaves=life.leaves))


def _decline(life: Life, plan: Mapping[str, Any], rng: random.Random, leaves: date | None) -> Decline:
    rule, reasons = plan["decline"], plan["reasons"]
    days = rng.randint(*rule["days"])
    end = leaves or plan["start"] + timedelta(days=rng.randrange(45, plan["days"]))
    says = rule["announce"] if leaves else rule["holds_to"]
    announced: tuple[date, ...] = ()
    if rng.random() < says:
        # Who comes back says so at the worst, who leaves in the last weeks.
        near = end if leaves else end - timedelta(days=round((1 - rule["ramp"]) * days))
        first = near - timedelta(days=rng.randint(*rule["announce_days"]))
        more = [first + timedelta(days=rng.randrange(1, 12)) for _ in range(rng.choice((0, 1, 1, 2)))]
        announced = tuple(sorted({first, *(day for day in more if day < near)}))
    return Decline(
        start=end - timedelta(days=days),
        end=end,
        peak=rng.uniform(*rule["peak" if leaves else "peak_back"]),
        ramp=rule["ramp"],
        reason=rng.choices(list(reasons), [reason["weight"] for reason in reasons.values()])[0],
        louder=rng.random() < rule["louder"],
        announced=announced,
        returns=leaves is None,
    )
