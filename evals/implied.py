"""`python -m evals.implied`: is irony read as a complaint, and praise beneath a complaint as praise.

Writes evals/reports/implied.json and implied.md with `--write`. Exits with 1 where a figure fell.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evals.multilabel import half_of, score_sets, suite_table, worse
from evals.reports import Measurement, Report, run_measurement
from pipeline.embedded_classifier import EmbeddedClassifier

_CASES: Final = Path(__file__).parent / "cases" / "implied.jsonl"


def measure() -> dict[str, Any]:
    """F1 of `implied_sentiment` (absent where the words mean what they say) and accuracy of the sentiment."""
    rows = [json.loads(line) for line in _CASES.read_text(encoding="utf-8").splitlines()]
    classifier = EmbeddedClassifier()
    labels = classifier.classify([row["text"] for row in rows])
    expected = [frozenset([row["implied"]] if row["implied"] else []) for row in rows]
    found = [frozenset([one.implied_sentiment.value] if one.implied_sentiment else []) for one in labels]
    right = [one.sentiment.value == row["sentiment"] for one, row in zip(labels, rows, strict=True)]
    report: Report = {"labeller": classifier.name, "suites": {}}
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


def markdown(report: Report) -> str:
    """The report as a table."""
    lines = ["# Implied sentiment on hand-written cases", "", f"Labeller `{report['labeller']}`.", ""]
    return "\n".join([*lines, *suite_table(report["suites"], "sentiment_right")]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.implied", description=__doc__)
    return run_measurement(Measurement("implied", lambda _: measure(), markdown, worse), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
