"""What several signs mean together: deeds that confirm words, price beside a rival, a renewal that is near.

Each is a part of its own, added to what its signs cost by themselves, so that the parts of a score still add
up and a reader sees what the coincidence was worth.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from analytics.customer_history import History
from analytics.health_rules import HealthRules

if TYPE_CHECKING:
    from analytics.health import Part

_DEEDS: Final = ("behaviour", "usage_fall")
_WORDS: Final = ("signal", "negative_share", "baseline_break", "score_trend")


def together(parts: Sequence["Part"], past: History, rules: HealthRules, now: datetime) -> Iterable["Part"]:
    """The parts that `parts` bring about together; `past` holds what is known up to `now`."""
    harmful = [part for part in parts if part.points < 0]
    yield from _confirmed(harmful, rules, now)
    yield from _price_and_rival(harmful, rules, now)
    yield from _renewal(harmful, past, rules, now)


def _confirmed(parts: Sequence["Part"], rules: HealthRules, now: datetime) -> Iterable["Part"]:
    """What the customer does confirms what the customer says, both within `days`."""
    rule = rules.confirmed
    start = now - timedelta(days=rule.days)
    fresh = [part for part in parts if part.at is not None and part.at > start]
    deeds = [part for part in fresh if part.name in _DEEDS and part.points <= rule.least]
    words = [part for part in fresh if part.name in _WORDS and part.points <= rule.least]
    if deeds and words:
        yield _of("confirmed", rule.points, [*words, *deeds])


def _price_and_rival(parts: Sequence["Part"], rules: HealthRules, now: datetime) -> Iterable["Part"]:
    """Price and a competitor were both spoken of, or looked for, lately."""
    rule = rules.price_and_rival
    start = now - timedelta(days=rules.recent_days)
    fresh = [part for part in parts if part.at is not None and part.at > start]
    price = [part for part in fresh if part.detail in ("price", "price_page")]
    rival = [part for part in fresh if part.detail in ("competitor", "competitor_search")]
    if price and rival:
        yield _of("price_and_rival", rule.points, [*price, *rival])


def _renewal(parts: Sequence["Part"], past: History, rules: HealthRules, now: datetime) -> Iterable["Part"]:
    """A contract that ends soon makes all that is wrong weigh more; by itself it means nothing."""
    rule = rules.renewal
    if past.renewal is None:
        return
    days = (past.renewal - now.date()).days
    lost = sum(part.points for part in parts)
    if 0 <= days <= rule.days_before and lost < 0:
        worst = min(parts, key=lambda part: part.points)
        yield _of("renewal", max(rule.worst, rule.share * lost), [worst], days=float(days))


def _of(name: str, points: float, parts: Sequence["Part"], **figures: float) -> "Part":
    from analytics.health import Part

    times = [part.at for part in parts if part.at is not None]
    ids = dict.fromkeys(one for part in parts for one in part.evidence)
    return Part(name, points, max(times, default=None), tuple(ids)[:5], figures=figures)  # type: ignore[arg-type]
