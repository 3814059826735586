"""Figures of a lived year: who was found, how early, and how many were called for nothing."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, TypedDict

from scipy import stats

from analytics.estimates import proportion
from evals.year_feed import Year
from evals.year_lives import Life
from evals.year_run import PERSON_TIERS, Raised
from store.records import Tier

AHEAD_DAYS: Final = 14
WINDOW_DAYS: Final = 90
_FUNCTION: Final = frozenset(
    {"product/usability", "product/features", "product/performance", "product/stability"}
)
_FUNCTION_DAYS: Final = 30
_HARMLESS: Final = frozenset({"positive", "neutral", "decoy", "score"})


class Share(TypedDict):
    """A share with Wilson's 95% interval: `hits` of `n`."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    n: int


def figures(year: Year, raised: Sequence[Raised], since: date, until: date) -> dict[str, Any]:
    """All figures of the alerts that were opened, and of the customers who left, from `since` to `until`."""
    within = [one for one in raised if since <= one.day < until]
    leavers = [life for life in year.lives.values() if life.leaves and since <= _latest(life) < until]
    return {
        "from": since.isoformat(),
        "until": until.isoformat(),
        "alerts": dict(Counter(one.tier.value for one in within)),
        **_called(year, within, (until - since).days),
        **_found(year, raised, leavers),
    }


def _called(year: Year, raised: Sequence[Raised], days: int) -> dict[str, Any]:
    """Of those a person was asked to call: how many were worth it; of yellow ones, how many had trouble."""
    asked = [(year.lives[one.customer_id], on) for one in raised if (on := one.person_day()) is not None]
    right = [life.really(on) for life, on in asked]
    strict = [life.leaves_within(on, WINDOW_DAYS) for life, on in asked]
    yellow = [one for one in raised if one.tier is Tier.YELLOW]
    trouble = function_trouble(year)
    by_cause: dict[str, list[bool]] = {}
    by_story: Counter[str] = Counter()
    for one in raised:
        on = one.person_day()
        if on is None:
            continue
        life = year.lives[one.customer_id]
        by_cause.setdefault(f"{one.tier.value}: {one.causes[0]}", []).append(life.really(on))
        if not life.really(on):
            by_story[life.story] += 1
    return {
        "precision": share(right),
        "precision_strict": share(strict),
        "false_alarms": monthly(len(right) - sum(right), len(year.lives), days),
        "false_alarms_strict": monthly(len(strict) - sum(strict), len(year.lives), days),
        "yellow_right": share([_had(trouble, one.customer_id, one.day) for one in yellow]),
        "by_cause": {cause: share(found) for cause, found in sorted(by_cause.items())},
        "false_by_story": dict(by_story),
    }


def _found(year: Year, raised: Sequence[Raised], leavers: Sequence[Life]) -> dict[str, Any]:
    by_customer: dict[str, list[Raised]] = {}
    for one in raised:
        by_customer.setdefault(one.customer_id, []).append(one)
    declined = [life for life in leavers if life.decline]
    announced = [life for life in declined if life.decline and life.decline.announced]
    traced = traces(year)

    def early(lives: Iterable[Life], tiers: frozenset[Tier] = frozenset(Tier)) -> Share:
        return share(
            [_early(by_customer.get(one.customer_id, ()), one.leaves, tiers) for one in lives if one.leaves]
        )

    return {
        "leavers": len(leavers),
        "traceless": share([not traced(life) for life in leavers]),
        "recall": early(declined),
        "recall_person": early(declined, PERSON_TIERS),
        "recall_all_leavers": early(leavers),
        "recall_announcing": early(announced),
        "recall_not_announcing": early([one for one in declined if one not in announced]),
        "recall_silent": early([life for life in leavers if not life.decline]),
        "recall_any_time": share([_before(by_customer.get(one.customer_id, ()), one) for one in declined]),
        "red_of_announcing": share([_red(by_customer.get(one.customer_id, ()), one) for one in announced]),
        "chance": _chance(year, by_customer),
    }


def share(hits: Sequence[bool]) -> Share:
    """The share that is true."""
    found = proportion(len(hits), float(sum(hits)))
    return Share(value=found.value, low=found.ci_low, high=found.ci_high, hits=sum(hits), n=len(hits))


def monthly(count: int, customers: int, days: int) -> dict[str, float]:
    """Events per 1,000 customers and month, with the exact 95% interval of a Poisson count (Garwood 1936)."""
    unit = customers / 1000 * days / (365.25 / 12)
    low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    high = stats.chi2.ppf(0.975, 2 * count + 2) / 2
    return {"value": count / unit, "low": low / unit, "high": high / unit, "count": count}


def function_trouble(year: Year) -> Mapping[str, Sequence[date]]:
    """By customer, the days on which they truly complained of a function."""
    found: dict[str, list[date]] = {}
    for day, items in year.items.items():
        for item in items:
            known = item.feedback_id
            if item.customer_id and year.kinds[known] == "negative" and _FUNCTION & {*year.topics[known]}:
                found.setdefault(item.customer_id, []).append(day)
    return found


def traces(year: Year) -> Callable[[Life], bool]:
    """Tells whether anything of a leaver's last 90 days could give the leaving away."""
    spoke: dict[str, list[date]] = {}
    for day, items in year.items.items():
        for item in items:
            harmless = year.kinds[item.feedback_id] in _HARMLESS and (item.nps is None or item.nps > 6)
            if item.customer_id and not harmless:
                spoke.setdefault(item.customer_id, []).append(day)
    for day, events in year.events.items():
        for event in events:
            if event.kind != "usage":
                spoke.setdefault(event.customer_id, []).append(day)

    def told(life: Life) -> bool:
        assert life.leaves is not None
        start = life.leaves - timedelta(days=WINDOW_DAYS)
        fell = life.decline is not None and life.minutes > 0
        return fell or any(start <= day < life.leaves for day in spoke.get(life.customer_id, ()))

    return told


def _latest(life: Life) -> date:
    """The last day on which an alert is early enough."""
    assert life.leaves is not None
    return life.leaves - timedelta(days=AHEAD_DAYS)


def _early(raised: Iterable[Raised], leaves: date, tiers: frozenset[Tier] = frozenset(Tier)) -> bool:
    first, last = leaves - timedelta(days=WINDOW_DAYS), leaves - timedelta(days=AHEAD_DAYS)
    return any(first <= day <= last for one in raised for tier, day in one.tiers.items() if tier in tiers)


def _before(raised: Iterable[Raised], life: Life) -> bool:
    assert life.leaves is not None
    first = life.leaves - timedelta(days=WINDOW_DAYS)
    return any(first <= day < life.leaves for one in raised for day in one.tiers.values())


def _red(raised: Iterable[Raised], life: Life) -> bool:
    """Whether red was reached between the first announcement and the leaving."""
    assert life.decline is not None and life.leaves is not None
    first = min(life.decline.announced)
    return any(first <= one.tiers[Tier.RED] <= life.leaves for one in raised if Tier.RED in one.tiers)


def _had(trouble: Mapping[str, Sequence[date]], customer_id: str, on: date) -> bool:
    start = on - timedelta(days=_FUNCTION_DAYS)
    return any(start <= day <= on for day in trouble.get(customer_id, ()))


def _chance(year: Year, by_customer: Mapping[str, Sequence[Raised]]) -> Share:
    """The recall that luck alone gives: the same question of customers who stay, on days drawn at random."""
    rng = random.Random("chance")
    days = year.plan["days"]
    return share(
        [
            _early(
                by_customer.get(life.customer_id, ()), year.start + timedelta(days=rng.randrange(45, days))
            )
            for life in year.lives.values()
            if life.leaves is None and life.decline is None
        ]
    )
