"""Measures that worked and measures that did nothing: does verify_effect tell which is which?

    python -m evals.effects [--measures 50] [--seed 1207] [--write] [--json]

Each simulated measure starts on one day in one region of one product, with a target as plans have one. Its
metric (NPS, share of negative feedback, volume of complaints) has a weekly rhythm, a slow trend and days
that resemble the days before (AR(1)). Half of the measures have a region without the measure as control.
The traps, told apart in the report: `campaign`, something that moves both regions from the same day on;
`picked`, a start right after the worst fortnight of several, as measures are begun when things look bad.
Right is "achieved" or "partly" for a measure that worked, and neither of them nor "worse" for one that did
nothing.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analytics.estimates import proportion
from evals.planted_store import settings
from evals.reports import Measurement, Report, interval, run_measurement, table
from store.clock import FixedClock

if TYPE_CHECKING:
    from tools.context import ToolContext

START: Final = date(2026, 10, 1)
BEFORE, AFTER = 60, 30
GOAL: Final = 0.90
RIGHT: Final = {"real": ("achieved", "partly"), "null": ("missed", "inconclusive")}
TREATED, CONTROL = "东区", "西区"
METRICS: Final = ("nps", "negative_share", "volume")
# What a measure that worked changes, from the least to the most: NPS points, share, factor of the volume.
_EFFECTS: Final = {"nps": (10.0, 24.0), "negative_share": (-0.08, -0.18), "volume": (0.75, 0.5)}
_LEVELS: Final = {"nps": (-10.0, 35.0), "negative_share": (0.25, 0.45)}
_SPREADS: Final = {"nps": 5.0, "negative_share": 0.03, "volume": 0.12}
_SIGNS: Final = {"nps": 1.0, "negative_share": -1.0, "volume": -1.0}
_MEMORY: Final = 0.4
_PER_DAY: Final = (14, 40)
_PICKED_FROM: Final = 5
_INSERT: Final = """
INSERT INTO feedback BY NAME
SELECT 'effect-' || i AS feedback_id, 'effects' AS source, 'survey' AS channel,
    local_at - INTERVAL 8 HOUR AS occurred_at, local_at AS occurred_local, 'c' || i % 5000 AS customer_id,
    '' AS text, 'zh' AS language, region, product, nps, MAP {} AS metrics, MAP {} AS attributes,
    sentiment, 0.9 AS sentiment_confidence, 'neutral' AS emotion, 'other' AS intent, 'normal' AS priority,
    'simulated' AS labeller,
    '{"sentiment":"' || sentiment || '","sentiment_confidence":0.9,"labeller":"simulated"}' AS labels,
    [] AS topics, [] AS topic_areas, [] AS risks, [] AS competitors, [] AS compliance
FROM made
"""


@dataclass(frozen=True)
class Case:
    """One measure: what it is judged by, whether it worked, by how much (0 or a factor of 1: not at all)."""

    product: str
    metric: str
    truth: str
    trap: str
    controlled: bool
    effect: float
    seed: int


def cases(count: int, seed: int) -> list[Case]:
    """`count` measures that worked and as many that did nothing."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(2 * count):
        metric, truth = METRICS[number % len(METRICS)], ("real", "null")[number % 2]
        controlled = bool(number // 2 % 2)
        trap = "none"
        if number // 4 % 3 == 0:
            trap = "campaign" if controlled else "picked"
        low, high = _EFFECTS[metric]
        effect = low + (high - low) * rng.random() if truth == "real" else float(metric == "volume")
        made.append(
            Case(f"产品{number}", metric, truth, trap, controlled, effect, int(rng.integers(0, 2**31)))
        )
    return made


def daily_noise(case: Case, rng: np.random.Generator, days: int) -> "np.ndarray[Any, Any]":
    """AR(1) departures of the days of a region; `picked` takes the draw that is worst before the start."""
    spread = _SPREADS[case.metric]

    def draw() -> "np.ndarray[Any, Any]":
        steps = rng.normal(0.0, spread * np.sqrt(1 - _MEMORY**2), days)
        for day in range(1, days):
            steps[day] += _MEMORY * steps[day - 1]
        return steps

    if case.trap != "picked":
        return draw()
    drawn = [draw() for _ in range(_PICKED_FROM)]
    return min(drawn, key=lambda one: _SIGNS[case.metric] * one[BEFORE - 14 : BEFORE].mean())


def rows_of(case: Case) -> list[tuple[datetime, str, str, int | None, str]]:
    """Items of one measure: local time, region, product, NPS score, sentiment."""
    rng = np.random.default_rng(case.seed)
    days = BEFORE + AFTER
    per_day = rng.integers(*_PER_DAY)
    slope = rng.normal(0, _SPREADS[case.metric] / 60)
    shock = _SIGNS[case.metric] * _SPREADS[case.metric] * 2 if case.trap == "campaign" else 0.0
    level = rng.uniform(*_LEVELS[case.metric]) if case.metric in _LEVELS else 0.0
    rows: list[tuple[datetime, str, str, int | None, str]] = []
    for region in (TREATED, CONTROL) if case.controlled else (TREATED,):
        noise = daily_noise(case, rng, days)
        for day in range(days):
            at = START + timedelta(days=day - BEFORE)
            moved = (
                level + slope * day + noise[day] + (0.6 if at.weekday() > 4 else 0.0) * _SPREADS[case.metric]
            )
            after = day >= BEFORE
            moved += shock if after else 0.0
            count, volume = per_day, case.metric == "volume"
            if volume:
                factor = case.effect if after and region == TREATED else 1.0
                count = rng.poisson(per_day * factor * np.exp(moved))
            elif after and region == TREATED:
                moved += case.effect
            rows += [_item(case, region, at, 0.3 if volume else moved, rng) for _ in range(count)]
    return rows


def _item(
    case: Case, region: str, at: date, level: float, rng: np.random.Generator
) -> tuple[datetime, str, str, int | None, str]:
    when = datetime.combine(at, datetime.min.time()) + timedelta(seconds=int(rng.integers(28_800, 79_200)))
    if case.metric == "nps":
        share = min(0.9, max(0.02, 0.4 + level / 200))
        detractors = min(1 - share, max(0.02, share - level / 100))
        drawn = rng.random()
        score = 9 if drawn < share else 3 if drawn < share + detractors else 7
        return when, region, case.product, score, "neutral"
    negative = rng.random() < min(0.95, max(0.02, level))
    return when, region, case.product, None, "negative" if negative else "neutral"


def measure(options: argparse.Namespace) -> Report:
    """Simulate, ask the tool about each, count."""
    from agent.wiring import open_app
    from tools.context import Asker

    made = cases(options.measures, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _fill(home, made)
        now = datetime.combine(START + timedelta(days=AFTER), datetime.min.time())
        clock = FixedClock(datetime.fromisoformat(f"{now.isoformat()}+08:00"))
        with open_app(settings(home), clock) as app:
            context = app.context(Asker())
            judged = [_judged(case, context) for case in made]
    parts = {
        "by_truth": ("truth", judged),
        "by_metric": ("metric", judged),
        "by_trap": ("trap", judged),
        "by_design": ("design", judged),
    }
    return {
        "measures": len(made),
        "seed": options.seed,
        "right": _share(judged),
        **{name: _by(key, rows) for name, (key, rows) in parts.items()},
        "causal_without_control": sum(
            row["grade"] == "quasi-experimental" and not row["controlled"] for row in judged
        ),
        "coverage": _share([{"right": row["covered"]} for row in judged if row["covered"] is not None]),
        "wrong": [row for row in judged if not row["right"]],
    }


def _fill(home: Path, made: Sequence[Case]) -> None:
    import duckdb
    import pyarrow as pa

    from agent.wiring import open_app

    with open_app(settings(home)) as app:
        app.facts.catalogue()
    rows = [row for case in made for row in rows_of(case)]
    names = ("local_at", "region", "product", "nps", "sentiment")
    columns = {name: pa.array(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    columns["i"] = pa.array(range(len(rows)))
    with duckdb.connect(str(home / "facts.duckdb")) as connection:
        connection.begin()
        connection.register("made", pa.table(columns))
        connection.execute(_INSERT)
        connection.execute("DELETE FROM meta WHERE key = 'catalogue'")
        connection.commit()


def _judged(case: Case, context: "ToolContext") -> dict[str, Any]:
    from tools.catalogue import run_tool

    args: dict[str, Any] = {
        "metric": case.metric,
        "start": START.isoformat(),
        "days_before": BEFORE,
        "days_after": AFTER,
        "filters": {"product": case.product, "region": TREATED},
        "target": _target(case),
    }
    if case.controlled:
        args["control"] = {"product": case.product, "region": CONTROL}
    found = run_tool("verify_effect", args, context).data
    truth = case.effect if case.metric != "volume" else None
    covered = None if truth is None else found["ci_low"] <= truth <= found["ci_high"]
    return {
        "product": case.product,
        "metric": case.metric,
        "truth": case.truth,
        "trap": case.trap,
        "controlled": case.controlled,
        "true_effect": round(case.effect, 3),
        "design": found["design"],
        "grade": found["evidence_grade"],
        "effect": found["effect"],
        "ci_low": found["ci_low"],
        "ci_high": found["ci_high"],
        "verdict": found["verdict"],
        "covered": covered,
        "right": found["verdict"] in RIGHT[case.truth],
    }


def _target(case: Case) -> float:
    """What was aimed at: the middle of what measures that work change; for the volume in items a day."""
    low, high = _EFFECTS[case.metric]
    middle = (low + high) / 2
    return middle if case.metric != "volume" else (middle - 1.0) * sum(_PER_DAY) / 2


def _share(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    right = sum(bool(row["right"]) for row in rows)
    share = proportion(len(rows), right)
    return {"n": len(rows), "right": right, "value": share.value, "low": share.ci_low, "high": share.ci_high}


def _by(key: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        value: _share([row for row in rows if row[key] == value]) for value in sorted({r[key] for r in rows})
    }


def markdown(report: Report) -> str:
    """The page that is kept."""
    rows = [["all", report["right"]["n"], report["right"]["value"], interval(report["right"])]]
    for part in ("by_truth", "by_metric", "by_trap", "by_design"):
        rows += [[name, one["n"], one["value"], interval(one)] for name, one in report[part].items()]
    wrong = [
        [row[name] for name in ("metric", "truth", "trap", "design", "true_effect", "effect", "verdict")]
        for row in report["wrong"]
    ]
    return "\n".join(
        [
            "# Effects of measures",
            "",
            f"`python -m evals.effects --seed {report['seed']}`: {report['measures']} simulated measures, "
            f"half of which worked, through `verify_effect`. Goal: {GOAL:.0%} judged right. Called "
            f"quasi-experimental without a control: {report['causal_without_control']}. The 95% interval "
            f"held the true effect in {report['coverage']['right']} of {report['coverage']['n']} (NPS and "
            "shares).",
            "",
            *table(["measures", "n", "judged right", "95% interval"], rows),
            "",
            "Judged wrong:",
            "",
            *table(["metric", "truth", "trap", "design", "true effect", "effect", "verdict"], wrong),
            "",
        ]
    )


def worse(before: Report, now: Report) -> list[str]:
    """What is below the goal."""
    share = now["right"]["value"]
    found = [f"{share:.2f} judged right, goal {GOAL}"] if share < GOAL else []
    if now["causal_without_control"]:
        found.append(f"{now['causal_without_control']} called causal without a control")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.effects", description=__doc__)
    parser.add_argument(
        "--measures", type=int, default=50, help="measures that worked, and as many that did not"
    )
    parser.add_argument("--seed", type=int, default=1207)
    return run_measurement(Measurement("effects", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
