"""The high-risk pool as it should stand: who is in it, why, and who of the care team cares for whom."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from retention.policy_pool import CareTeam
from store.pool import PoolEnding, PoolEntry, PoolReason

Reasons = tuple[PoolReason, ...]
_ORDER: Final = {"alert": 0, "manual": 1, "low_score": 2}


def revised(
    stays: Sequence[PoolEntry],
    candidates: Mapping[str, Reasons],
    gone: Iterable[str],
    *,
    team: CareTeam,
    role_name: str,
    now: datetime,
) -> list[PoolEntry]:
    """The stays that change or begin. `candidates`: why each customer belongs in the pool now.

    What a person's judgement put in stays until a person takes it out; whom a person took out, only a reason
    that was not there then puts in again. Carers keep their customers as long as they are of the team.
    """
    standing = {one.customer_id: one for one in stays if one.left_at is None}
    left, refused = frozenset(gone), _refused(stays)
    after: dict[str, PoolEntry] = {}
    for customer in sorted({*standing, *candidates}):
        entry = standing.get(customer)
        kept = tuple(one for one in (entry.reasons if entry else ()) if one.kind == "manual")
        fresh = [one for one in candidates.get(customer, ()) if one.subject not in refused.get(customer, ())]
        reasons = tuple(sorted((*kept, *fresh), key=lambda one: (_ORDER[one.kind], one.at, one.name)))
        if entry is None:
            if reasons and customer not in left:
                after[customer] = entered(customer, reasons, now)
        elif customer in left or not reasons:
            after[customer] = ended(entry, "left" if customer in left else "recovered", now)
        else:
            after[customer] = entry.model_copy(update={"reasons": reasons})
    cared = _cared_for(after, team, role_name)
    return [one for customer, one in sorted(cared.items()) if one != standing.get(customer)]


def entered(customer_id: str, reasons: Reasons, now: datetime) -> PoolEntry:
    """A stay that begins; nobody cares for it yet."""
    key = f"{customer_id}\x1f{now.isoformat()}"
    entry_id = "pool-" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return PoolEntry(entry_id=entry_id, customer_id=customer_id, entered_at=now, reasons=reasons)


def ended(entry: PoolEntry, because: PoolEnding, now: datetime) -> PoolEntry:
    """A stay that ends."""
    return entry.model_copy(update={"left_at": now, "left_because": because})


def _refused(stays: Iterable[PoolEntry]) -> dict[str, set[str]]:
    """By customer, what a person did not take for a reason."""
    found: dict[str, set[str]] = {}
    for stay in stays:
        if stay.left_because == "removed":
            found.setdefault(stay.customer_id, set()).update(one.subject for one in stay.reasons)
    return found


def _cared_for(entries: Mapping[str, PoolEntry], team: CareTeam, role_name: str) -> dict[str, PoolEntry]:
    """Give who has no carer to the one with the fewest customers; where the team is full they wait."""
    staying = [one for one in entries.values() if one.left_at is None]
    if not team.members:
        return {
            customer: one if one.left_at else one.model_copy(update={"carer": role_name})
            for customer, one in entries.items()
        }
    load = Counter(one.carer for one in staying if one.carer in team.members)
    found = dict(entries)
    for one in sorted(staying, key=_urgency):
        if one.carer in team.members:
            continue
        carer = min(team.members, key=lambda member: load[member])
        free = load[carer] < team.most_each
        load[carer] += free
        found[one.customer_id] = one.model_copy(update={"carer": carer if free else ""})
    return found


def _urgency(entry: PoolEntry) -> tuple[int, float, str]:
    return _ORDER[entry.reasons[0].kind], entry.entered_at.timestamp(), entry.customer_id
