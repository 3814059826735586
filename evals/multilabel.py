"""Scores of a labeller that gives each text a set of names: F1 and its parts, with bootstrap intervals."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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
