"""Replay against life: simulated days, scanned as they pass and then done again: `python -m evals.replay`.

Items come late, labels are put right, profiles change, tasks end and verdicts are given and taken back in
between. Every alert must come again at the same scan and to the same tier: over the whole span, and begun
in its middle from what stood then. `--write` keeps the report.
"""

import argparse
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from evals.replay_world import START, ReplayLife
from evals.reports import Measurement, Report, run_measurement
from retention.replay_report import raised

_LINES: Final = (
    ("days", "days"),
    ("customers", "customers"),
    ("scans", "live scans"),
    ("late_items", "items stored late"),
    ("relabelled", "items relabelled"),
    ("ended", "alerts ended by people"),
    ("verdicts", "verdicts"),
    ("alerts", "alerts"),
    ("differ", "alerts that differ when done again"),
    ("differ_from_middle", "alerts that differ when begun in the middle"),
    ("live_s", "seconds lived"),
    ("replay_s", "seconds done again"),
)


def measure(options: argparse.Namespace) -> Report:
    """Live, do it again as a whole and from the middle, and count what differs."""
    days, scans = options.days, options.scans
    with TemporaryDirectory() as folder:
        life = ReplayLife(Path(folder), options.customers, options.seed)
        try:
            began = perf_counter()
            life.live(days, scans)
            lived = perf_counter() - began
            end = life.clock.now() + timedelta(seconds=1)
            events = life.operations.alert_events(START, end)
            kinds = Counter(event.kind for event in events)
            began = perf_counter()
            whole = life.machine.redo(START, end)
            redone = perf_counter() - began
            middle = life.machine.redo(START + timedelta(days=days / 2, minutes=1), end)
        finally:
            life.close()
    return {
        "days": days,
        "customers": options.customers,
        "scans": days * scans,
        "seed": options.seed,
        "late_items": life.late,
        "relabelled": life.relabelled,
        "ended": kinds["closed"],
        "verdicts": kinds["judged"],
        "alerts": len(raised(events)),
        "differ": len(whole),
        "differ_from_middle": len(middle),
        "live_s": round(lived, 1),
        "replay_s": round(redone, 1),
    }


def markdown(report: Report) -> str:
    """The figures as a page."""
    rows = "\n".join(f"| {title} | {report[name]} |" for name, title in _LINES)
    return f"# Replay against life\n\n`python -m evals.replay --write`\n\n| | |\n| --- | --- |\n{rows}\n"


def worse(before: Report, now: Report) -> list[str]:
    """Any alert that differs."""
    return [
        f"{name}: {now[name]} alerts" for name in ("differ", "differ_from_middle") if now[name] > before[name]
    ]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the report where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--scans", type=int, default=2, help="scans a day")
    parser.add_argument("--seed", type=int, default=20261123)
    return run_measurement(Measurement("replay", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
