"""What people change about the high-risk pool: a customer put in, taken out, or given to another carer."""

from collections.abc import Sequence
from datetime import datetime

from retention.approvals import require_approver
from retention.high_risk_pool import ended, entered
from store.errors import NotPermitted, ToolInputError
from store.operations import OperationStore
from store.pool import PoolEntry, PoolReason

_MAY_PUT_IN = frozenset({"analyst", "service", "manager", "admin"})


def put_in_pool(
    operations: OperationStore, customer_id: str, why: str, *, actor: str, role: str, now: datetime
) -> PoolEntry:
    """Put a customer in by a person's judgement; who is in already gets the reason added, once.

    The next scan finds the carer. Raises NotPermitted for the role and within a scope.
    """
    if role not in _MAY_PUT_IN:
        raise NotPermitted(f"not permitted: the role {role} may not put a customer in the pool")
    reason = PoolReason(kind="manual", name=why, at=now)

    def decide(stays: Sequence[PoolEntry]) -> list[PoolEntry]:
        entry = _standing(stays, customer_id)
        if entry is None:
            return [entered(customer_id, (reason,), now)]
        if any(one.kind == "manual" and one.name == why for one in entry.reasons):
            return []
        return [entry.model_copy(update={"reasons": (*entry.reasons, reason)})]

    return _kept(operations, customer_id, operations.revise_pool(decide, actor=actor))


def take_out_of_pool(
    operations: OperationStore, customer_id: str, *, actor: str, role: str, now: datetime
) -> PoolEntry:
    """End a stay; what it rested on puts the customer in no more.

    Raises NotPermitted for the role and within a scope, ToolInputError for who is not in the pool.
    """
    require_approver(role, f"customer {customer_id} in the pool")

    def decide(stays: Sequence[PoolEntry]) -> list[PoolEntry]:
        entry = _standing(stays, customer_id)
        return [] if entry is None else [ended(entry, "removed", now)]

    changed = operations.revise_pool(decide, actor=actor)
    if not changed:
        raise ToolInputError(
            f"customer {customer_id!r} is not in the pool", hint="voiceloop pool list tells who is"
        )
    return changed[0]


def give_to_carer(
    operations: OperationStore, customer_id: str, carer: str, *, actor: str, role: str, team: Sequence[str]
) -> PoolEntry:
    """Give a customer of the pool to another carer of the team, who may be full.

    Raises NotPermitted for the role and within a scope, ToolInputError for who is not in the pool or team.
    """
    require_approver(role, f"customer {customer_id} in the pool")
    if carer not in team:
        raise ToolInputError(
            f"{carer!r} is not of the care team",
            hint=f"the team is: {', '.join(team) or 'a role as a whole'}",
        )

    def decide(stays: Sequence[PoolEntry]) -> list[PoolEntry]:
        entry = _standing(stays, customer_id)
        if entry is None:
            raise ToolInputError(
                f"customer {customer_id!r} is not in the pool", hint="voiceloop pool list tells who is"
            )
        return [] if entry.carer == carer else [entry.model_copy(update={"carer": carer})]

    return _kept(operations, customer_id, operations.revise_pool(decide, actor=actor))


def _standing(stays: Sequence[PoolEntry], customer_id: str) -> PoolEntry | None:
    return next((one for one in stays if one.customer_id == customer_id and one.left_at is None), None)


def _kept(operations: OperationStore, customer_id: str, changed: Sequence[PoolEntry]) -> PoolEntry:
    return changed[0] if changed else operations.pool(customer_id=customer_id)[0]
