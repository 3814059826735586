"""What one question asks, as far as words tell: the offline planner's reading of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Goal = Literal[
    "figure",
    "compare",
    "why",
    "plan",
    "risk",
    "tasks",
    "themes",
    "quotes",
    "low_scores",
    "customer",
    "quality",
    "help",
]
Rank = Literal["highest", "lowest", "both"]
PeriodValue = str | dict[str, str]


@dataclass(frozen=True)
class Frame:
    """One question: its goals in order, metric, periods, segments, grouping.

    `named` tells which parts the question itself named (the rest may be inherited from the turn before).
    `topics` names every topic in the language of the question.
    `claims` is the direction the question takes for granted ("why did it fall"), to be checked.
    """

    question: str
    language: Literal["zh", "en"]
    goals: tuple[Goal, ...] = ()
    metrics: tuple[str, ...] = ()
    period: PeriodValue | None = None
    compare_to: PeriodValue | None = None
    filters: dict[str, list[str]] = field(default_factory=dict)
    exclude: dict[str, list[str]] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    limit: int | None = None
    rank: Rank | None = None
    claims: Literal["up", "down"] | None = None
    customer_ids: tuple[str, ...] = ()
    search: str = ""
    unknown: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    topics: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def metric(self) -> str | None:
        """The first metric asked for."""
        return self.metrics[0] if self.metrics else None

    def selection(self) -> dict[str, Any]:
        """The arguments that say which feedback is meant."""
        args: dict[str, Any] = {"language": self.language}
        if self.period is not None:
            args["period"] = self.period
        if self.filters:
            args["filters"] = {key: _short(values) for key, values in self.filters.items()}
        if self.exclude:
            args["exclude"] = {key: _short(values) for key, values in self.exclude.items()}
        return args


def _short(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
