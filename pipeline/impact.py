"""Business priority: what an item's text calls for, raised or lowered by what is at stake (impact.yaml).

Not part of Labels, which depend on the text alone: customers, themes and counts change, so it is worked out
when an item is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from store.errors import ConfigError
from store.records import Labels, Priority, Sentiment

_FILE: Final = Path(__file__).with_suffix(".yaml")


class Stake(NamedTuple):
    """What is at stake besides the words. None where it is not known.

    `lifetime_value` in the currency of the customer file; `reach`: negative items of the same theme, this one
    included; `earlier`: negative items of the same customer in the days before.
    """

    tier: str | None = None
    lifetime_value: float | None = None
    reach: int | None = None
    earlier: int = 0


class Part(NamedTuple):
    """One reason, the value it is read from, and its points."""

    name: str
    value: str | float | int
    points: int


@dataclass(frozen=True)
class BusinessPriority:
    """The level that the sum of the parts reaches."""

    level: Priority
    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        """Sum of the parts."""
        return sum(part.points for part in self.parts)

    def shown(self) -> dict[str, Any]:
        """As results show it."""
        return {
            "level": self.level.value,
            "points": self.points,
            "parts": [part._asdict() for part in self.parts],
        }


@dataclass(frozen=True)
class ImpactRules:
    """The table of impact.yaml; `steps` are (least value, points), highest first."""

    text: Mapping[str, int]
    concern: int
    levels: tuple[tuple[Priority, int], ...]
    tiers: Mapping[str, int]
    value_steps: tuple[tuple[float, int], ...]
    reach_steps: tuple[tuple[float, int], ...]
    repeated_days: int
    repeated_steps: tuple[tuple[float, int], ...]

    def judge(self, labels: Labels, stake: Stake) -> BusinessPriority:
        """The business priority of an item with these labels."""
        negative = labels.sentiment is Sentiment.NEGATIVE
        parts = [Part("text", labels.priority.value, self.text[labels.priority.value])]
        if labels.priority is Priority.NORMAL and negative:
            parts.append(Part("concern", labels.sentiment.value, self.concern))
        if labels.priority is not Priority.NORMAL or negative:
            parts += self._at_stake(stake)
        total = sum(part.points for part in parts)
        level = next((name for name, least in self.levels if total >= least), Priority.NORMAL)
        return BusinessPriority(level, tuple(parts))

    def _at_stake(self, stake: Stake) -> list[Part]:
        tier = (stake.tier or "").strip()
        found = [
            Part("tier", tier, self.tiers.get(tier.lower(), 0)),
            Part("lifetime_value", stake.lifetime_value or 0, _step(self.value_steps, stake.lifetime_value)),
            Part("reach", stake.reach or 0, _step(self.reach_steps, stake.reach)),
            Part("repeated", stake.earlier, _step(self.repeated_steps, stake.earlier)),
        ]
        return [part for part in found if part.points]


def _step(steps: tuple[tuple[float, int], ...], value: float | None) -> int:
    return next((points for least, points in steps if value is not None and value >= least), 0)


@cache
def load_impact(path: Path = _FILE) -> ImpactRules:
    """Read the table once. Raises ConfigError where it is not usable."""
    try:
        data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        tiers: dict[str, int] = {}
        for group in data["tiers"]:
            for name in group["names"]:
                tiers.setdefault(str(name).lower(), int(group["points"]))
        levels = [(Priority(name), int(least)) for name, least in data["levels"].items()]
        return ImpactRules(
            text={Priority(name).value: int(points) for name, points in data["text"].items()},
            concern=int(data["concern"]),
            levels=tuple(sorted(levels, key=lambda level: -level[1])),
            tiers=tiers,
            value_steps=_steps(data["lifetime_value"]),
            reach_steps=_steps(data["reach"]),
            repeated_days=int(data["repeated"]["days"]),
            repeated_steps=_steps(data["repeated"]["points"]),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(f"The table {path.name} cannot be used: {error!r}") from error


def _steps(table: Mapping[Any, Any]) -> tuple[tuple[float, int], ...]:
    return tuple(sorted(((float(least), int(points)) for least, points in table.items()), reverse=True))
