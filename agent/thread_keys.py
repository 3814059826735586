"""The key that a conversation is kept under: whose it is, what it is called, within which scope."""

import unicodedata
from typing import Final
from urllib.parse import quote, unquote

from store.errors import ToolInputError
from tools.context import Asker

LONGEST_NAME: Final = 120
_BETWEEN: Final = "/"
_SCOPE: Final = "@"


def thread_key(asker: Asker, name: str) -> str:
    """The key of a thread of this asker.

    User, name and units are percent-encoded, so that no name can be taken for another user's thread ("a/b" of
    one and "b" of "a"). The scope is part of it: what was told within a wider one is not taken up in a
    narrower one. Raises ToolInputError for a name that is empty, too long or holds control characters.
    """
    return _BETWEEN.join((f"{_owner(asker)}{_encoded(name, 'a thread')}", *_units(asker)))


def thread_name(key: str, asker: Asker) -> str | None:
    """What the asker calls the thread of a key; None for one of another user or another scope."""
    parts = key.split(_BETWEEN)
    if f"{parts[0]}{_BETWEEN}" != _owner(asker) or parts[2:] != _units(asker):
        return None
    return unquote(parts[1])


def owner_prefix(asker: Asker) -> str:
    """What the keys of all threads of a user begin with, and of no other user."""
    return _owner(asker)


def _owner(asker: Asker) -> str:
    return f"{_encoded(asker.user, 'a user')}{_BETWEEN}"


def _units(asker: Asker) -> list[str]:
    return [f"{_SCOPE}{quote(unit, safe='')}" for unit in asker.scope]


def _encoded(name: str, what: str) -> str:
    # Cc: control characters; Cf: characters that nobody sees; Cs: half a character.
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in name):
        raise ToolInputError(f"the name of {what} holds characters that cannot be seen")
    if not name.strip():
        raise ToolInputError(f"the name of {what} is empty")
    if len(name) > LONGEST_NAME:
        raise ToolInputError(
            f"the name of {what} has {len(name)} characters; at most {LONGEST_NAME} are kept"
        )
    return quote(unicodedata.normalize("NFC", name), safe="")
