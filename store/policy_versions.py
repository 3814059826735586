"""Versions of the retention policy: each kept whole, one live at a time, one shadow at most."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import AwareDatetime

from store.record import Record
from store.records import AuditEntry

PolicyState = Literal["live", "shadow", "retired"]


class PolicyVersion(Record):
    """One policy as it was put, never changed afterwards but for its state.

    `text` is the whole YAML file. `shadow` is scanned beside the live one without consequences; `retired`
    was live or shadow once. `live_from` and `live_until` tell when it decided; `report` is what a replay
    found of it, `reverts` the earlier version whose text it brings back.
    """

    number: int
    text: str
    state: PolicyState
    made_by: str
    why: str = ""
    at: AwareDatetime
    report: dict[str, Any] | None = None
    reverts: int | None = None
    live_from: AwareDatetime | None = None
    live_until: AwareDatetime | None = None


# Given the number it would have and the versions there are, newest first: the version to keep, if any.
Draw = Callable[[int, Sequence[PolicyVersion]], PolicyVersion | None]


class PolicyVersionStore(Protocol):
    """Versions of the policy. Every write is one durable transaction with its line in the audit."""

    def add(self, draw: Draw, *, first: PolicyVersion) -> PolicyVersion | None:
        """Keep the version that `draw` makes, if any, under the write lock; numbers follow one another.

        Who held its state before is retired. Where none is kept yet, `first` is kept before it. What `draw`
        raises is raised, and nothing is kept.
        """
        ...

    def turn(self, number: int, state: PolicyState, *, at: datetime, actor: str, why: str) -> PolicyVersion:
        """Give a version another state, and retire who held it. ToolInputError for an unknown number."""
        ...

    def versions(self) -> list[PolicyVersion]:
        """All of them, newest first."""
        ...

    def version(self, number: int) -> PolicyVersion | None:
        """One of them."""
        ...

    def in_state(self, state: Literal["live", "shadow"]) -> PolicyVersion | None:
        """The one that is live, or shadow."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def audit_of(version: PolicyVersion, action: str, *, at: datetime, actor: str, why: str) -> AuditEntry:
    """The line of the audit about a version; its text stays in the table."""
    detail = {"state": version.state, "why": why}
    if version.reverts is not None:
        detail["reverts"] = str(version.reverts)
    return AuditEntry(
        occurred_at=at, actor=actor, action=action, subject=f"policy {version.number}", detail=detail
    )
