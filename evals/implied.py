"""`python -m evals.implied`: is irony read as a complaint, and praise beneath a complaint as praise.

Writes evals/reports/implied.json and implied.md with `--write`. Exits with 1 where a figure fell.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.multilabel import half_of, score_sets
from pipeline.embedded_classifier import EmbeddedClassifier

_CASES: Final = Path(__file__).parent / "cases" / "implied.jsonl"
REPORT: Final = Path(__file__).parent / "reports" / "implied.json"


def measure() -> dict[str, Any]:
    """F1 of `implied_sentiment` (absent where the words mean what they say) and accuracy of the sentiment."""
    rows = [json.loads(line) for line in _CASES.read_text(encoding="utf-8").splitlines()]
    classifier = EmbeddedClassifier()
    labels = classifier.classify([row["text"] for row in rows])
    expected = [frozenset([row["implied"]] if row["implied"] else []) for row in rows]
    found = [frozenset([one.implied_sentiment.value] if one.implied_sentiment else []) for one in labels]
    right = [one.sentiment.value == row["sentiment"] for one, row in zip(labels, rows, strict=True)]
    report: dict[str, Any] = {"labeller": classifier.name, "suites": {}}
    for name in ("all", "development", "held_out"):
        part = [at for at, row in enumerate(rows) if name in ("all", half_of(row["text"]))]
        figures = score_sets([expected[at] for at in part], [found[at] for at in part])
        report["suites"][name] = {**figures, "sentiment_right": sum(right[at] for at in part)}
    report["misses"] = [
        {**row, "half": half_of(row["text"]), "given": sorted(given), "sentiment_given": one.sentiment.value}
        for row, want, given, one, good in zip(rows, expected, found, labels, right, strict=True)
        if want != given or not good
    ]
    return report


def markdown(report: dict[str, Any]) -> str:
    """The report as a table."""
    lines = ["# Implied sentiment on hand-written cases", "", f"Labeller `{report['labeller']}`.", ""]
    head = "| suite | n | F1 | 95% interval | missed | false alarms | sentiment right |"
    lines += [head, "|" + " --- |" * 7]
    for name, one in report["suites"].items():
        micro = one["micro"]
        lines.append(
            f"| {name} | {one['n']} | {micro['f1']:.3f} | {micro['low']:.3f} to {micro['high']:.3f} "
            f"| {micro['missed']} | {micro['false_alarms']} | {one['sentiment_right']} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.implied", description=__doc__)
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
