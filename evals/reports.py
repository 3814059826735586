"""Reports of measurements: JSON to compare the next run with, a page to read, one command line for all."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

REPORTS: Final = Path(__file__).parent / "reports"
Report = dict[str, Any]


class Measurement(NamedTuple):
    """One thing that is measured: how, how it is told, and what counts as worse than the kept run.

    `name` is that of its two files in evals/reports. `worse` gets the kept report and the new one and returns
    a line for each figure that fell; None where figures are told and not guarded. `kept` drops what must not
    be committed (texts of others, say) before a report is kept.
    """

    name: str
    measure: Callable[[argparse.Namespace], Report]
    markdown: Callable[[Report], str]
    worse: Callable[[Report, Report], Sequence[str]] | None = None
    kept: Callable[[Report], Report] | None = None


def run_measurement(
    measurement: Measurement, parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> int:
    """Measure, print (a page, or one JSON document with --json), keep with --write; 1 where it got worse."""
    parser.add_argument("--write", action="store_true", help="keep this run as the report")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options = parser.parse_args(arguments)
    report = measurement.measure(options)
    before = read_report(measurement.name)
    fallen = list(measurement.worse(before, report)) if before and measurement.worse else []
    if options.write:
        kept = measurement.kept(report) if measurement.kept else report
        write_report(measurement.name, kept, measurement.markdown(kept))
    if options.json:
        print(json.dumps({**report, "worse": fallen}, ensure_ascii=False, indent=1))
    else:
        print(measurement.markdown(report), *(f"worse: {line}" for line in fallen), sep="\n")
    return 1 if fallen else 0


def read_report(name: str) -> Report:
    """The kept run, empty where there is none yet."""
    path = REPORTS / f"{name}.json"
    report: Report = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return report


def write_report(name: str, report: Report, page: str) -> None:
    """Keep a run: `name`.json and `name`.md in evals/reports."""
    REPORTS.mkdir(exist_ok=True)
    text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    (REPORTS / f"{name}.json").write_text(text, encoding="utf-8")
    (REPORTS / f"{name}.md").write_text(page, encoding="utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a Markdown table; floats are shown with three decimals, None as a dash."""
    lines = [head, ["---"] * len(head), *([shown(cell) for cell in row] for row in rows)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def shown(value: object) -> str:
    """A cell's words."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def interval(figures: Mapping[str, Any], low: str = "low", high: str = "high") -> str:
    """A 95% interval as "0.812 to 0.874"."""
    return f"{figures[low]:.3f} to {figures[high]:.3f}"
