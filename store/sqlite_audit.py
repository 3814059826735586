"""The audit chain's tail on SQLite, appended to within the transaction of whatever is audited."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy.orm import Session

from store.audit_chain import GENESIS, link_digest
from store.models import AuditHead, AuditRow
from store.records import AuditEntry

CHAIN: Final = 1


def append(session: Session, entries: Iterable[AuditEntry]) -> None:
    """Link the entries to the chain, in order; the session holds the write lock."""
    head = session.get(AuditHead, CHAIN)
    number, previous = (0, GENESIS) if head is None else (head.number, head.digest)
    rows = []
    for entry in entries:
        number += 1
        digest = link_digest(previous, number, entry)
        rows.append(AuditRow(number=number, previous=previous, digest=digest, **entry.model_dump()))
        previous = digest
    if rows:
        session.add_all(rows)
        session.merge(AuditHead(chain=CHAIN, number=number, digest=previous))
