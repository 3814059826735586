"""Worlds of 20,000 items with one planted cause, or with none but something that looks like one.

Every item has a latent mood: levels of its region, product, channel ... that last (so groups differ all the
time), weekly noise of each region (so groups differ by more than sampling) and its own part. A planted cause
turns a share of the items on which its conditions hold, in the later window, into complaints about one topic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evals.wording import read_yaml

if TYPE_CHECKING:
    from numpy.random import Generator

Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]
END = date(2026, 7, 1)
ITEMS = 20_000
_WINDOWS = 4
# A planted cause hits at least this many scored items, and at most this part of the window.
_LEAST_HIT, _MOST_HIT = 60, 0.4
# By how many standard errors a planted cause moves its own items at least.
_LEAST_T = 7.0


@dataclass
class World:
    """One data set: a column of 20,000 values for each field, and what is true of it.

    `conditions` are the planted ones (empty for a decoy), `kind` says what was planted or put up as a decoy.
    """

    name: str
    kind: str
    planted: bool
    metric: str
    level: bool
    days: int
    columns: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    topic: str | None = None
    strength: float = 0.0

    def period(self, back: int = 0) -> dict[str, str]:
        """The later window, or one `back` windows before it, as a tool takes it."""
        end = END - timedelta(days=back * self.days)
        return {"from": (end - timedelta(days=self.days)).isoformat(), "to": end.isoformat()}

    @property
    def after(self) -> Mask:
        """Which items lie in the later window."""
        after: Mask = self.columns["day"] >= self.days * (_WINDOWS - 1)
        return after

    def mask(self, conditions: Mapping[str, str]) -> Mask:
        """On which items of the later window all conditions hold; none where one is not known here."""
        found = self.after.copy()
        for name, value in conditions.items():
            column = self.columns.get(name)
            found &= np.zeros(len(found), dtype=bool) if column is None else column == value
        return found


def make_world(kind: str, number: int, seed: int) -> World:
    """The world of a kind; the same kind, number and seed give the same one."""
    data = read_yaml("planted_worlds.yaml")
    rng = np.random.default_rng([seed, number])
    planted = kind in data["planted"]
    metric = data["metrics_of"][kind] if planted else str(rng.choice(["nps", "nps", "negative_share"]))
    metric = "nps" if kind in ("promotion", "mix") else metric
    days = 10 if kind == "season" else int(rng.choice([14, 28]))
    world = World(f"{kind} {number}", kind, planted, metric, kind == "level", days)
    _people(world, data, rng)
    mood = _mood(world, data, rng)
    if planted:
        _plant(world, data, mood, rng)
    _say(world, data, mood, rng)
    return world


def _people(world: World, data: Mapping[str, Any], rng: "Generator") -> None:
    """Who, where and when: everything but the mood."""
    columns = world.columns
    weights = np.asarray(data["weekdays"])
    days = world.days * _WINDOWS
    start = END - timedelta(days=days)
    weekday = np.array([(start + timedelta(days=n)).isoweekday() for n in range(days)])
    busy = weights[weekday - 1].copy()
    promotions = _promotions(world, rng)
    for _, first, last in promotions:
        if world.kind == "promotion" or (world.kind != "surge" and rng.random() < 0.3):
            busy[first:last] *= rng.uniform(1.4, 2.0)
    day = rng.choice(days, ITEMS, p=busy / busy.sum())
    hours = np.asarray(data["hours"])
    columns["day"] = day
    columns["hour_number"] = rng.choice(24, ITEMS, p=hours / hours.sum())
    columns["hour"] = columns["hour_number"].astype(str).astype(object)
    columns["weekday"] = weekday[day].astype(str).astype(object)
    columns["day_type"] = np.where(weekday[day] <= 5, "workday", "weekend").astype(object)
    for name, values in data["dimensions"].items():
        if name != "version":
            columns[name] = _drawn(
                values[: int(rng.integers(max(2, len(values) // 2), len(values) + 1))], rng
            )
    columns["city"] = (columns["region"] + rng.choice(["一", "二", "三"], ITEMS, p=[0.5, 0.3, 0.2])).astype(
        object
    )
    if world.kind == "mix":
        moved = world.after & (rng.random(ITEMS) < 0.3)
        columns["channel"][moved] = _rarest(columns["channel"])
    columns["version"] = _versions(world, data["dimensions"]["version"], rng)
    columns["活动"] = np.full(ITEMS, None, dtype=object)
    for name, first, last in promotions:
        joined = (day >= first) & (day < last) & (rng.random(ITEMS) < 0.5)
        columns["活动"][joined] = name


def _promotions(world: World, rng: "Generator") -> list[tuple[str, int, int]]:
    """One promotion in each of the last two windows, as (name, first day, day after the last)."""
    found = []
    for name, window in zip(read_yaml("planted_worlds.yaml")["promotions"], (2, 3), strict=True):
        length = max(3, world.days // 2)
        first = window * world.days + int(rng.integers(0, world.days - length + 1))
        found.append((name, first, first + length))
    return found


def _drawn(values: Sequence[str], rng: "Generator") -> Texts:
    """Values of falling weight (a power law), the order of the weights at random."""
    weights = 1 / np.arange(1, len(values) + 1) ** rng.uniform(0.3, 0.9)
    return np.array(rng.permutation(values), dtype=object)[
        rng.choice(len(values), ITEMS, p=weights / weights.sum())
    ]


def _rarest(values: Texts) -> str:
    names, counts = np.unique(values.astype(str), return_counts=True)
    return str(names[counts.argmin()])


def _versions(world: World, versions: Sequence[str], rng: "Generator") -> Texts:
    """Only the app knows its version; each release spreads within nine days."""
    days = world.days * _WINDOWS
    releases = [0, *sorted(rng.integers(5, days - world.days // 2, len(versions) - 1).tolist())]
    day = world.columns["day"]
    found = np.full(ITEMS, versions[0], dtype=object)
    for version, first in zip(versions[1:], releases[1:], strict=True):
        taken = np.clip(0.25 + 0.075 * (day - first), 0, 0.92) * (day >= first)
        found[rng.random(ITEMS) < taken] = version
    found[~np.isin(world.columns["channel"].astype(str), ["app", "chat", "ticket"])] = None
    return found


def _mood(world: World, data: Mapping[str, Any], rng: "Generator") -> NDArray[np.float64]:
    """Latent mood of each item, before anything is planted."""
    columns = world.columns
    mood = rng.normal(0, 1, ITEMS)
    # A release that is worse than the last one would be a cause by itself; in a world about a level every
    # lasting difference would.
    spread = 0.03 if world.level else 0.12
    for name in (*data["dimensions"], "weekday", "day_type"):
        values, codes = np.unique(columns[name].astype(str), return_inverse=True)
        if name != "version":
            mood += rng.normal(0, spread, len(values))[codes]
    regions, codes = np.unique(columns["region"].astype(str), return_inverse=True)
    weeks = columns["day"] // 7
    noise = 0.12 if world.kind == "small_groups" else 0.06
    mood += rng.normal(0, noise, (len(regions), int(weeks.max()) + 1))[codes, weeks]
    # The same for everybody: seldom nothing, in the drift decoy a lot.
    drift = rng.uniform(0.15, 0.4) if world.kind == "drift" else rng.choice([0, 0, 0.08])
    mood -= drift * world.after
    if world.kind == "mix":
        mood -= 0.6 * (columns["channel"] == _rarest(columns["channel"][~world.after]))
    if world.kind == "season":
        mood -= rng.uniform(0.2, 0.4) * (columns["day_type"] == "weekend")
    if world.kind == "small_groups":
        tiny = rng.choice(np.flatnonzero(world.after), 8, replace=False)
        columns["region"][tiny], columns["city"][tiny] = "西藏", "西藏一"
        mood[tiny] -= 3
    return mood


def _plant(world: World, data: Mapping[str, Any], mood: NDArray[np.float64], rng: "Generator") -> None:
    """Choose conditions that hold on enough items, and turn a share of these (for a surge: add to them)."""
    columns = world.columns
    world.topic = str(rng.choice(data["topics"]))
    if world.kind == "topic":
        world.conditions, world.strength = {"topic": world.topic}, float(rng.uniform(0.08, 0.16))
        hit = world.after
    else:
        hit = _conditions(world, data, rng)
    span = hit if world.kind == "level" or world.kind == "topic" else hit & world.after
    if world.kind == "level":
        span = np.ones(ITEMS, dtype=bool)
        for name, value in world.conditions.items():
            span &= columns[name] == value
    if world.kind == "surge" or (world.kind in ("drop", "rise") and rng.random() < 0.3):
        _multiply(world, mood, span, rng)
        span = world.mask(world.conditions)
    if world.kind != "surge":
        columns["turned"] = span & (rng.random(ITEMS) < world.strength)
        mood[columns["turned"]] = -3.0


def _conditions(world: World, data: Mapping[str, Any], rng: "Generator") -> Mask:
    lengths = np.array(list(data["lengths"].values()), dtype=float)
    weights = np.array(list(data["condition_weights"].values()), dtype=float)
    names = list(data["condition_weights"])
    after = world.after
    scored = 0.6 if world.metric in ("nps", "csat") else 1.0
    while True:
        length = int(rng.choice(list(data["lengths"]), p=lengths / lengths.sum()))
        chosen = rng.choice(names, length, replace=False, p=weights / weights.sum())
        if {"city", "region"} <= set(chosen) or len({"hour", "weekday", "day_type"} & set(chosen)) == 3:
            continue
        if {"weekday", "day_type"} <= set(chosen):
            continue
        if world.kind == "surge" and {"version", "活动"} & set(chosen):
            # A release or a promotion that began has its volume by itself.
            continue
        like = int(rng.choice(np.flatnonzero(after)))
        values = {name: world.columns[name][like] for name in chosen}
        if any(value is None for value in values.values()):
            continue
        world.conditions = {str(name): str(value) for name, value in values.items()}
        world.strength = float(rng.uniform(0.35, 0.9))
        hit = world.mask(world.conditions)
        n = float(hit.sum()) * scored
        strong = world.strength * np.sqrt(n) >= _LEAST_T or world.kind == "surge"
        if n >= _LEAST_HIT and strong and hit.sum() <= _MOST_HIT * after.sum():
            return hit


def _multiply(world: World, mood: NDArray[np.float64], span: Mask, rng: "Generator") -> None:
    """More items like those of the span, in place of items of earlier windows drawn at random."""
    more = rng.uniform(1.0, 2.5) if world.kind == "surge" else rng.uniform(0.1, 0.7)
    source = np.flatnonzero(span)
    early = np.flatnonzero(world.columns["day"] < world.days * (_WINDOWS - 2))
    extra = rng.choice(source, min(int(more * len(source)), len(early) // 2))
    place = rng.choice(early, len(extra), replace=False)
    for column in world.columns.values():
        column[place] = column[extra]
    mood[place] = rng.permutation(mood[extra])


def _say(world: World, data: Mapping[str, Any], mood: NDArray[np.float64], rng: "Generator") -> None:
    """Scores, sentiment, topic and text that fit the mood."""
    columns = world.columns
    turned = columns.setdefault("turned", np.zeros(ITEMS, dtype=bool))
    columns["nps"] = np.where(mood > 0, 9 + (rng.random(ITEMS) < 0.5), np.where(mood > -0.7, 7.5, 4.0))
    columns["nps"] = np.where(columns["nps"] == 7.5, 7 + (rng.random(ITEMS) < 0.5), columns["nps"])
    columns["nps"] = np.where(columns["nps"] == 4, rng.integers(0, 7, ITEMS), columns["nps"]).astype(float)
    columns["csat"] = np.clip(np.round(3.8 + mood), 1, 5)
    scored = rng.random(ITEMS) < 0.6
    columns["nps"][~scored], columns["csat"][rng.random(ITEMS) < 0.4] = np.nan, np.nan
    heard = mood + rng.normal(0, 0.4, ITEMS)
    columns["sentiment"] = np.where(heard < -0.7, "negative", np.where(heard > 0.2, "positive", "neutral"))
    columns["sentiment"] = columns["sentiment"].astype(object)
    topic = _drawn(data["topics"], rng)
    topic[turned] = world.topic
    columns["topic"] = topic
    columns["text"] = np.array(data["words"], dtype=object)[rng.integers(0, len(data["words"]), ITEMS)]
