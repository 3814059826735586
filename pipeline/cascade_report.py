"""The account of a cascade: what went to the label server, why, at what cost, and what it changed."""

from collections import Counter
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from pipeline.vllm_labeller import Cost
from store.records import Labels

_COMPARED = ("sentiment", "emotion", "intent", "priority", "risk_signals", "competitors", "compliance_flags")


class CascadeReport(BaseModel):
    """Counts of feedback texts, `n` in all.

    `candidates` were worth a second opinion: of these `cached` had one already, `escalated` were asked about
    now (`reasons` says why), `held_back` were over the share; `failed` of the escalated got no labels and are
    queued (`failures` by reason, `trouble` in words). `share` is (cached + escalated) / n. `changed` counts,
    by field, the second opinions that differ from the first. `requests` includes retries; tokens are those
    the server counted; `seconds` is the time of both classifiers.
    """

    model_config = ConfigDict(frozen=True)

    second: str
    n: int
    candidates: int
    cached: int
    escalated: int
    held_back: int
    failed: int
    truncated: int
    share: float
    reasons: dict[str, int]
    failures: dict[str, int]
    trouble: str
    hint: str
    relabelled: int
    changed: dict[str, int]
    requests: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass
class Tally:
    """A report in the making."""

    n: int = 0
    candidates: int = 0
    cached: int = 0
    escalated: int = 0
    held_back: int = 0
    truncated: int = 0
    relabelled: int = 0
    seconds: float = 0.0
    trouble: str = ""
    hint: str = ""
    cost: Cost = field(default_factory=Cost)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    def compare(self, first: Labels, second: Labels) -> None:
        """Count what a second opinion changed."""
        self.relabelled += 1
        self.changed.update(name for name in _COMPARED if getattr(first, name) != getattr(second, name))
        self.changed["topics"] += _said(first) != _said(second)

    def report(self, second: str) -> CascadeReport:
        """The report so far."""
        return CascadeReport(
            second=second,
            n=self.n,
            candidates=self.candidates,
            cached=self.cached,
            escalated=self.escalated,
            held_back=self.held_back,
            failed=sum(self.failures.values()),
            truncated=self.truncated,
            share=round((self.cached + self.escalated) / self.n, 4) if self.n else 0.0,
            reasons=dict(self.reasons.most_common()),
            failures=dict(self.failures.most_common()),
            trouble=self.trouble,
            hint=self.hint,
            relabelled=self.relabelled,
            changed={name: count for name, count in self.changed.most_common() if count},
            requests=self.cost.requests,
            prompt_tokens=self.cost.prompt_tokens,
            completion_tokens=self.cost.completion_tokens,
            seconds=round(self.seconds, 3),
        )


def _said(labels: Labels) -> set[tuple[str, str | None]]:
    return {(topic.topic, topic.polarity) for topic in labels.topics}
