"""Localisation of labelled incidents: `python -m evals.rootcause --cases DIR [--json]`.

Each case is answered by a set of elements; right, superfluous and missing elements are summed over the cases,
as the papers of Squeeze and RiskLoc score them: F1 = 2 tp / (2 tp + fp + fn), an element counting only whole.
"""

import argparse
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from analytics.cell_cube import CellCube
from analytics.cell_localisation import localise
from analytics.cells import Conditions
from analytics.forecast_localisation import localise_forecast
from evals.reports import Measurement, Report, interval, run_measurement, table
from evals.rootcause_cases import Forecasts, read_folder, read_table
from evals.rootcause_made import RECIPES, make_tables
from evals.wording import read_yaml
from store.errors import VoiceLoopError

# Nothing was tuned on tables of this seed.
MADE_SEED = 2205
# Of the kind with millions of cells a twentieth is made.
_SLOW = {"H": 0.05}


class Answer(NamedTuple):
    """One case: its elements, those found, and how long it took."""

    name: str
    truth: frozenset[Conditions]
    found: frozenset[Conditions]
    seconds: float


def answer(name: str, cells: CellCube | Forecasts, truth: frozenset[Conditions]) -> Answer:
    """Localise one case with the product's search. Counts of failures are worse when higher."""
    started = perf_counter()
    if isinstance(cells, CellCube):
        found = localise(cells, kind="proportion", direction="up", best=0.0)
    else:
        found = localise_forecast(cells.columns, cells.real, cells.predict)
    return Answer(name, truth, frozenset(found), perf_counter() - started)


def figures(answers: Sequence[Answer], seed: int = 1) -> dict[str, Any]:
    """Counts, F1 with the 95% interval of a percentile bootstrap over cases, exact cases, seconds a case."""
    rng = random.Random(seed)
    counted = [_counts(one) for one in answers]
    drawn = sorted(_f1(rng.choices(counted, k=len(counted))) for _ in range(2000))
    took = sorted(one.seconds for one in answers)
    return {
        "cases": len(answers),
        "tp": sum(tp for tp, _, _ in counted),
        "fp": sum(fp for _, fp, _ in counted),
        "fn": sum(fn for _, _, fn in counted),
        "f1": _f1(counted),
        "low": drawn[50],
        "high": drawn[1949],
        "exact": sum(one.found == one.truth for one in answers),
        "seconds_mean": sum(took) / len(took),
        "seconds_max": took[-1],
    }


def measure(options: argparse.Namespace) -> Report:
    """Answer the folder's cases and, with --made N, N tables of each of RiskLoc's three kinds."""
    answers = [answer(case.name, read_table(case), case.truth) for case in read_folder(options.cases)]
    made = {
        kind: figures(
            [
                answer(f"{kind}{number}", forecasts, truth)
                for number, (forecasts, truth) in enumerate(
                    make_tables(recipe, round(_SLOW.get(kind, 1.0) * options.made), MADE_SEED)
                )
            ]
        )
        for kind, recipe in RECIPES.items()
        if round(_SLOW.get(kind, 1.0) * options.made)
    }
    return {
        **figures(answers),
        "cases_in_full": [
            {
                "case": one.name,
                "truth": _written(one.truth),
                "found": _written(one.found),
                "right": one.found == one.truth,
                "seconds": round(one.seconds, 4),
            }
            for one in answers
        ],
        "made": made,
        "beside": read_yaml("rootcause.yaml"),
    }


def markdown(report: Report) -> str:
    """The page of a run."""
    rows = [["the folder's cases", *_row(report)]]
    rows += [[f"made, kind {kind}", *_row(one)] for kind, one in report["made"].items()]
    wrong = [one for one in report["cases_in_full"] if not one["right"]]
    beside = report["beside"]
    return "\n".join(
        [
            "# Localisation of multi-dimensional incidents",
            "",
            "Elements count only whole. F1 over all elements; 95% interval by bootstrap over cases.",
            "",
            *table(
                [
                    "cases",
                    "n",
                    "tp",
                    "fp",
                    "fn",
                    "F1",
                    "interval",
                    "all right",
                    "s a case",
                    "s at most",
                ],
                rows,
            ),
            "",
            "## Beside it",
            "",
            beside["note"],
            "",
            *table(
                ["method", "figure", "data", "source"],
                [[one["method"], one["figure"], one["data"], one["source"]] for one in beside["figures"]],
            ),
            "",
            "## Cases not exactly right",
            "",
            *table(
                ["case", "truth", "found"], [[w["case"], _list(w["truth"]), _list(w["found"])] for w in wrong]
            ),
            "",
        ]
    )


def worse(before: Report, now: Report) -> list[str]:
    """Lines for what fell by more than 0.005, where the same number of cases was asked."""
    pairs = [("the folder's cases", before, now)]
    pairs += [
        (kind, before["made"][kind], one) for kind, one in now["made"].items() if kind in before["made"]
    ]
    return [
        f"F1 of {name}: {old['f1']:.3f} to {new['f1']:.3f}"
        for name, old, new in pairs
        if old["cases"] == new["cases"] and new["f1"] < old["f1"] - 0.005
    ]


def _counts(one: Answer) -> tuple[int, int, int]:
    right = len(one.found & one.truth)
    return right, len(one.found) - right, len(one.truth) - right


def _f1(counted: Iterable[tuple[int, int, int]]) -> float:
    tp, fp, fn = (sum(column) for column in zip(*counted, strict=True))
    return float(2 * tp / (2 * tp + fp + fn))


def _row(one: Mapping[str, Any]) -> list[object]:
    counts = [one["cases"], one["tp"], one["fp"], one["fn"], one["f1"]]
    return [*counts, interval(one), one["exact"], one["seconds_mean"], one["seconds_max"]]


def _written(elements: frozenset[Conditions]) -> list[dict[str, str]]:
    return [dict(element) for element in sorted(elements)]


def _list(elements: Sequence[Mapping[str, str]]) -> str:
    return "; ".join("&".join(f"{name}={value}" for name, value in one.items()) for one in elements) or "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: 0 done, 1 worse than the kept run, 2 a folder that cannot be read."""
    parser = argparse.ArgumentParser(description="Localise labelled incidents and score the answers.")
    parser.add_argument("--cases", type=Path, required=True, help="folder of labelled cases")
    parser.add_argument("--made", type=int, default=0, help="also so many made tables of each kind")
    try:
        measurement = Measurement("rootcause", measure, markdown, worse)
        return run_measurement(measurement, parser, arguments)
    except VoiceLoopError as error:
        print(f"{error.message}\n{error.hint}" if error.hint else error.message, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
