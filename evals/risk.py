"""`python -m evals.risk`: how right the risk signals are on the hand-written cases.

Writes evals/reports/risk.json and risk.md. Exits with 1 where a suite is worse than the report of before.
What counts as a signal: evals/cases/risk.md.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.multilabel import LabelledCase, load_labelled, miss, name_table, score_sets, suite_table, worse
from evals.reports import Measurement, Report, run_measurement
from pipeline.embedded_classifier import EmbeddedClassifier

_CASES: Final = Path(__file__).parent / "cases"
_BY_SIGNAL: Final = ("all", "blind", "blind_other_writer")


def suites() -> dict[str, list[LabelledCase]]:
    """The cases by suite (evals/cases/risk.md): the first file whole and in parts, seen ones, blind ones."""
    cases = load_labelled(_CASES / "risk.jsonl", "risk")
    found = {
        "all": cases,
        "development": [case for case in cases if case.half == "development"],
        "held_out": [case for case in cases if case.half == "held_out"],
        "zh": [case for case in cases if case.language == "zh"],
        "en": [case for case in cases if case.language == "en"],
    }
    found["seen"] = load_labelled(_CASES / "risk_seen.jsonl", "risk")
    found["blind"] = load_labelled(_CASES / "risk_blind.jsonl", "risk")
    found["blind_other_writer"] = load_labelled(_CASES / "risk_blind_other.jsonl", "risk")
    return found


def measure() -> dict[str, Any]:
    """Figures by suite, and the texts that are not right (but for the blind ones: those stay unread)."""
    classifier = EmbeddedClassifier()
    report: Report = {"labeller": classifier.name, "suites": {}, "misses": []}
    for name, cases in suites().items():
        found = [frozenset(label.risk_signals) for label in classifier.classify([one.text for one in cases])]
        report["suites"][name] = score_sets([one.expected for one in cases], found)
        if name in ("all", "seen"):
            report["misses"] += [
                miss(case, given) for case, given in zip(cases, found, strict=True) if case.expected != given
            ]
    return report


def markdown(report: Report) -> str:
    """The report as tables."""
    lines = ["# Risk signals on hand-written cases", ""]
    lines += [f"Labeller `{report['labeller']}`. F1 with the 95% interval of a bootstrap over texts.", ""]
    lines += suite_table(report["suites"], "macro_f1")
    for name in _BY_SIGNAL:
        lines += ["", f"## By signal: {name}", "", *name_table(report["suites"][name]["by_name"])]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.risk", description=__doc__)
    return run_measurement(Measurement("risk", lambda _: measure(), markdown, worse), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
