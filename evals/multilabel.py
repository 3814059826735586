"""Scores of a labeller that gives each text a set of names: F1 and its parts, with bootstrap intervals."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.reports import Report, interval, table

_ROUNDS: Final = 2000
_SEED: Final = 20240601


@dataclass(frozen=True)
class LabelledCase:
    """One hand-written text, the names it must get (no other), and what makes it hard."""

    text: str
    expected: frozenset[str]
    note: str

    @property
    def half(self) -> str:
        """The half of the suite it belongs to for good: a hash of the text decides."""
        return half_of(self.text)

    @property
    def language(self) -> str:
        """`zh` where the text holds a Chinese sign, else `en`."""
        return "zh" if any("\u4e00" <= sign <= "\u9fff" for sign in self.text) else "en"


def half_of(text: str) -> str:
    """The half of a suite that a text belongs to: `development` or `held_out`."""
    return "development" if hashlib.sha256(text.encode()).digest()[0] % 2 else "held_out"


def load_labelled(path: Path, key: str) -> list[LabelledCase]:
    """Read a JSONL file of {"text", key: [names], "note"}."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [LabelledCase(row["text"], frozenset(row[key]), row["note"]) for row in rows]


def score_sets(expected: Sequence[frozenset[str]], found: Sequence[frozenset[str]]) -> dict[str, Any]:
    """Figures by name and over all names (`micro`), each with the 95% interval of a percentile bootstrap.

    The bootstrap draws texts with replacement (2,000 rounds, fixed seed; Efron 1979). A name without any hit,
    miss or false alarm in a draw counts as F1 = 1 there.
    """
    names = sorted(set().union(*expected, *found))
    truth = np.array([[name in one for name in names] for one in expected], dtype=bool)
    given = np.array([[name in one for name in names] for one in found], dtype=bool)
    draws = np.random.default_rng(_SEED).integers(0, len(truth), size=(_ROUNDS, len(truth)))
    report: dict[str, Any] = {
        "n": len(truth),
        "exact": int((truth == given).all(axis=1).sum()),
        "micro": _figures(truth, given, draws),
    }
    report["macro_f1"] = round(
        float(np.mean([_f1(truth[:, [at]], given[:, [at]]) for at in range(len(names))])), 4
    )
    report["by_name"] = {
        name: _figures(truth[:, [at]], given[:, [at]], draws) for at, name in enumerate(names)
    }
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


def worse(before: Report, now: Report) -> list[str]:
    """Suites whose micro F1 fell below that of an earlier report."""
    return [
        f"{name}: micro F1 {figures['micro']['f1']}, was {before['suites'][name]['micro']['f1']}"
        for name, figures in now["suites"].items()
        if name in before["suites"] and figures["micro"]["f1"] < before["suites"][name]["micro"]["f1"]
    ]


def suite_table(suites: Mapping[str, Any], *more: str) -> list[str]:
    """Lines of a table of suites: n, micro F1 with interval, missed, false alarms, texts wholly right."""
    head = ["suite", "n", "micro F1", "95% interval", "missed", "false alarms", "all right", *more]
    rows = []
    for name, one in suites.items():
        micro = one["micro"]
        counts = [micro["missed"], micro["false_alarms"], one["exact"]]
        rows.append([name, one["n"], micro["f1"], interval(micro), *counts, *(one[key] for key in more)])
    return table([word.replace("_", " ") for word in head], rows)


def name_table(by_name: Mapping[str, Any]) -> list[str]:
    """Lines of a table of F1 and its parts by name."""
    rows = [
        [name, one["f1"], interval(one), one["hits"], one["missed"], one["false_alarms"]]
        for name, one in by_name.items()
    ]
    return table(["name", "F1", "95% interval", "hits", "missed", "false alarms"], rows)


def _figures(truth: NDArray[np.bool_], given: NDArray[np.bool_], draws: NDArray[np.int64]) -> dict[str, Any]:
    hits, missed, extra = truth & given, truth & ~given, given & ~truth
    parts = [table.sum(axis=1)[draws].sum(axis=1) for table in (hits, missed, extra)]
    whole = 2 * parts[0] + parts[1] + parts[2]
    drawn = np.where(whole > 0, 2 * parts[0] / np.maximum(whole, 1), 1.0)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "f1": round(_f1(truth, given), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "hits": int(hits.sum()),
        "missed": int(missed.sum()),
        "false_alarms": int(extra.sum()),
    }


def _f1(truth: NDArray[np.bool_], given: NDArray[np.bool_]) -> float:
    hits, wrong = int((truth & given).sum()), int((truth ^ given).sum())
    return 2 * hits / (2 * hits + wrong) if hits + wrong else 1.0
