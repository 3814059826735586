"""Which policy holds for which customer: the common one, changed by the segments that the customer is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from retention.policy import Policy
from retention.policy_segments import Segment
from store.customer_features import CustomerQuestion
from store.facts import FactStore, Selection, Window
from store.records import Customer

# What a customer's profile tells besides attributes.
PROFILE: Final = ("tier", "customer_type", "region", "city", "org_unit", "owner")


@dataclass(frozen=True)
class PolicyFor:
    """The policy of each customer. `of` those of no segment is the common one."""

    common: Policy
    changed: Mapping[str, Policy]
    segments: Mapping[str, tuple[str, ...]]

    def of(self, customer_id: str) -> Policy:
        """The policy that holds for a customer."""
        return self.changed.get(customer_id, self.common)


def policies_for(facts: FactStore, policy: Policy, customer_ids: Sequence[str], at: datetime) -> PolicyFor:
    """The policies of these customers as they stood at `at`; nothing is asked where there are no segments.

    A customer is of a segment where all that it names holds, by the profile or by an item within the policy's
    history. Segments count in their order: what a later one changes wins.
    """
    if not policy.segments or not customer_ids:
        return PolicyFor(policy, {}, {})
    profiles = {one.customer_id: one for one in facts.customers(customer_ids)}
    window = Window(at - timedelta(days=policy.health.history_days), at + timedelta(microseconds=1))
    of: dict[str, tuple[str, ...]] = {}
    for segment in policy.segments:
        for one in _members(facts, segment, customer_ids, profiles, window):
            of[one] = (*of.get(one, ()), segment.name)
    named = {segment.name: segment for segment in policy.segments}
    merged = {names: policy.within(named[name] for name in names) for names in set(of.values())}
    return PolicyFor(policy, {one: merged[names] for one, names in of.items()}, of)


def _members(
    facts: FactStore,
    segment: Segment,
    customer_ids: Sequence[str],
    profiles: Mapping[str, Customer],
    window: Window,
) -> list[str]:
    left = list(customer_ids)
    for name, values in segment.who.items():
        by_profile = {one for one in left if _of_profile(profiles.get(one), name) in values}
        rest = [one for one in left if one not in by_profile]
        by_item = _by_items(facts, name, values, rest, window)
        left = [one for one in left if one in by_profile or one in by_item]
    return left


def _of_profile(profile: Customer | None, name: str) -> str | None:
    if profile is None:
        return None
    value = getattr(profile, name) if name in PROFILE else profile.attributes.get(name)
    return None if value is None else str(value)


def _by_items(
    facts: FactStore, name: str, values: tuple[str, ...], customer_ids: Sequence[str], window: Window
) -> frozenset[str]:
    """Customers with an item of that value; none where the data has no such column."""
    if not customer_ids or name not in facts.catalogue().dimensions:
        return frozenset()
    selection = Selection(window, filters={name: values})
    question = CustomerQuestion((), selection=selection, customer_ids=tuple(customer_ids))
    table = facts.customer_features(question)
    return frozenset(one for one, items in zip(table.ids, table.items, strict=True) if items)
