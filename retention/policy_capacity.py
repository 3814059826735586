"""How many tasks an owner takes on, and who is next in line; the section `capacity` of the policy."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from store.records import Tier


class Cap(BaseModel):
    """Most tasks of one owner: undone at a time, and given within seven days. None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open: Annotated[int, Field(ge=1)] | None = None
    week: Annotated[int, Field(ge=1)] | None = None


class CapacityRules(BaseModel):
    """Caps of persons and roles. `people` names those who have another cap than `person`.

    A task whose owner is full goes to the role of its tier, then along `next_in_line`, each role once; where
    all are full it waits. Tiers of `never_wait` go to the first in line, full or not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: Cap = Cap()
    people: Mapping[str, Cap] = {}
    roles: Mapping[str, Cap] = {}
    next_in_line: Mapping[str, tuple[str, ...]] = {}
    never_wait: tuple[Tier, ...] = (Tier.RED,)

    def line(self, role: str) -> tuple[str, ...]:
        """The role and those after it, breadth first, each once."""
        found = [role]
        for one in found:
            found += [each for each in self.next_in_line.get(one, ()) if each not in found]
        return tuple(found)
