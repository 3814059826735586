"""When each API key was last used, noted to the minute: a write for each request would be too many."""

import threading
from typing import Final

import structlog

from store.clock import Clock
from store.errors import StoreError
from store.keys import KeyStore

_EVERY_S: Final = 60
_LOG = structlog.get_logger()


class KeyUses:
    """Notes uses from any thread."""

    def __init__(self, keys: KeyStore, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, key_id: str) -> None:
        """A key is used now."""
        now = self._clock.now().timestamp()
        with self._lock:
            if now - self._noted.get(key_id, -_EVERY_S) < _EVERY_S:
                return
            self._noted[key_id] = now
        try:
            self._keys.used(key_id)
        except StoreError as error:
            # Nobody's request fails for this; the next minute notes it again.
            _LOG.warning("key_use_not_noted", key=key_id, reason=error.message)
