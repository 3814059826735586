"""What one question asks, as far as words tell: the offline planner's reading of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

Goal = Literal[
    "figure",
    "compare",
    "why",
    "where",
    "since",
    "plan",
    "risk",
    "tasks",
    "backlog",
    "alerts",
    "update_task",
    "verdict",
    "message",
    "trend",
    "anomalies",
    "forecast",
    "drivers",
    "themes",
    "detail",
    "opinion",
    "quotes",
    "low_scores",
    "customer",
    "segments",
    "journey",
    "competitors",
    "industry",
    "effect",
    "roi",
    "quality",
    "help",
]
Rank = Literal["highest", "lowest", "both"]
Direction = Literal["up", "down"]
End = Literal["highest", "lowest"]
PeriodValue = str | dict[str, str]
Refusal = Literal["out_of_scope", "personal"]
Clarify = Literal["customer", "period", "subject", "start", "theme", "sides", "metric", "inputs"]


class Doubt(NamedTuple):
    """A word, the value and the dimension it is read as, and the other dimensions that have it as a value."""

    word: str
    meant: str
    dimension: str
    others: tuple[str, ...] = ()


class Life(NamedTuple):
    """The first and the last day on which a value appears, strays left out."""

    first: date
    last: date


class Anchor(NamedTuple):
    """The value that a question counts its periods from ("since 5.2.0 came out")."""

    dimension: str
    value: str
    kind: Literal["release", "event"]
    life: Life


@dataclass(frozen=True)
class Frame:
    """One question: its goals in order, metric, periods, segments, grouping.

    `named` tells which parts the question itself named (the rest may be inherited from the turn before).
    `topics` names every topic in the language of the question.
    `claims` is the direction the question takes for granted ("why did it fall"), `stands` the place of a
    segment that it takes for granted ("why is the NPS of Shanghai the lowest"): both are checked.
    `unread` looks like a time and is none that is known.
    `judged`: the rank was asked for as "worst" or "best", so which end it is depends on the metric.
    `records` are ids of alerts and tasks to do something with, `deed` is what (`vocabulary.yaml: deeds`).
    `refusal` and `ask` end the turn: nothing is called. `about` is what a question is about in its own words.
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
    judged: bool = False
    claims: Direction | None = None
    stands: End | None = None
    customer_ids: tuple[str, ...] = ()
    theme_id: str = ""
    records: tuple[str, ...] = ()
    deed: str = ""
    search: str = ""
    about: str = ""
    horizon: int | None = None
    inputs: Mapping[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    anchor: Anchor | None = None
    unread: str = ""
    refusal: Refusal | None = None
    refused: str = ""
    ask: Clarify | None = None
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
