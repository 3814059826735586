"""`python -m evals`: runs the question cases and the planted events over a throwaway data folder.

Exits with 1 if anything got worse than the baseline in evals/reports.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from evals.cases import Case, load_cases
from evals.causes import CauseScore, RiskScore, run_causes, run_risk
from evals.recompute import Item
from evals.score import TurnScore, run_case
from evals.scoreboard import document, read_baseline, regressions, totals, write_baseline
from evals.session import asker, open_dataset, open_sample, tool_runner

if TYPE_CHECKING:
    from agent.wiring import App


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    options = _options(arguments)
    cases = load_cases(options.cases or None)
    if options.only:
        cases = [case for case in cases if case.id in options.only]
    with tempfile.TemporaryDirectory(prefix="voiceloop-evals-") as folder, ExitStack() as stack:
        opened = _open_all(cases, Path(folder), options, stack)
        scores = [
            score
            for case in cases
            if case.dataset in opened
            for score in _run(case, opened[case.dataset], options.planner)
        ]
        causes, risk = _causes(opened) if "sample" in opened and not options.only else ([], None)
    result = document(totals(options.planner, scores), scores)
    result["causes"] = [vars(score) for score in causes]
    result["risk"] = vars(risk) if risk else None
    worse = _compare(result, options)
    if options.json:
        print(json.dumps({**result, "regressions": worse}, ensure_ascii=False, indent=1))
    else:
        _show(result, worse)
    return 1 if worse else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals", description="Run the question cases.")
    parser.add_argument("--cases", type=Path, nargs="*", help="case files (default: all)")
    parser.add_argument("--only", nargs="*", help="ids of cases; compares with no baseline")
    parser.add_argument("--planner", choices=("offline", "scripted"), default="offline")
    parser.add_argument(
        "--data", type=Path, help="folder of public data sets; cases over them are else left out"
    )
    parser.add_argument("--update", action="store_true", help="keep this run as the baseline")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser.parse_args(arguments)


def _open_all(
    cases: Sequence[Case], folder: Path, options: argparse.Namespace, stack: ExitStack
) -> "dict[str, tuple[App, list[Item], Mapping[str, Any]]]":
    """Every data set the cases need, opened at the moment the first of its cases is asked."""
    opened: dict[str, tuple[App, list[Item], Mapping[str, Any]]] = {}
    for case in cases:
        if case.dataset in opened:
            continue
        if case.dataset == "sample":
            app, feed, items = open_sample(folder / "sample", case.now)
            opened["sample"] = (app, items, feed.truth)
        elif options.data is not None:
            app, items = open_dataset(case.dataset, options.data, folder / case.dataset, case.now)
            opened[case.dataset] = (app, items, {})
        else:
            print(f"cases over {case.dataset} are left out: --data is not given", file=sys.stderr)
            continue
        stack.enter_context(app)
    return opened


def _run(case: Case, opened: "tuple[App, list[Item], Mapping[str, Any]]", planner: str) -> list[TurnScore]:
    app, items, _ = opened
    model = None
    if planner == "scripted":
        from evals.scripted import ScriptedModel

        model = ScriptedModel(case)
    return run_case(case, asker(app, model), items)


def _causes(
    opened: "Mapping[str, tuple[App, list[Item], Mapping[str, Any]]]",
) -> tuple[list[CauseScore], RiskScore]:
    app, _, truth = opened["sample"]
    run_tool = tool_runner(app)
    return run_causes(truth, run_tool), run_risk(truth, run_tool)


def _compare(result: dict[str, Any], options: argparse.Namespace) -> list[str]:
    if options.only or options.cases:
        return []
    baseline = read_baseline(options.planner)
    if options.update:
        write_baseline(options.planner, result)
        return []
    return regressions(baseline, result) if baseline else []


def _show(result: dict[str, Any], worse: Sequence[str]) -> None:
    console = Console()
    table = Table("language", "turns", "right tools", "right figures", "unbound", "wholly right")
    for row in result["totals"]:
        figures = f"{row['figures_right']} / {row['figures']}"
        table.add_row(
            *(str(v) for v in (row["language"], row["turns"], row["tools_right"], figures)),
            *(str(v) for v in (row["unbound"], row["right"])),
        )
    console.print(table)
    for miss in result["misses"]:
        console.print(f"[red]{miss['case']}[/red] {miss['turn']}: {miss['ask']}", highlight=False)
        for reason in miss["misses"]:
            console.print(f"    {reason}", highlight=False, markup=False)
    if result["causes"]:
        table = Table("planted", "kind", "metric", "verdict", "first cause", "rank", "right")
        for score in result["causes"]:
            shown = (score["event_id"], score["kind"], score["metric"], score["verdict"])
            table.add_row(*shown, str(score["top"]), str(score["rank"]), "yes" if score["right"] else "NO")
        console.print(table)
        console.print(f"churn_risk: {result['risk']}")
    for line in worse:
        console.print(f"[red]worse:[/red] {line}")


if __name__ == "__main__":
    sys.exit(main())
