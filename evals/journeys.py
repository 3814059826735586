"""What the customers of the sample feed do besides talking: use, searches, and how it ends."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from evals.feed import Feed
from evals.stories import leaves_on
from evals.world import Person

_FOLLOWED = 170
_WARNING_DAYS = 35


def behaviour(feed: Feed, rng: random.Random) -> list[dict[str, Any]]:
    """Behaviour events of the customers with a story and of some ordinary ones, by time.

    Weekly `usage` (minutes), `page_view` and `search`. Those who decline use the app less and less and look
    for ways out in their last weeks; now and then an ordinary customer looks for them too.
    """
    span = feed.calendar.span
    texts = feed.world.data["searches"]
    rows: list[dict[str, Any]] = []
    ordinary = 0
    for person in feed.people:
        ordinary += person.loyalty == "ordinary"
        if person.loyalty == "ordinary" and ordinary > _FOLLOWED:
            break
        leaves = leaves_on(feed, person) if person.loyalty == "declining" else None
        rows += _usage(person, span.start, min(leaves or span.end, span.end), leaves, rng)
        rows += _searches(person, span.start, span.end, leaves, texts, rng)
    rows.sort(key=lambda row: (row["occurred_at"], row["customer_id"], row["kind"]))
    return [{"event_id": f"E{number:06d}", **row} for number, row in enumerate(rows, start=1)]


def outcomes(feed: Feed, rng: random.Random) -> list[dict[str, Any]]:
    """What became of customers within the feed: decliners churn, and so do a few without any sign."""
    span = feed.calendar.span
    days = (span.end - span.start).days
    rows = []
    for person in feed.people:
        if person.loyalty == "declining":
            leaves = leaves_on(feed, person)
            if leaves < span.end:
                rows.append(_outcome(person, leaves, "churned", rng))
            continue
        on = span.start + timedelta(days=rng.randrange(days))
        draw = rng.random()
        if person.loyalty == "loud":
            rows.append(_outcome(person, on, "renewed", rng))
        elif draw < 0.02 and feed.last_day.get(person.customer_id, on) < span.end - timedelta(days=5):
            quiet = feed.last_day.get(person.customer_id, on) + timedelta(days=rng.randrange(1, 5))
            rows.append(_outcome(person, quiet, "churned", rng))
        elif draw < 0.24:
            rows.append(_outcome(person, on, "renewed", rng))
        elif draw < 0.42:
            rows.append(_outcome(person, on, "repurchased", rng))
        elif draw < 0.47:
            rows.append(_outcome(person, on, "refunded", rng))
    return sorted(rows, key=lambda row: (row["occurred_at"], row["customer_id"]))


def _usage(
    person: Person, start: date, end: date, leaves: date | None, rng: random.Random
) -> Iterator[dict[str, Any]]:
    usual = rng.uniform(20, 90)
    day = start + timedelta(days=rng.randrange(7))
    while day < end:
        fade = 1.0
        if leaves is not None:
            fade = min(1.0, max(0.08, (leaves - day).days / (_WARNING_DAYS + 10)))
        yield _event(person, day, "usage", "app", round(usual * fade * rng.uniform(0.8, 1.2), 1), rng)
        day += timedelta(days=7)


def _searches(
    person: Person,
    start: date,
    end: date,
    leaves: date | None,
    texts: dict[str, list[str]],
    rng: random.Random,
) -> Iterator[dict[str, Any]]:
    days = (end - start).days
    for _ in range(rng.randrange(1, 5)):
        day = start + timedelta(days=rng.randrange(days))
        if leaves is None or day < leaves:
            yield _event(person, day, "search", rng.choice(texts["usual"]), None, rng)
    if leaves is not None:
        for ahead in sorted(rng.sample(range(2, 26), 3), reverse=True):
            day = leaves - timedelta(days=ahead)
            if start <= day < end:
                kind, text = rng.choice(
                    (("search", rng.choice(texts["leaving"])), ("page_view", "价格与续费"))
                )
                yield _event(person, day, kind, text, None, rng)
    elif rng.random() < 0.03:
        day = start + timedelta(days=rng.randrange(days))
        yield _event(person, day, "search", rng.choice(texts["leaving"]), None, rng)


def _event(
    person: Person, day: date, kind: str, detail: str, value: float | None, rng: random.Random
) -> dict[str, Any]:
    at = datetime.combine(day, time(rng.randrange(8, 23), rng.randrange(60)))
    return {
        "customer_id": person.customer_id,
        "occurred_at": at.isoformat(sep=" "),
        "kind": kind,
        "detail": detail,
        "value": "" if value is None else value,
    }


def _outcome(person: Person, day: date, outcome: str, rng: random.Random) -> dict[str, Any]:
    at = datetime.combine(day, time(rng.randrange(9, 21), rng.randrange(60)))
    value = round(person.value * rng.uniform(0.1, 0.4), 2) if outcome in ("renewed", "repurchased") else ""
    return {
        "customer_id": person.customer_id,
        "occurred_at": at.isoformat(sep=" "),
        "outcome": outcome,
        "value": value,
    }
