"""The file of baselines and targets: defaults, with the user's own put over them metric by metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from retention.settings_file import read_as

History = Literal["last_year", "previous", "industry"]
DEFAULTS = Path(__file__).with_name("targets.yaml")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TargetRule(_Part):
    """One of: at least a value, at most a value, or a change from a baseline (downwards if negative)."""

    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    change: FiniteFloat | None = None
    from_: Annotated[History, Field(alias="from")] = "last_year"

    @model_validator(mode="after")
    def _one_of_three(self) -> "TargetRule":
        if sum(one is not None for one in (self.at_least, self.at_most, self.change)) != 1:
            raise ValueError("give one of at_least, at_most and change")
        return self


def _listed(given: object) -> object:
    return given if isinstance(given, list | tuple) else [given]


class MetricRule(_Part):
    """Baselines in the order they are tried, and a target."""

    baseline: Annotated[tuple[History | FiniteFloat, ...], BeforeValidator(_listed)] = ()
    target: TargetRule | None = None


class Targets(_Part):
    """The whole file: rules by metric."""

    metrics: dict[str, MetricRule] = Field(default_factory=dict)


@dataclass(frozen=True)
class Yardsticks:
    """The rules in use, and which of them are the user's own."""

    rules: Mapping[str, MetricRule]
    own: frozenset[str] = frozenset()

    def of(self, metric: str) -> MetricRule:
        """The rule of a metric, empty where it has none."""
        return self.rules.get(metric, MetricRule())


def load_targets(path: Path | None = None) -> Yardsticks:
    """The defaults with the entries of the user's file put over them; ConfigError names each wrong key."""
    defaults = _defaults()
    own = {} if path is None else read_as(Targets, path).metrics
    return Yardsticks({**defaults, **own}, frozenset(own))


@cache
def _defaults() -> dict[str, MetricRule]:
    return read_as(Targets, DEFAULTS).metrics
