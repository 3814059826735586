"""`python -m evals.compliance`: how right the compliance flags are on the hand-written cases.

Writes evals/reports/compliance.json and compliance.md with `--write`. Exits with 1 where micro F1 fell.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.multilabel import load_labelled, score_sets
from evals.risk import by_name_table, miss
from pipeline.embedded_classifier import EmbeddedClassifier

_CASES: Final = Path(__file__).parent / "cases" / "compliance.jsonl"
REPORT: Final = Path(__file__).parent / "reports" / "compliance.json"


def measure() -> dict[str, Any]:
    """Figures over all cases and over each half, and every text that is not flagged exactly as expected."""
    classifier = EmbeddedClassifier()
    cases = load_labelled(_CASES, "compliance")
    found = [frozenset(label.compliance_flags) for label in classifier.classify([one.text for one in cases])]
    report: dict[str, Any] = {"labeller": classifier.name, "suites": {}}
    for name in ("all", "development", "held_out"):
        part = [at for at, case in enumerate(cases) if name in ("all", case.half)]
        report["suites"][name] = score_sets([cases[at].expected for at in part], [found[at] for at in part])
    pairs = zip(cases, found, strict=True)
    report["misses"] = [miss(case, given) for case, given in pairs if case.expected != given]
    return report


def markdown(report: dict[str, Any]) -> str:
    """The report as tables."""
    lines = ["# Compliance flags on hand-written cases", "", f"Labeller `{report['labeller']}`.", ""]
    lines += ["| suite | n | micro F1 | 95% interval | all flags right |", "|" + " --- |" * 5]
    for name, one in report["suites"].items():
        micro = one["micro"]
        lines.append(
            f"| {name} | {one['n']} | {micro['f1']:.3f} | {micro['low']:.3f} to {micro['high']:.3f} "
            f"| {one['exact']} |"
        )
    return "\n".join([*lines, "", *by_name_table(report["suites"]["all"]["by_name"])]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.compliance", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep this run as the report")
    options = parser.parse_args(arguments)
    report = measure()
    print(markdown(report))
    was = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else report
    if options.write:
        REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        REPORT.with_suffix(".md").write_text(markdown(report), encoding="utf-8")
    now, before = (one["suites"]["all"]["micro"]["f1"] for one in (report, was))
    return 1 if now < before else 0


if __name__ == "__main__":
    raise SystemExit(main())
