"""How often one asker may ask: a token bucket each."""

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from server.api_problems import TooMany

# Attempts to sign in, of one address: a person mistypes, a program guesses.
_SIGN_IN: Final = (0.2, 10)
# Buckets that are full again say nothing and are dropped beyond so many.
_KEPT: Final = 10_000


class _Bucket(NamedTuple):
    left: float
    at: float


class Rates:
    """Buckets of `burst` requests, refilled at `rate_per_s` (0: no limit). From any thread."""

    def __init__(
        self, *, rate_per_s: float, burst: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._usual = (rate_per_s, burst)
        self._monotonic = monotonic
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, what: str, who: str) -> None:
        """Count one request; TooMany where the bucket is empty."""
        rate, burst = _SIGN_IN if what == "sign-in" else self._usual
        if not rate:
            return
        now = self._monotonic()
        with self._lock:
            last = self._buckets.get((what, who), _Bucket(burst, now))
            left = min(burst, last.left + (now - last.at) * rate)
            if left >= 1:
                self._keep((what, who), _Bucket(left - 1, now))
                return
            self._keep((what, who), _Bucket(left, now))
        raise TooMany(
            f"more than {rate:g} requests a second",
            retry_after_s=(1 - left) / rate,
            hint="send again after the time in Retry-After",
        )

    def _keep(self, key: tuple[str, str], bucket: _Bucket) -> None:
        if len(self._buckets) >= _KEPT and key not in self._buckets:
            rate, burst = self._usual
            full_after = burst / rate if rate else 0
            slowest = max(full_after, _SIGN_IN[1] / _SIGN_IN[0])
            self._buckets = {k: b for k, b in self._buckets.items() if bucket.at - b.at < slowest}
        self._buckets[key] = bucket
