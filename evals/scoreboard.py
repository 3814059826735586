"""Totals of a run of question cases: as a table, as Markdown, as JSON, and against the last baseline."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evals.score import TurnScore

REPORTS = Path(__file__).parent / "reports"


@dataclass(frozen=True)
class Totals:
    """What a run got right, over turns (`tools_right`, `right`) and figures."""

    planner: str
    language: str
    turns: int
    tools_right: int
    figures: int
    figures_right: int
    unbound: int
    right: int


def totals(planner: str, scores: Sequence[TurnScore]) -> list[Totals]:
    """Totals by language and over all."""
    languages = sorted({score.language for score in scores})
    groups = [(language, [s for s in scores if s.language == language]) for language in languages]
    return [_total(planner, name, group) for name, group in [*groups, ("all", list(scores))]]


def _total(planner: str, language: str, scores: Sequence[TurnScore]) -> Totals:
    return Totals(
        planner=planner,
        language=language,
        turns=len(scores),
        tools_right=sum(score.tools for score in scores),
        figures=sum(score.figures for score in scores),
        figures_right=sum(score.figures_right for score in scores),
        unbound=sum(len(score.unbound) for score in scores),
        right=sum(score.right for score in scores),
    )


def document(rows: Sequence[Totals], scores: Sequence[TurnScore]) -> dict[str, Any]:
    """Everything as JSON-like data: totals, and the turns that missed something."""
    return {
        "totals": [asdict(row) for row in rows],
        "misses": [asdict(score) for score in scores if not score.right],
    }


def regressions(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What got worse against a baseline: a lower share of right tools, figures or turns, or more unbound."""
    old = {row["language"]: row for row in before["totals"]}
    worse = []
    for row in now["totals"]:
        baseline = old.get(row["language"])
        if baseline is None:
            continue
        for part, whole in (("tools_right", "turns"), ("figures_right", "figures"), ("right", "turns")):
            if row[part] * baseline[whole] < baseline[part] * row[whole]:
                was = f"{baseline[part]}/{baseline[whole]}"
                worse.append(f"{row['language']}: {part} {row[part]}/{row[whole]}, was {was}")
        if row["unbound"] > baseline["unbound"]:
            worse.append(f"{row['language']}: unbound {row['unbound']}, was {baseline['unbound']}")
    return worse


def baseline_path(planner: str) -> Path:
    """Where the baseline of a planner is kept."""
    return REPORTS / f"questions.{planner}.json"


def read_baseline(planner: str) -> dict[str, Any] | None:
    """The last baseline, None where there is none yet."""
    path = baseline_path(planner)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_baseline(planner: str, result: dict[str, Any]) -> None:
    """Keep a run as the new baseline, and as a page to read."""
    REPORTS.mkdir(exist_ok=True)
    text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
    baseline_path(planner).write_text(text, encoding="utf-8")
    (REPORTS / f"questions.{planner}.md").write_text(markdown(planner, result), encoding="utf-8")


def markdown(planner: str, result: dict[str, Any]) -> str:
    """The run as a Markdown page."""
    lines = [f"# Question cases, {planner} planner", ""]
    lines += ["| language | turns | right tools | right figures | unbound | wholly right |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for row in result["totals"]:
        figures = f"{row['figures_right']} / {row['figures']}"
        lines.append(
            f"| {row['language']} | {row['turns']} | {row['tools_right']} | {figures} | {row['unbound']} "
            f"| {row['right']} |"
        )
    if result["misses"]:
        lines += ["", "## Misses", ""]
    for miss in result["misses"]:
        lines.append(f"- `{miss['case']}` turn {miss['turn']}: {miss['ask']}")
        lines += [f"  - {reason}" for reason in miss["misses"]]
    return "\n".join(lines) + "\n"
