"""Whether root_cause names what was planted, keeps silent on decoys, and churn_risk sees who is leaving."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

RunTool = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Runs a tool by name with arguments; returns its result as JSON-like data."""

_LEAVING_SOON_DAYS = 30


@dataclass(frozen=True)
class CauseScore:
    """One planted event or decoy. `rank` is where the planted cause came (1 is first), None if nowhere."""

    event_id: str
    kind: str
    metric: str
    verdict: str
    top: Mapping[str, str]
    rank: int | None
    right: bool


@dataclass(frozen=True)
class RiskScore:
    """How churn_risk's list compares with who is really leaving within 30 days.

    `found` of `leaving` are in the list of `listed`; `loud` counts loud but loyal customers in it.
    """

    leaving: int
    listed: int
    found: int
    loud: int


def run_causes(truth: Mapping[str, Any], run_tool: RunTool) -> list[CauseScore]:
    """Ask root_cause about every planted event and every decoy."""
    scores = []
    for kind, entries in (("event", truth["events"]), ("decoy", truth["decoys"])):
        for entry in entries:
            result = run_tool(
                "root_cause",
                {"metric": entry["metric"], "period": entry["window"], "compare_to": entry["baseline"]},
            )
            scores.append(score_cause(entry, kind, result["data"]))
    return scores


def score_cause(entry: Mapping[str, Any], kind: str, data: Mapping[str, Any]) -> CauseScore:
    """Score one root_cause result: an event needs its cause first, a decoy needs no cause at all."""
    named = [_conditions(cause["conditions"]) for cause in data.get("causes", [])]
    verdict = data["verdict"]
    rank = None
    if kind == "event":
        wanted = [_conditions(c) for c in (entry["expected"], *entry["acceptable"])]
        rank = next((place for place, cause in enumerate(named, start=1) if cause in wanted), None)
    right = (verdict == "cause_found" and rank == 1) if kind == "event" else verdict == "no_cause"
    return CauseScore(entry["id"], kind, entry["metric"], verdict, named[0] if named else {}, rank, right)


def run_risk(truth: Mapping[str, Any], run_tool: RunTool, limit: int = 30) -> RiskScore:
    """Ask churn_risk who is leaving and compare with those who do so within 30 days of the feed's end."""
    result = run_tool("churn_risk", {"limit": limit})
    return score_risk(truth, [customer["customer_id"] for customer in result["data"]["customers"]])


def score_risk(truth: Mapping[str, Any], listed: Sequence[str]) -> RiskScore:
    """Compare a list of customer ids, most at risk first, with the truth."""
    end = date.fromisoformat(truth["period"]["to"])
    soon = end + timedelta(days=_LEAVING_SOON_DAYS)
    leaving = {
        customer
        for customer, day in truth["decline"]["customers"].items()
        if end <= date.fromisoformat(day) < soon
    }
    return RiskScore(
        leaving=len(leaving),
        listed=len(listed),
        found=len(leaving & set(listed)),
        loud=len(set(truth["loud_loyal"]) & set(listed)),
    )


def _conditions(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: _single(value) for name, value in given.items()}


def _single(value: Any) -> str:
    return str(value[0]) if isinstance(value, list | tuple) and len(value) == 1 else str(value)
