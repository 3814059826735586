"""How often alerts are right, by what people have said of them: per tier and per cause."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analytics.estimates import proportion
from store.alerts import Verdict


@dataclass(frozen=True)
class Precision:
    """Of `n` alerts judged, how many were accurate, and the share (0..1) with its 95% interval (Wilson)."""

    n: int
    accurate: int
    value: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class Judged:
    """Precision of all alerts judged, by tier, and by each cause that called for a tier."""

    overall: Precision
    by_tier: Mapping[str, Precision]
    by_cause: Mapping[str, Precision]


def precision(verdicts: Sequence[Verdict]) -> Judged:
    """Count the latest verdict on each alert; `verdicts` are oldest first."""
    latest = {verdict.alert_id: verdict for verdict in verdicts}
    by_tier: dict[str, list[bool]] = defaultdict(list)
    by_cause: dict[str, list[bool]] = defaultdict(list)
    for verdict in latest.values():
        right = verdict.verdict == "accurate"
        by_tier[verdict.tier.value].append(right)
        for cause in verdict.causes:
            by_cause[cause].append(right)
    return Judged(
        _precision(verdict.verdict == "accurate" for verdict in latest.values()),
        {tier: _precision(found) for tier, found in by_tier.items()},
        {cause: _precision(found) for cause, found in by_cause.items()},
    )


def _precision(found: Iterable[bool]) -> Precision:
    judged = list(found)
    share = proportion(len(judged), sum(judged))
    return Precision(len(judged), sum(judged), share.value, share.ci_low, share.ci_high)
