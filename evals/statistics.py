"""Whether intervals and verdicts are right, by simulation: `python -m evals.statistics [--write]`."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from analytics.estimates import proportion
from evals.reports import Measurement, Report, interval, run_measurement, table
from evals.statistics_coverage import (
    NOMINAL,
    Coverage,
    difference_coverage,
    driver_coverage,
    figure_coverage,
)
from evals.statistics_series import Tally, effect_coverage, effects, forecast_coverage, null_pairs

_WITHIN = 0.01
_SEED = 20_261
_PAIRS, _EFFECTS = 400, 50


def measure(options: argparse.Namespace) -> Report:
    """Simulate everything."""
    many, few = options.samples, max(20, options.samples // 10)
    cases = [
        *figure_coverage(many, _SEED),
        *difference_coverage(many, _SEED + 1),
        *driver_coverage(few, _SEED + 2),
        *effect_coverage(few, _SEED + 3),
        *forecast_coverage(max(20, few // 2), _SEED + 4),
    ]
    return {
        "samples": many,
        "kinds": _kinds(cases),
        "cases": [one.row() for one in cases],
        "null_pairs": [_tally(one) for one in null_pairs(_PAIRS, _SEED + 5)],
        "effects": [_tally(one) for one in effects(_EFFECTS, _SEED + 6)],
    }


def markdown(report: Report) -> str:
    """Kinds first, then the cases outside of 95 +- 1%, then verdicts."""
    off = [row for row in report["cases"] if abs(row["coverage"] - NOMINAL) > _WITHIN]
    head = ["what", "n", "truth", "coverage", "95% interval", "samples", "few events"]
    lines = [
        "# Intervals and verdicts by simulation",
        "",
        "All intervals are meant to hold the truth 95% of the time; the goal is 95 +- 1%. `within` counts "
        "the cases (a sample size and a truth) whose simulated share is, noise of the simulation included. "
        "`few events`: cases of fewer than five expected answers other than the commonest, where counts so "
        "few jump between coverages; they are counted in every other column too. Truths vary by about a "
        "tenth from sample to sample. Effects, forecasts and pairs are simulated through the functions "
        "behind verify_effect, forecast and compare_periods, not through the tools and a store. The rank of "
        "a forecast's interval was chosen on series made much like these, with other seeds.",
        "",
        *table(
            ["what", "mean coverage", "cases", "within", "cases, few events", "lowest", "highest"],
            [list(row.values()) for row in report["kinds"]],
        ),
        "",
        "## Periods without any change that are said to have risen or fallen (goal: at most 5 of 100)",
        "",
        "Intervals of exactly 95% would be wrong in 5 of 100, so a hundred such pairs exceed five about four "
        "times in ten by chance alone; 400 are simulated. Days of standard deviation 0.4 on the logit.",
        "",
        *table(
            ["pairs", "said to differ", "of", "95% interval"], [_told(row) for row in report["null_pairs"]]
        ),
        "",
        "## Effects of measures judged rightly (goal: at least 90%)",
        "",
        "60 days before, 40 after, 40 items a day, autocorrelation 0.3. Real effects are large (0.9 on the "
        "logit, some 17 points of a share): they test for misjudgement, not for power.",
        "",
        *table(["case", "right", "of", "95% interval"], [_told(row) for row in report["effects"]]),
        "",
        f"## Cases outside of 95 +- 1% ({len(off)} of {len(report['cases'])})",
        "",
        *table(
            head,
            [
                [
                    r["what"],
                    r["n"],
                    r["truth"],
                    r["coverage"],
                    interval(r),
                    r["samples"],
                    "yes" if r["few"] else "",
                ]
                for r in off
            ],
        ),
        "",
    ]
    return "\n".join(lines)


def _kinds(cases: Sequence[Coverage]) -> list[dict[str, Any]]:
    groups: dict[str, list[Coverage]] = defaultdict(list)
    for one in cases:
        groups[one.what].append(one)
    return [
        {
            "what": what,
            "mean": round(float(sum(one.share for one in of)) / len(of), 4),
            "cases": len(of),
            "within": int(sum(abs(one.share - NOMINAL) <= _WITHIN for one in of)),
            "few": sum(one.row()["few"] for one in of),
            "lowest": round(float(min(one.share for one in of)), 4),
            "highest": round(float(max(one.share for one in of)), 4),
        }
        for what, of in groups.items()
    ]


def _tally(one: Tally) -> dict[str, Any]:
    bounds = proportion(one.n, one.cases)
    return {
        "name": one.name,
        "cases": int(one.cases),
        "n": one.n,
        "low": bounds.ci_low,
        "high": bounds.ci_high,
    }


def _told(row: dict[str, Any]) -> list[object]:
    return [row["name"], row["cases"], row["n"], interval(row)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Coverage of intervals, false changes, effects")
    parser.add_argument("--samples", type=int, default=1000, help="simulated samples a case")
    return run_measurement(Measurement("statistics", measure, markdown), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
