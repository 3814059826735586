"""The replicas of a label server: which one is asked next, which one rests."""

from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.vllm_limits import AdaptiveLimit, Limits

# A replica that cannot be reached rests this long (doubled each time), then one request tries it.
FIRST_REST_S: Final = 0.5
LONGEST_REST_S: Final = 30.0
LONGEST_RETRY_AFTER_S: Final = 60.0


class Replica:
    """One server at a base address (without /v1). Times are those of the event loop, in seconds."""

    def __init__(self, base_url: str, limits: Limits) -> None:
        self.base_url = base_url
        self.limit = AdaptiveLimit(limits)
        self.in_flight = 0
        self.failures = 0
        self.rests_until = float("-inf")

    def is_free(self, now: float) -> bool:
        """Whether a request may be sent; to a replica that failed last, only one at a time."""
        allowed = 1 if self.failures else self.limit.current
        return now >= self.rests_until and self.in_flight < allowed

    def succeeded(self, sent_at: float, now: float) -> None:
        """It answered."""
        self.failures = 0
        self.limit.succeeded(sent_at=sent_at, now=now, in_flight=self.in_flight)

    def overloaded(self, sent_at: float, now: float, retry_after_s: float | None = None) -> None:
        """It has too much to do; it rests for as long as it asks for."""
        self.limit.overloaded(sent_at=sent_at, now=now)
        if retry_after_s is not None:
            self.rests_until = max(self.rests_until, now + min(retry_after_s, LONGEST_RETRY_AFTER_S))

    def failed(self, sent_at: float, now: float) -> None:
        """It could not be reached or serves nothing; it rests, longer each time."""
        # Requests that were on their way together fail together: that is one failure.
        if sent_at < self.rests_until and self.failures:
            return
        self.failures += 1
        rest = min(FIRST_REST_S * 2.0 ** (self.failures - 1), LONGEST_REST_S)
        self.rests_until = now + rest


def choose(replicas: Sequence[Replica], now: float, avoid: Iterable[Replica] = ()) -> Replica | None:
    """The free replica with the most room, one that this request has not met yet where there is one."""
    free = [replica for replica in replicas if replica.is_free(now)]
    avoided = set(avoid)
    fresh = [replica for replica in free if replica not in avoided]
    return min(fresh or free, key=lambda r: (r.failures, r.in_flight / r.limit.current), default=None)


def next_change(replicas: Iterable[Replica], now: float) -> float | None:
    """Seconds until a resting replica may be asked again; None where none rests."""
    rests = [replica.rests_until - now for replica in replicas if replica.rests_until > now]
    return min(rests) if rests else None
