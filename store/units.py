"""Org units: which lie within a scope, and the refusal of those that do not."""

from collections.abc import Iterable, Sequence
from typing import Final

from store.errors import ConfigError, NotPermitted

UNIT: Final = "org_unit"
BETWEEN: Final = "/"

Scope = tuple[str, ...]
"""Org units, each with all below it ("hq/east" holds "hq/east/store-12"); empty is everything."""


class OutOfScope(NotPermitted):
    """Units were asked for that the asker may not see, whether they exist or not."""

    def __init__(self, units: Sequence[str], scope: Scope) -> None:
        self.units = tuple(units)
        self.scope = scope
        super().__init__(
            f"not permitted: {', '.join(units)} is not within your scope ({', '.join(scope)})",
            hint="ask about units within your scope",
        )


def scope_of(units: Iterable[str]) -> Scope:
    """Units without repetition, in order. ConfigError for a blank one, which would stand for everything."""
    bare = {unit.strip().strip(BETWEEN).strip() for unit in units}
    if "" in bare:
        raise ConfigError("a scope names org units; a blank one would be everything", hint="like hq/east")
    return tuple(sorted(bare))


def within(unit: str, scope: Scope) -> bool:
    """Whether a unit is one of the scope or lies below one."""
    bare = unit.strip(BETWEEN)
    return not scope or any(bare == one or bare.startswith(one + BETWEEN) for one in scope)


def require_within(units: Iterable[str | None], scope: Scope) -> None:
    """Raise OutOfScope that names those outside; a row without a unit (None) is never within a scope."""
    outside = [unit for unit in units if unit is not None and not within(unit, scope)]
    if outside:
        raise OutOfScope(outside, scope)
