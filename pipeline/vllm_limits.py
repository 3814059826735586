"""How many requests a replica gets at a time: slow start, additive increase, multiplicative decrease.

The rule is TCP's (Chiu and Jain 1989; RFC 5681): the limit grows by one a success until the first sign of
overload, then by one a round trip; an overload cuts it. Signs that belong to one round trip count once.
"""

from dataclasses import dataclass
from typing import Final

# An overload the server speaks of (429, 503) or a time-out halves the limit; latency above the goal eases it.
HALVE: Final = 0.5
EASE: Final = 0.8
# Weight of the newest latency in the smoothed one (RFC 6298 uses the same 1/8).
SMOOTHING: Final = 0.125


@dataclass(frozen=True)
class Limits:
    """Requests in flight to one replica: `start` at first, never more than `most`, never fewer than one.

    `latency_goal_s`: seconds above which the smoothed time of an answer counts as overload.
    """

    start: int = 4
    most: int = 64
    latency_goal_s: float = 15.0


class AdaptiveLimit:
    """The limit of one replica. Times are seconds of any one clock that only goes forward."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._limit = float(min(limits.start, limits.most))
        self._slow_start = True
        self._latency: float | None = None
        self._cut_at = float("-inf")

    @property
    def current(self) -> int:
        """Requests that may be in flight now; at least 1."""
        return max(1, int(self._limit))

    def succeeded(self, *, sent_at: float, now: float, in_flight: int) -> None:
        """An answer came. The limit grows only while it is the limit that holds requests back."""
        seconds = now - sent_at
        before = seconds if self._latency is None else self._latency
        self._latency = before + SMOOTHING * (seconds - before)
        if self._latency > self._limits.latency_goal_s:
            self._cut(EASE, sent_at, now)
        elif in_flight >= self.current - 1:
            step = 1.0 if self._slow_start else 1.0 / self._limit
            self._limit = min(float(self._limits.most), self._limit + step)

    def overloaded(self, *, sent_at: float, now: float) -> None:
        """The server said it has too much to do, or let the time run out."""
        self._cut(HALVE, sent_at, now)

    def _cut(self, factor: float, sent_at: float, now: float) -> None:
        # What was sent before the last cut only says again what that cut answered.
        if sent_at < self._cut_at:
            return
        self._cut_at = now
        self._slow_start = False
        self._limit = max(1.0, self._limit * factor)
