"""Customers drawn from kinds that differ, judged by the real rules, with verdicts known to be true."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from retention.behaviour import load_behaviour
from retention.contexts import addends, contexts_of
from retention.policy import Policy
from retention.risk import Risk, assess
from retention.verdict_cases import VerdictCase
from store.facts import Voice
from store.records import BehaviourEvent, Sentiment

_FILE: Final = Path(__file__).with_name("learning_world.yaml")
NOW: Final = datetime(2026, 11, 22, 4, tzinfo=UTC)
# What is written down of a deed, by its name in the policy.
_DEEDS: Final = {
    "cancel_search": ("search", "how to cancel my subscription"),
    "export_data": ("click", "export all data"),
    "competitor_search": ("search", "alternatives"),
    "price_page": ("page_view", "pricing page"),
}


@dataclass(frozen=True)
class Drawn:
    """An alert's case with the verdict a person gives (`case.right`), and what is true."""

    case: VerdictCase
    true: bool
    announced: bool


@lru_cache(maxsize=1)
def world_file() -> Mapping[str, Any]:
    """The numbers of the worlds."""
    found: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return found


def draw_cases(world: str, n: int, seed: int, policy: Policy) -> list[Drawn]:
    """Draw customers until `n` of them had an alert; a verdict each, an hour apart, oldest first."""
    rng = np.random.default_rng(seed)
    kinds, told = world_file()["kinds"], world_file()["worlds"][world]
    names = list(kinds)
    shares = np.array([kinds[name]["share"] for name in names])
    found: list[Drawn] = []
    while len(found) < n:
        kind = names[rng.choice(len(names), p=shares / shares.sum())]
        customer = f"s{seed}-{len(found)}-{rng.integers(1 << 40)}"
        risk = _risk(customer, kinds[kind], rng, policy)
        if risk.triggers:
            at = NOW - timedelta(hours=n - len(found))
            found.append(_drawn(risk, told, kind, at, rng))
    return found


def _drawn(risk: Risk, told: Mapping[str, Any], kind: str, at: datetime, rng: np.random.Generator) -> Drawn:
    causes = tuple(dict.fromkeys(trigger.cause for trigger in risk.triggers))
    chance = min([told["right"][kind], *(told.get("except", {}).get(cause, 1) for cause in causes)])
    true = bool(rng.random() < chance)
    said = true != bool(rng.random() < told["flipped"])
    parts = addends(risk.health.parts)
    case = VerdictCase(
        alert_id=f"alert-{risk.customer_id}",
        customer_id=risk.customer_id,
        at=at,
        right=said,
        causes=causes,
        contexts=contexts_of(parts),
        points={part.key: part.points for part in parts},
        base=100 - risk.health.base,
    )
    return Drawn(case, true, announced="cancel" in causes)


def _risk(customer: str, kind: Mapping[str, Any], rng: np.random.Generator, policy: Policy) -> Risk:
    voices = [*_scored(customer, kind["score"], rng), *_said(customer, kind, rng)]
    events = [*_done(customer, kind["deeds"], rng), *_used(customer, kind["use_falls"], rng)]
    return assess(customer, voices, events, policy=policy, behaviour=load_behaviour(), now=NOW)


def _scored(customer: str, score: Mapping[str, float], rng: np.random.Generator) -> list[Voice]:
    if rng.random() >= world_file()["scored"]:
        return []
    n = world_file()["scores"]
    days = [*np.sort(rng.uniform(70, 350, n - 2))[::-1], *np.sort(rng.uniform(1, 50, 2))[::-1]]
    own = rng.normal(score["mean"], score["sd"])
    found = []
    for at, day in enumerate(days):
        level = own - (score["fall"] if at >= n - 2 else 0) + rng.normal(0, 0.06)
        value = float(round(10 * min(1.0, max(0.0, level))))
        found.append(_voice(customer, f"n{at}", float(day), None, (), {"nps": value}))
    return found


def _said(customer: str, kind: Mapping[str, Any], rng: np.random.Generator) -> list[Voice]:
    found = [
        _voice(customer, f"p{at}", float(rng.uniform(1, 58)), Sentiment.POSITIVE, ())
        for at in range(rng.poisson(kind["positives"]))
    ]
    found += [
        _voice(customer, f"m{at}", float(rng.uniform(0, 58)), Sentiment.NEGATIVE, ())
        for at in range(rng.poisson(kind["negatives"]))
    ]
    for at in range(rng.poisson(kind["signals"]["rate"])):
        name = _one_of(kind["signals"]["of"], rng)
        found.append(_voice(customer, f"r{at}", float(rng.uniform(0, 28)), Sentiment.NEGATIVE, (name,)))
    return found


def _done(customer: str, deeds: Mapping[str, Any], rng: np.random.Generator) -> list[BehaviourEvent]:
    found = []
    for at in range(rng.poisson(deeds["rate"])):
        name = _one_of(deeds["of"], rng)
        for again in range(3 if name == "price_page" else 1):
            found.append(_event(customer, f"d{at}-{again}", float(rng.uniform(0, 28)), *_DEEDS[name]))
    return found


def _used(customer: str, falls: float, rng: np.random.Generator) -> list[BehaviourEvent]:
    if rng.random() >= world_file()["used"]:
        return []
    recent = 1 if rng.random() < falls else 4
    days = [*rng.uniform(29, 200, 24), *rng.uniform(0, 28, recent)]
    return [_event(customer, f"u{at}", float(day), "login", "") for at, day in enumerate(days)]


def _voice(
    customer: str,
    name: str,
    days: float,
    sentiment: Sentiment | None,
    signals: tuple[str, ...],
    scores: Mapping[str, float] | None = None,
) -> Voice:
    at = NOW - timedelta(days=days)
    return Voice(customer, f"{customer}-{name}", at, scores or {}, sentiment, (), signals)


def _event(customer: str, name: str, days: float, kind: str, detail: str) -> BehaviourEvent:
    return BehaviourEvent(
        event_id=f"{customer}-{name}",
        customer_id=customer,
        occurred_at=NOW - timedelta(days=days),
        kind=kind,
        detail=detail,
    )


def _one_of(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    chances = np.array(list(weights.values()), dtype=float)
    return list(weights)[rng.choice(len(chances), p=chances / chances.sum())]
