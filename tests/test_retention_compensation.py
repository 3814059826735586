"""Offers keep to the limits of the role, the case and the customer, whoever grants at the same time."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.compensation import Proposal, declined, granted, granted_within, propose
from retention.policy_authority import Authority, AuthorityRules, Offer
from store.clock import FixedClock
from store.compensations import Compensation
from store.errors import NotPermitted, ToolInputError
from store.keys import Role
from store.records import Tier
from store.sqlite_operations import SqliteOperationStore
from tests.retention_world import NOW

RULES = AuthorityRules(
    roles={"service": Authority(case=50, customer=80), "manager": Authority(case=500, customer=800)},
    offers={
        Tier.CALLBACK: Offer(kind="coupon", amount=50),
        Tier.RED: Offer(kind="credit", amount=300),
        Tier.ORANGE: Offer(kind="plan"),
    },
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteOperationStore]:
    made = SqliteOperationStore(tmp_path / "operations.sqlite", FixedClock(NOW))
    yield made
    made.close()


def offer(number: int, amount: float = 50, **fields: Any) -> Compensation:
    values: dict[str, Any] = {
        "compensation_id": f"comp-{number}",
        "customer_id": "c1",
        "conversation_id": f"v{number}",
        "tier": Tier.CALLBACK,
        "kind": "coupon",
        "amount": amount,
        "currency": "CNY",
        "proposed_at": NOW,
        "proposed_by": "live",
    }
    return Compensation.model_validate({**values, **fields})


def given(number: int, amount: float, days: float = 1) -> Compensation:
    at = NOW - timedelta(days=days)
    return offer(number, amount, status="granted", decided_at=at, decided_by="m")


def amount_of(tier: Tier, role: Role, *before: Compensation) -> tuple[float, Role | None]:
    found = propose(tier, role, before, RULES, NOW)
    assert isinstance(found, Proposal)
    return found.amount, found.asks


def test_a_proposal_is_the_policys_within_what_the_role_may_grant() -> None:
    assert amount_of(Tier.CALLBACK, "service") == (50, None)
    assert amount_of(Tier.RED, "service") == (50, "manager")
    assert amount_of(Tier.RED, "manager") == (300, None)
    assert amount_of(Tier.CALLBACK, "service", given(1, 60)) == (20, "manager")
    assert amount_of(Tier.CALLBACK, "service", given(1, 80, days=31)) == (50, None)
    assert amount_of(Tier.RED, "viewer") == (0, "manager")
    assert amount_of(Tier.ORANGE, "service") == (0, None)
    assert propose(Tier.CALLBACK, "manager", [given(1, 800)], RULES, NOW) == "limit_reached"
    assert propose(Tier.YELLOW, "manager", [], RULES, NOW) == "no_offer"


def grant(every: Sequence[Compensation], number: int, amount: float | None, role: Role) -> Compensation:
    return granted(f"comp-{number}", every, amount, actor="m", role=role, rules=RULES, now=NOW)


def test_granting_keeps_to_the_limit_says_who_may_and_is_done_once() -> None:
    with pytest.raises(NotPermitted, match="may grant this customer 50") as told:
        grant([offer(1)], 1, 60, "service")
    assert told.value.hint == "ask someone with the role manager"
    done = grant([offer(1)], 1, 40, "service")
    assert (done.status, done.amount, done.decided_by) == ("granted", 40, "m")
    assert grant([done], 1, 40, "service") == done
    with pytest.raises(ToolInputError, match="granted"):
        grant([done], 1, 45, "service")
    with pytest.raises(NotPermitted):
        grant([given(1, 50), offer(2)], 2, 40, "service")
    turned = declined("comp-2", [offer(2)], actor="m", now=NOW)
    with pytest.raises(ToolInputError, match="declined"):
        grant([turned], 2, None, "manager")
    with pytest.raises(ToolInputError, match="no offer"):
        grant([], 3, None, "manager")


def test_several_who_grant_at_once_never_grant_more_than_the_customers_limit(
    store: SqliteOperationStore,
) -> None:
    for number in range(8):
        store.revise_compensation("c1", lambda every, n=number: offer(n, 30), actor="live")  # type: ignore[misc]
    refused = []

    def act(number: int) -> None:
        try:
            store.revise_compensation("c1", lambda every: grant(every, number, None, "service"), actor="m")
        except NotPermitted:
            refused.append(number)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    every = store.compensations(customer_id="c1")
    assert granted_within(every, RULES, NOW) == 60 and len(refused) == 6
    assert store.verify_audit() == 10


@pytest.mark.parametrize(
    "wrong", [{"kind": "coupon"}, {"kind": "apology", "amount": 5}, {"kind": "plan", "amount": 1}]
)
def test_an_offer_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="amount"):
        Offer.model_validate(wrong)


def test_a_case_above_the_customers_total_is_refused() -> None:
    with pytest.raises(ValueError, match="more than a customer"):
        Authority(case=10, customer=5)
