"""Who is who outside: slack.yaml and feishu.yaml map their ids to users, roles and scopes."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention.settings_file import read_as
from store.keys import Role
from store.records import Tier
from store.units import Scope, within
from tools.context import Asker

Id = Annotated[str, Field(min_length=1, max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Part):
    """One person. Without `user` they are known by their id."""

    user: str | None = None
    role: Role
    scope: Scope = ()


class Room(_Part):
    """A channel or group; `scope`: what everybody in it may see, empty for everything."""

    scope: Scope = ()


class AlertRoom(_Part):
    """A channel that alerts are told in: of these tiers and roles (none: of all), in one language."""

    room: Id
    tiers: tuple[Tier, ...] = ()
    roles: tuple[str, ...] = ()
    language: Literal["zh", "en"] | None = None


class People(_Part):
    """One file. `groups`: ids of user groups, the first that somebody is in counts.

    `others`: whoever is named nowhere; None refuses them. In a room that is not listed not everybody may see
    what another may.
    """

    users: dict[Id, Person] = {}
    groups: dict[Id, Person] = {}
    others: Person | None = None
    rooms: dict[Id, Room] = {}
    alerts: tuple[AlertRoom, ...] = ()

    @model_validator(mode="after")
    def _told_once(self) -> "People":
        rooms = [one.room for one in self.alerts]
        if twice := {room for room in rooms if rooms.count(room) > 1}:
            raise ValueError(f"alerts are told twice in {', '.join(sorted(twice))}")
        return self

    def may_read_along(self, room: str, asker: Asker) -> bool:
        """Whether what this asker may see may be shown to everybody in a room."""
        known = self.rooms.get(room)
        if known is None:
            return False
        if not asker.scope:
            return not known.scope
        return all(within(unit, known.scope) for unit in asker.scope)


def load_people(path: Path | None) -> People:
    """Read the file; nobody is known without one. ConfigError naming what is wrong."""
    return People() if path is None else read_as(People, path)


def asker_of(person: Person, source: str, their_id: str) -> Asker:
    """On whose behalf what this person asks is run."""
    return Asker(person.user or f"{source}:{their_id}", person.role, person.scope)
