"""What a customer may be offered to make up for something: by role, in one case and for one customer."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from retention.policy_authority import Authority, AuthorityRules, OfferKind
from store.compensations import Compensation
from store.errors import NotPermitted, ToolInputError
from store.keys import Role
from store.records import Tier

WhyNot = Literal["no_offer", "no_authority", "limit_reached"]


@dataclass(frozen=True)
class Room:
    """What a role may still grant one customer: `case` in one case, `left` of the customer's total."""

    case: float
    left: float

    @property
    def most(self) -> float:
        """The most that may be granted now."""
        return max(0.0, min(self.case, self.left))


@dataclass(frozen=True)
class Proposal:
    """What may be offered by who asks; `amount` 0 for an apology or another plan.

    `asks` names the lowest role that may grant the policy's offer in full, where who asks may not.
    """

    kind: OfferKind
    amount: float
    room: Room
    asks: Role | None


def granted_within(granted: Iterable[Compensation], rules: AuthorityRules, now: datetime) -> float:
    """What a customer was granted within the days that the limits count over."""
    since = now - timedelta(days=rules.days)
    return sum(
        one.amount
        for one in granted
        if one.status == "granted" and one.decided_at is not None and one.decided_at > since
    )


def room_of(role: Role, granted: Iterable[Compensation], rules: AuthorityRules, now: datetime) -> Room:
    """What a role may still grant a customer with these compensations."""
    cap = rules.roles.get(role, Authority(case=0, customer=0))
    return Room(cap.case, max(0.0, cap.customer - granted_within(granted, rules, now)))


def propose(
    tier: Tier, role: Role, granted: Sequence[Compensation], rules: AuthorityRules, now: datetime
) -> Proposal | WhyNot:
    """What may be offered at a tier, or why nothing may."""
    offer = rules.offers.get(tier)
    if offer is None:
        return "no_offer"
    room = room_of(role, granted, rules, now)
    amount = min(offer.amount, room.most)
    able = [one for one in rules.roles if room_of(one, granted, rules, now).most >= offer.amount]
    asks = next(iter(_lowest_first(able, rules)), None) if amount < offer.amount else None
    if offer.amount and amount <= 0 and asks is None:
        return "limit_reached"
    return Proposal(offer.kind, amount, room, asks)


def _lowest_first(roles: Iterable[Role], rules: AuthorityRules) -> list[Role]:
    return sorted(roles, key=lambda role: rules.roles[role].case)


def compensation_id(conversation_id: str, customer_id: str) -> str:
    """One conversation of one customer is compensated once."""
    key = f"{conversation_id}\x1f{customer_id}"
    return "comp-" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def granted(
    offer_id: str,
    every: Sequence[Compensation],
    amount: float | None,
    *,
    actor: str,
    role: Role,
    rules: AuthorityRules,
    now: datetime,
) -> Compensation:
    """The offer of that id as granted. `every`: all that this customer was offered.

    An offer that is granted already is given back as it is. Raises ToolInputError for an unknown id, a
    declined offer or another amount than was granted, NotPermitted above what the role may grant.
    """
    offer = _named(offer_id, every)
    wanted = offer.amount if amount is None else amount
    if offer.status == "granted" and wanted == offer.amount:
        return offer
    if offer.status != "proposed":
        raise ToolInputError(f"offer {offer_id!r} is {offer.status} ({offer.amount:g} {offer.currency})")
    room = room_of(role, every, rules, now)
    if wanted > room.most:
        able = [one for one in rules.roles if room_of(one, every, rules, now).most >= wanted]
        raise NotPermitted(
            f"not permitted: the role {role} may grant this customer {room.most:g} {offer.currency} now, not"
            f" {wanted:g} (one case {room.case:g}; left of {rules.days} days {room.left:g})",
            hint=f"ask someone with the role {' or '.join(sorted(able))}"
            if able
            else "nobody may grant that",
        )
    return offer.model_copy(
        update={"status": "granted", "amount": wanted, "decided_at": now, "decided_by": actor}
    )


def declined(offer_id: str, every: Sequence[Compensation], *, actor: str, now: datetime) -> Compensation:
    """The offer of that id as declined; ToolInputError for an unknown id or one that was granted."""
    offer = _named(offer_id, every)
    if offer.status == "granted":
        raise ToolInputError(f"offer {offer_id!r} has been granted and cannot be declined")
    if offer.status == "declined":
        return offer
    return offer.model_copy(update={"status": "declined", "decided_at": now, "decided_by": actor})


def _named(offer_id: str, every: Sequence[Compensation]) -> Compensation:
    offer = next((one for one in every if one.compensation_id == offer_id), None)
    if offer is None:
        raise ToolInputError(f"no offer {offer_id!r} to this customer")
    return offer
