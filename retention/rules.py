"""Items that a company's own rules hold of: the database selects them, the rest is decided here."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from retention.policy import Policy
from retention.policy_rules import CompanyRule
from store.facts import FactStore, Find, Selection, Window
from store.records import Feedback, LabelledFeedback, Tier

_PAGE: Final = 1000
_SCORES: Final = ("nps", "csat", "ces", "rating")


class RuleHit(NamedTuple):
    """One item of a customer that a rule holds of."""

    cause: str
    tier: Tier
    at: datetime
    feedback_id: str


RuleHits = Mapping[str, Sequence[RuleHit]]


def rule_hits(
    facts: FactStore, policy: Policy, at: datetime, customer_ids: Collection[str] | None = None
) -> RuleHits:
    """What each customer (of these) has said within the days of `triggers.signal_days` that a rule is about.

    Items without a customer or a time are left out: an alert is about somebody. A rule that asks for a column
    which no item has holds of none.
    """
    found: dict[str, list[RuleHit]] = defaultdict(list)
    wanted = None if customer_ids is None else frozenset(customer_ids)
    window = Window(at - timedelta(days=policy.triggers.signal_days), at + timedelta(microseconds=1))
    for rule in policy.rules:
        for item in _items(facts, rule, window).values():
            who, when = item.customer_id, item.occurred_at
            if who is None or when is None or (wanted is not None and who not in wanted):
                continue
            if rule.when.allows(item.text, _scores(item)):
                found[who].append(RuleHit(rule.cause, rule.tier, when, item.feedback_id))
    return found


def told_by_rules(policy: Policy, causes: Collection[str]) -> frozenset[str]:
    """The targets that the rules behind these causes name."""
    rules = [rule for cause in causes if (rule := policy.rule(cause)) is not None]
    return frozenset(name for rule in rules for name in rule.tell)


def _items(facts: FactStore, rule: CompanyRule, window: Window) -> dict[str, Feedback]:
    """By id: those with any of the words, and all else that a database can tell."""
    known = facts.catalogue().dimensions
    if any(name not in known for name in rule.when.where):
        return {}
    selection = Selection(window, filters=rule.when.filters())
    wanted: list[tuple[str, ...]] = [(word,) for word in rule.when.contains] or [()]
    return {
        item.feedback.feedback_id: item.feedback
        for contains in wanted
        for item in _pages(facts, Find(selection, contains=contains, order="id", limit=_PAGE))
    }


def _pages(facts: FactStore, find: Find) -> Iterator[LabelledFeedback]:
    offset = 0
    while page := facts.find(
        Find(find.selection, contains=find.contains, order=find.order, limit=find.limit, offset=offset)
    ):
        yield from page
        offset += len(page)
        if len(page) < find.limit:
            return


def _scores(item: Feedback) -> dict[str, float]:
    """Every number given of an item, by its name."""
    given = {name: value for name in _SCORES if (value := getattr(item, name)) is not None}
    return {**item.metrics, **given}
