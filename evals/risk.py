"""`python -m evals.risk`: how right the risk signals are on the hand-written cases.

Writes evals/reports/risk.json and risk.md. Exits with 1 where a suite is worse than the report of before.
What counts as a signal: evals/cases/risk.md.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.multilabel import LabelledCase, load_labelled, score_sets
from pipeline.embedded_classifier import EmbeddedClassifier

_CASES: Final = Path(__file__).parent / "cases"
REPORT: Final = Path(__file__).parent / "reports" / "risk.json"


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
    report: dict[str, Any] = {"labeller": classifier.name, "suites": {}, "misses": []}
    for name, cases in suites().items():
        found = [frozenset(label.risk_signals) for label in classifier.classify([one.text for one in cases])]
        report["suites"][name] = score_sets([one.expected for one in cases], found)
        if name in ("all", "seen"):
            report["misses"] += [
                miss(case, given) for case, given in zip(cases, found, strict=True) if case.expected != given
            ]
    return report


def miss(case: LabelledCase, given: frozenset[str]) -> dict[str, Any]:
    """A case whose names are not exactly those expected."""
    return {
        "text": case.text,
        "half": case.half,
        "note": case.note,
        "missed": sorted(case.expected - given),
        "false_alarms": sorted(given - case.expected),
    }


def worse(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Suites whose micro F1 fell below that of an earlier report."""
    return [
        f"{name}: micro F1 {figures['micro']['f1']}, was {before['suites'][name]['micro']['f1']}"
        for name, figures in now["suites"].items()
        if name in before["suites"] and figures["micro"]["f1"] < before["suites"][name]["micro"]["f1"]
    ]


def markdown(report: dict[str, Any]) -> str:
    """The report as tables."""
    lines = [
        "# Risk signals on hand-written cases",
        "",
        f"Labeller `{report['labeller']}`. F1 with the 95% interval of a bootstrap over texts.",
        "",
        "| suite | n | micro F1 | interval | macro F1 | all signals right |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in report["suites"].items():
        micro = one["micro"]
        interval = f"{micro['low']:.3f} to {micro['high']:.3f}"
        lines.append(
            f"| {name} | {one['n']} | {micro['f1']:.3f} | {interval} "
            f"| {one['macro_f1']:.3f} | {one['exact']} |"
        )
    for name in ("all", "blind"):
        if name in report["suites"]:
            lines += ["", f"## By signal: {name}", "", *by_name_table(report["suites"][name]["by_name"])]
    return "\n".join(lines) + "\n"


def by_name_table(by_name: dict[str, Any]) -> list[str]:
    """F1 and its parts by name."""
    head = [
        "| signal | F1 | interval | hits | missed | false alarms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return head + [
        f"| {name} | {one['f1']:.3f} | {one['low']:.3f} to {one['high']:.3f} "
        f"| {one['hits']} | {one['missed']} | {one['false_alarms']} |"
        for name, one in by_name.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.risk", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep this run as the report")
    options = parser.parse_args(arguments)
    report = measure()
    print(markdown(report))
    fallen = worse(json.loads(REPORT.read_text(encoding="utf-8")), report) if REPORT.exists() else []
    for line in fallen:
        print(f"worse: {line}")
    if options.write:
        REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        REPORT.with_suffix(".md").write_text(markdown(report), encoding="utf-8")
    return 1 if fallen else 0


if __name__ == "__main__":
    raise SystemExit(main())
