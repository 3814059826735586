"""The digest that ties each audit entry to the one before it."""

import hashlib
import json
from datetime import UTC
from typing import Final

from store.records import AuditEntry

GENESIS: Final = "0" * 64


def link_digest(previous: str, number: int, entry: AuditEntry) -> str:
    """SHA-256 over the previous digest and the entry as canonical JSON (sorted keys, times in UTC)."""
    said = {
        "number": number,
        "occurred_at": entry.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
    }
    body = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
