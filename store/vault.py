"""What pseudonyms stand for, sealed: the store sees only ciphertext."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Vault(Protocol):
    """Sealed values by scope (a conversation or a single item). Every write is one durable transaction."""

    def save(self, sealed: Mapping[str, str]) -> None:
        """Insert or replace what is sealed for each scope."""
        ...

    def read(self, scopes: Sequence[str]) -> dict[str, str]:
        """Return what is sealed for those of the scopes that are known."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
