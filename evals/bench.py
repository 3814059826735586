"""`voiceloop bench`: speed and memory, each beside a peer that did comparable work in the same run.

Absolute times say more about the machine than about the program; the ratios travel.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from evals.bench_figures import BenchReport, Figure
from evals.bench_labels import measure_labels, measure_memory
from evals.bench_process import apart
from evals.bench_start import measure_start
from evals.bench_texts import measure_classify, measure_embedding
from evals.bench_tools import measure_tools

if TYPE_CHECKING:
    from rich.table import Table

Progress = Callable[[int, int | None, str], None]
# More processes than this add memory (190 MB each) and no insight.
_MOST_WORKERS = 8


@dataclass(frozen=True)
class Effort:
    """How much is measured: numbers of texts, of repeats, and seconds a tool is called for."""

    classify_texts: int = 10_000
    stream_texts: int = 1_000_000
    embed_texts: int = 2_000
    small_home: int = 2_000
    repeats: int = 3
    tool_budget_s: float = 5.0
    tool_calls: int = 5


def run(
    items: int = 1_000_000, progress: Progress | None = None, effort: Effort | None = None
) -> BenchReport:
    """Measure everything over a store of `items` rows in a temporary folder (about 0.2 GB for a million).

    `progress` is told (steps done, steps in all, stage). Each step runs in a process of its own.
    """
    plan = effort or Effort()
    started, cores = perf_counter(), os.cpu_count() or 1
    workers = min(cores, _MOST_WORKERS)
    with tempfile.TemporaryDirectory(prefix="voiceloop-bench-") as folder:
        steps: list[tuple[str, Callable[[], list[Figure]]]] = [
            ("classify", lambda: apart(measure_classify, plan.classify_texts, plan.repeats)[0]),
            ("labels", lambda: apart(measure_labels, plan.classify_texts, plan.repeats)[0]),
            (f"labels of {plan.stream_texts:,} texts", lambda: measure_memory(plan.stream_texts)),
            ("embed", lambda: apart(measure_embedding, plan.embed_texts, plan.repeats, workers)[0]),
            ("cold start", lambda: measure_start(Path(folder) / "start", plan.small_home, plan.repeats)),
            (
                f"tools over {items:,} rows",
                lambda: measure_tools(
                    Path(folder) / "tools", items, budget_s=plan.tool_budget_s, least=plan.tool_calls
                ),
            ),
        ]
        figures: list[Figure] = []
        for done, (stage, measure) in enumerate(steps):
            if progress is not None:
                progress(done, len(steps), stage)
            figures += measure()
        if progress is not None:
            progress(len(steps), len(steps), "done")
    return BenchReport(
        items=items,
        cores=cores,
        repeats=plan.repeats,
        elapsed_s=round(perf_counter() - started, 1),
        figures=figures,
    )


def render(report: BenchReport) -> "Table":
    """The report as a table: figure, peer, ratio, goal."""
    from rich.table import Table

    title = f"{report.items:,} stored rows, {report.cores} cores, {report.elapsed_s:.0f} s"
    table = Table("area", "measured", "value", "peer", "peer's value", "ratio", "goal", title=title)
    for one in report.figures:
        table.add_row(
            one.area,
            f"{one.name}\n[dim]{one.note}[/dim]" if one.note else one.name,
            f"{one.value:,g} {one.unit}",
            one.peer,
            f"{one.peer_value:,g} {one.unit}",
            f"{one.ratio:,g}",
            _goal(one),
        )
    return table


def _goal(one: Figure) -> str:
    if one.goal is None:
        return ""
    bound = "≥" if one.better == "higher" else "≤"
    what = "ratio " if one.goal_of == "ratio" else ""
    mark = "[green]✓[/green]" if one.met else "[red]✗[/red]"
    return f"{mark} {what}{bound} {one.goal:,g}"
