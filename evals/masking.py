"""How well personal data is masked: generated and hand-written cases, public sentences, real reviews.

python -m evals.masking [--data DIR] [--seed N] [--canaries]

Writes `evals/reports/masking.json` and `.md`. A value counts as hidden only if no letter and no digit of it
is left. `--canaries` pushes 1,000 through the whole program and looks for them in everything it leaves.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from evals.masking_cases import FREE_KINDS, SEED, masking_cases
from evals.masking_public import presidio_figures, review_figures, share
from evals.masking_report import render
from pipeline.mask import mask

_REPORTS: Final = Path(__file__).with_name("reports")
_HAND: Final = Path(__file__).parents[1] / "tests" / "mask_cases.jsonl"
_PLACEHOLDER: Final = re.compile(r"\[[A-Z_]+\]")
# The rules were written against SEED; the figures are of another draw from the same sentences.
_FRESH: Final = SEED + 2


class Value(NamedTuple):
    """Personal data of a kind at `[start, end)` of a text."""

    kind: str
    start: int
    end: int


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--seed", type=int, default=_FRESH)
    parser.add_argument("--canaries", action="store_true")
    parser.add_argument("--out", type=Path, default=_REPORTS)
    given = parser.parse_args()
    generated = [
        (case.text, [Value(case.kind, case.start, case.end)] if case.kind else [])
        for case in masking_cases(given.seed)
    ]
    report: dict[str, Any] = {
        "seed": given.seed,
        "generated": suite_figures(generated),
        "hand_written": suite_figures(hand_written()),
    }
    if given.data is not None:
        report["presidio"] = presidio_figures(given.data)
        report["reviews"] = review_figures(given.data)
    if given.canaries:
        from evals.masking_canaries import run_canaries

        report["canaries"] = run_canaries(1_000)
    given.out.mkdir(parents=True, exist_ok=True)
    whole = json.dumps(report, ensure_ascii=False, indent=1)
    (given.out / "masking.json").write_text(whole + "\n", encoding="utf-8")
    (given.out / "masking.md").write_text(render(report), encoding="utf-8")
    print(render(report))


def suite_figures(cases: Iterable[tuple[str, list[Value]]]) -> dict[str, Any]:
    """Recall by kind, of the structured ones and of names and addresses, and precision over all cases."""
    hidden: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    missed: list[dict[str, str]] = []
    false: list[dict[str, str]] = []
    texts = shown = 0
    for text, values in cases:
        spans = mask(text).spans
        texts += 1
        shown += len(spans)
        for span in spans:
            if not any(span.start < value.end and value.start < span.end for value in values):
                false.append({"type": span.type, "found": text[span.start : span.end], "text": text})
        for value in values:
            open_signs = [at for at in range(value.start, value.end) if text[at].isalnum()]
            left = any(not any(span.start <= at < span.end for span in spans) for at in open_signs)
            totals[value.kind] += 1
            hidden[value.kind] += not left
            if left:
                missed.append({"kind": value.kind, "text": text})
    groups = {
        "structured": [kind for kind in totals if kind not in FREE_KINDS],
        "names_and_addresses": [kind for kind in totals if kind in FREE_KINDS],
    }
    return {
        "texts": texts,
        "recall": {
            name: share(sum(hidden[k] for k in kinds), sum(totals[k] for k in kinds))
            for name, kinds in groups.items()
        },
        "precision": share(shown - len(false), shown),
        "kinds": {kind: share(hidden[kind], totals[kind]) for kind in totals},
        "missed": missed,
        "false": false,
    }


def hand_written() -> Iterator[tuple[str, list[Value]]]:
    """The cases of the test suite; every placeholder of an expected result stands for one value."""
    for line in _HAND.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        text, masked = case["text"], case["masked"]
        pieces = _PLACEHOLDER.split(masked)
        kinds = [found.strip("[]") for found in _PLACEHOLDER.findall(masked)]
        values: list[Value] = []
        at = len(pieces[0])
        for kind, piece in zip(kinds, pieces[1:], strict=True):
            end = text.index(piece, at + 1) if piece else len(text)
            free = {"NAME": "name_en" if text.isascii() else "name_zh"}
            free["ADDRESS"] = "address_en" if text.isascii() else "address_zh"
            values.append(Value(free.get(kind, kind), at, end))
            at = end + len(piece)
        yield text, values


if __name__ == "__main__":
    main()
