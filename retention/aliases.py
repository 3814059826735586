"""What a customer is called where others read along: always the same, and nothing of the id is told by it.

A plain hash of an id could be found again by hashing every phone number there is; this one takes a key that
never leaves the data folder.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from store.errors import StoreError

_BYTES: Final = 32
_DIGITS: Final = 8


class Aliases:
    """Aliases by the key in `path`, which is made when first needed and readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        try:
            self._key = _made(path) or path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} cannot be read or written: {error.strerror}") from error
        if len(self._key) != _BYTES:
            raise StoreError(f"{path} is damaged", hint="delete it: customers are then called otherwise")

    def of(self, customer_id: str) -> str:
        """Like `C-3F9A01B2`."""
        digest = hmac.new(self._key, customer_id.encode(), hashlib.sha256).hexdigest()
        return f"C-{digest[:_DIGITS].upper()}"


def _made(path: Path) -> bytes | None:
    """A new key, whole or not at all; None where there is one."""
    key = secrets.token_bytes(_BYTES)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if path.exists():
        return None
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a renaming: whoever else made one first has the word.
        os.link(fresh, path)
    except FileExistsError:
        return None
    finally:
        fresh.unlink(missing_ok=True)
    return key
