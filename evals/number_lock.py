"""Measures the number lock on sentences over real tool results, half of them with one planted fault.

A case is a sentence, the results it speaks of and the kind of fault planted in it (figure, unit, direction,
rank, attribution, citation), or none. Recall: faulty sentences that are blocked. False blocks: right ones
that are. Results of the first two batches were made by the tools on the sample feed (seed 7): the first
batch was seen while the checker was made, the held-out batch was written afterwards. The other two speak of
two or three results each over other data (reviews of lounges and of clothing, named with --data) in several
hands: one was seen, one kept aside until the checker stood. Of the batches that were not seen the figures
of the first run are kept, whatever is changed later.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.lock_stream import StreamLock
from agent.number_lock import NumberLock, Source
from analytics.estimates import proportion
from evals.number_lock_results import CASES, Results, kept_results, other_results, remake
from evals.reports import Measurement, Report, interval, read_report, run_measurement, table

BATCHES = {
    "seen": "number_lock.jsonl",
    "held_out": "number_lock_held_out.jsonl",
    "other_data": "number_lock_other.jsonl",
    "kept_aside": "number_lock_aside.jsonl",
}
_OF_OTHER_DATA = ("other_data", "kept_aside")
_UNSEEN = ("held_out", "kept_aside")
_FIRST = ("fingerprint", "recall", "false_blocks", "kinds", "languages")
_PIECE = 7
_GOALS = {"recall": 0.99, "false_blocks": 0.01}
Case = Mapping[str, Any]


def load_cases(batch: str) -> list[Case]:
    """The cases of a batch: `id`, `of` (names of results), `language`, `text`, `fault` (None where right)."""
    lines = (CASES / BATCHES[batch]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


class Locks:
    """One lock for every set of results that cases speak of."""

    def __init__(self, results: Results | None = None) -> None:
        """`results`: by name; those over the sample feed where none are given."""
        self._results = kept_results() if results is None else results
        self._made: dict[tuple[str, ...], NumberLock] = {}

    def of(self, names: Sequence[str]) -> NumberLock:
        """The lock over the named results."""
        key = tuple(names)
        if key not in self._made:
            calls = {name: self._results[name] for name in key}
            self._made[key] = NumberLock(
                [Source(name, call["name"], call["args"], call["result"]) for name, call in calls.items()]
            )
        return self._made[key]


def streamed_alike(lock: NumberLock, text: str) -> bool:
    """Whether a sentence in pieces of seven characters gets the claims of the whole."""
    stream = StreamLock(lock)
    for start in range(0, len(text), _PIECE):
        stream.feed(text[start : start + _PIECE])
    stream.close()
    return stream.checked.claims == lock.check(text).claims


def _measure(options: argparse.Namespace) -> Report:
    if options.remake:
        remake()
    before = read_report("number_lock")
    report: Report = {"goals": _GOALS}
    sample = Locks()
    other = Locks(other_results(options.data)) if options.data else None
    for batch in BATCHES:
        locks = other if batch in _OF_OTHER_DATA else sample
        if locks is not None:
            report[batch] = _batch(batch, locks)
        elif batch in before:
            report[batch] = before[batch]
    for batch in _UNSEEN:
        first = f"{batch}_first_run"
        if first in before:
            report[first] = before[first]
        elif batch in report:
            report[first] = {key: report[batch][key] for key in _FIRST}
    return report


def _batch(batch: str, locks: Locks) -> Report:
    cases = load_cases(batch)
    started = time.perf_counter()
    blocked = {case["id"]: bool(locks.of(case["of"]).check(case["text"]).claims) for case in cases}
    elapsed = time.perf_counter() - started
    return {
        "file": BATCHES[batch],
        "fingerprint": hashlib.sha256((CASES / BATCHES[batch]).read_bytes()).hexdigest()[:12],
        "sentences": len(cases),
        "results": len({one for case in cases for one in case["of"]}),
        "ms_per_sentence": round(1000 * elapsed / len(cases), 2),
        "streamed_alike": sum(streamed_alike(locks.of(case["of"]), case["text"]) for case in cases),
        **_scores(cases, blocked),
    }


def _scores(cases: Sequence[Case], blocked: Mapping[str, bool]) -> Report:
    faulty = [case for case in cases if case["fault"]]
    right = [case for case in cases if not case["fault"]]
    kinds = sorted({case["fault"] for case in faulty})
    languages = sorted({case["language"] for case in cases})
    return {
        "recall": _share(faulty, blocked),
        "false_blocks": _share(right, blocked),
        "kinds": {kind: _share([c for c in faulty if c["fault"] == kind], blocked) for kind in kinds},
        "languages": {
            language: {
                "recall": _share([c for c in faulty if c["language"] == language], blocked),
                "false_blocks": _share([c for c in right if c["language"] == language], blocked),
            }
            for language in languages
        },
        "missed": [case["text"] for case in faulty if not blocked[case["id"]]],
        "wrongly_blocked": [case["text"] for case in right if blocked[case["id"]]],
    }


def _share(cases: Sequence[Case], blocked: Mapping[str, bool]) -> Report:
    count = sum(blocked[case["id"]] for case in cases)
    found = proportion(len(cases), count)
    return {
        "n": len(cases),
        "blocked": count,
        "share": count / len(cases),
        "low": found.ci_low,
        "high": found.ci_high,
    }


def _page(report: Report) -> str:
    lines = ["# Number lock", "", (__doc__ or "").split("\n\n", 1)[1].strip(), ""]
    lines += [
        f"Goals: recall >= {report['goals']['recall']}, false blocks <= {report['goals']['false_blocks']}.",
        "",
    ]
    rows = []
    for batch in [name for name in BATCHES if name in report]:
        told = batch.replace("_", " ")
        if first := report.get(f"{batch}_first_run"):
            rows.append([f"{told}, first run", *_cells(first["recall"]), *_cells(first["false_blocks"])])
            told = f"{told}, now"
        rows.append([told, *_cells(report[batch]["recall"]), *_cells(report[batch]["false_blocks"])])
    head = ["batch", "faulty", "recall", "95% (Wilson)", "right", "false blocks", "95% (Wilson)"]
    lines += table(head, rows)
    for batch in [name for name in BATCHES if name in report]:
        part = report[batch]
        lines += ["", f"## {batch.replace('_', ' ')}", ""]
        lines += [
            f"{part['sentences']} sentences over {part['results']} results; "
            f"{part['ms_per_sentence']} ms a sentence; the same verdict"
            f" when streamed: {part['streamed_alike']} of {part['sentences']}.",
            "",
        ]
        rows = [[kind, *_cells(found)] for kind, found in part["kinds"].items()]
        rows += [[f"{name}: recall", *_cells(found["recall"])] for name, found in part["languages"].items()]
        rows += [
            [f"{name}: false blocks", *_cells(found["false_blocks"])]
            for name, found in part["languages"].items()
        ]
        lines += table(["kind", "n", "blocked", "95% (Wilson)"], rows)
        for title, key in (("Missed", "missed"), ("Wrongly blocked", "wrongly_blocked")):
            if part[key]:
                lines += ["", f"{title}:", "", *[f"- {text}" for text in part[key]]]
    return "\n".join(lines) + "\n"


def _cells(found: Mapping[str, Any]) -> list[object]:
    return [found["n"], found["share"], interval(found)]


def _worse(before: Report, after: Report) -> list[str]:
    lines = []
    for batch in [name for name in BATCHES if name in before and name in after]:
        for key, sign in (("recall", 1), ("false_blocks", -1)):
            was, now = before[batch][key]["share"], after[batch][key]["share"]
            if (now - was) * sign < -1e-9:
                lines.append(f"{batch}: {key} {was:.4f} -> {now:.4f}")
        if after[batch]["streamed_alike"] < after[batch]["sentences"]:
            lines.append(f"{batch}: streamed text gets another verdict")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.number_lock", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder of public data sets; their batches else stay as kept"
    )
    parser.add_argument("--remake", action="store_true", help="make the results over the sample feed anew")
    return run_measurement(Measurement("number_lock", _measure, _page, _worse), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
