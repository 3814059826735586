"""What one customer scored, said and did, as health looks at it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar


@dataclass(frozen=True)
class Score:
    """A score given at a time, as a share of its scale (0 worst, 1 best); `instrument` says which scale."""

    at: datetime
    value: float
    instrument: str
    evidence: str


@dataclass(frozen=True)
class Mood:
    """One thing the customer said: was it negative?"""

    at: datetime
    negative: bool
    evidence: str


@dataclass(frozen=True)
class Signal:
    """A warning sign, in words or in deeds, with its points when fresh (not above zero)."""

    at: datetime
    name: str
    points: float
    evidence: str


@dataclass(frozen=True)
class Use:
    """How much the customer used at a time (1 where only the fact is known)."""

    at: datetime
    amount: float = 1.0


_Dated = TypeVar("_Dated", Score, Mood, Signal, Use)


@dataclass(frozen=True)
class History:
    """All that health looks at for one customer, in any order. Agents' turns are not part of it.

    `renewal` is the day on which the contract ends, where one is known.
    """

    scores: Sequence[Score] = ()
    moods: Sequence[Mood] = ()
    signals: Sequence[Signal] = ()
    deeds: Sequence[Signal] = ()
    uses: Sequence[Use] = ()
    renewal: date | None = None

    def until(self, now: datetime, days: int) -> "History":
        """Return what lies in the `days` up to and including `now`, oldest first."""
        start = now - timedelta(days=days)

        def kept(items: Iterable[_Dated]) -> list[_Dated]:
            return sorted((item for item in items if start < item.at <= now), key=lambda item: item.at)

        return History(
            kept(self.scores),
            kept(self.moods),
            kept(self.signals),
            kept(self.deeds),
            kept(self.uses),
            self.renewal,
        )
