"""What differs between two policies, value by value."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from retention.policy import Policy
from retention.policy_explained import leaves_of

# Lists whose entries have a name: each is compared with the one of that name.
_NAMED: Final = ("rules", "segments")


class PolicyDifference(NamedTuple):
    """One value that differs; `at` its keys joined by dots. None: it is not in that policy."""

    at: str
    before: Any
    after: Any


def differences(before: Policy, after: Policy) -> list[PolicyDifference]:
    """All values that differ but the number, in the order of the policy's keys."""
    old, new = _values(before), _values(after)
    return [
        PolicyDifference(at, old.get(at), new.get(at))
        for at in dict.fromkeys([*old, *new])
        if old.get(at) != new.get(at)
    ]


def _values(policy: Policy) -> dict[str, Any]:
    content: dict[str, Any] = policy.model_dump(mode="json", exclude={"version"}, exclude_none=True)
    for name in _NAMED:
        entries: list[Mapping[str, Any]] = content[name]
        content[name] = {one["name"]: {key: one[key] for key in one if key != "name"} for one in entries}
    # An empty section is the same as none.
    return {at: value for at, value in leaves_of(content) if value not in ({}, [])}
