"""`python -m evals.compliance`: how right the compliance flags are on the hand-written cases.

Writes evals/reports/compliance.json and compliance.md with `--write`. Exits with 1 where micro F1 fell.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.multilabel import load_labelled, miss, name_table, score_sets, suite_table, worse
from evals.reports import Measurement, Report, run_measurement
from pipeline.embedded_classifier import EmbeddedClassifier

_CASES: Final = Path(__file__).parent / "cases" / "compliance.jsonl"


def measure() -> dict[str, Any]:
    """Figures over all cases and over each half, and every text that is not flagged exactly as expected."""
    classifier = EmbeddedClassifier()
    cases = load_labelled(_CASES, "compliance")
    found = [frozenset(label.compliance_flags) for label in classifier.classify([one.text for one in cases])]
    report: Report = {"labeller": classifier.name, "suites": {}}
    for name in ("all", "development", "held_out"):
        part = [at for at, case in enumerate(cases) if name in ("all", case.half)]
        report["suites"][name] = score_sets([cases[at].expected for at in part], [found[at] for at in part])
    pairs = zip(cases, found, strict=True)
    report["misses"] = [miss(case, given) for case, given in pairs if case.expected != given]
    return report


def markdown(report: Report) -> str:
    """The report as tables."""
    lines = ["# Compliance flags on hand-written cases", "", f"Labeller `{report['labeller']}`.", ""]
    lines += [*suite_table(report["suites"]), "", *name_table(report["suites"]["all"]["by_name"])]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.compliance", description=__doc__)
    return run_measurement(Measurement("compliance", lambda _: measure(), markdown, worse), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
