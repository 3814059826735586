"""Measures the number lock on sentences over real tool results, half of them with one planted fault.

A case is a sentence, the results it speaks of and the kind of fault planted in it (figure, unit, direction,
rank, attribution, citation), or none. Recall: faulty sentences that are blocked. False blocks: right ones
that are. The first batch was seen while the checker was made; the held-out batch was written afterwards,
and the figures of its first run are kept whatever is changed later. Results were made by the tools on
the sample feed (seed 7).
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
from evals.reports import Measurement, Report, interval, read_report, run_measurement, table

_CASES = Path(__file__).parent / "cases"
_RESULTS = _CASES / "number_lock_results.json"
BATCHES = {"seen": "number_lock.jsonl", "held_out": "number_lock_held_out.jsonl"}
_PIECE = 7
_GOALS = {"recall": 0.99, "false_blocks": 0.01}
Case = Mapping[str, Any]


def load_cases(batch: str) -> list[Case]:
    """The cases of a batch: `id`, `of` (names of results), `language`, `text`, `fault` (None where right)."""
    lines = (_CASES / BATCHES[batch]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


class Locks:
    """One lock for every set of results that cases speak of."""

    def __init__(self) -> None:
        self._results: dict[str, Any] = json.loads(_RESULTS.read_text(encoding="utf-8"))
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
    locks = Locks()
    report: Report = {"goals": _GOALS}
    for batch, name in BATCHES.items():
        cases = load_cases(batch)
        started = time.perf_counter()
        blocked = {case["id"]: bool(locks.of(case["of"]).check(case["text"]).claims) for case in cases}
        elapsed = time.perf_counter() - started
        report[batch] = {
            "file": name,
            "fingerprint": hashlib.sha256((_CASES / name).read_bytes()).hexdigest()[:12],
            "sentences": len(cases),
            "results": len({one for case in cases for one in case["of"]}),
            "ms_per_sentence": round(1000 * elapsed / len(cases), 2),
            "streamed_alike": sum(streamed_alike(locks.of(case["of"]), case["text"]) for case in cases),
            **_scores(cases, blocked),
        }
    kept = read_report("number_lock").get("held_out_first_run")
    report["held_out_first_run"] = kept or {
        key: report["held_out"][key]
        for key in ("fingerprint", "recall", "false_blocks", "kinds", "languages")
    }
    return report


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
    first = report["held_out_first_run"]
    rows = [
        ["seen", *_cells(report["seen"]["recall"]), *_cells(report["seen"]["false_blocks"])],
        ["held out, first run", *_cells(first["recall"]), *_cells(first["false_blocks"])],
        ["held out, now", *_cells(report["held_out"]["recall"]), *_cells(report["held_out"]["false_blocks"])],
    ]
    head = ["batch", "faulty", "recall", "95% (Wilson)", "right", "false blocks", "95% (Wilson)"]
    lines += table(head, rows)
    for batch in BATCHES:
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
    for batch in BATCHES:
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
    return run_measurement(Measurement("number_lock", _measure, _page, _worse), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
