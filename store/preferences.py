"""What a person has told the agent to take for granted, kept until it is forgotten."""

from typing import Literal, Protocol

from pydantic import AwareDatetime

from store.record import Record

PreferenceKind = Literal["filter", "word"]


class Preference(Record):
    """A default filter (`name`: dimension, `values`: of it) or a word (`values`: what it stands for)."""

    user: str
    kind: PreferenceKind
    name: str
    values: tuple[str, ...]
    set_at: AwareDatetime


class PreferenceStore(Protocol):
    """Preferences by user; nobody's are given to another."""

    def keep(self, preference: Preference) -> None:
        """Insert, or replace what the user has kept under that name."""
        ...

    def of(self, user: str) -> list[Preference]:
        """All of one user, filters first, by name."""
        ...

    def forget(self, user: str, *, kind: PreferenceKind | None = None, name: str | None = None) -> int:
        """Delete one user's, all of a kind or one by its name; return how many."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
