"""Planted causes: `python -m evals.planted_causes [--write]` asks root_cause about 100 made-up data sets.

70 hold one planted cause, 30 none but something that looks like one. A named cause is right where its items
of the later window are the planted ones (Jaccard index of at least 0.9: two names of the same items are one).
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from analytics.estimates import proportion
from evals.planted_store import clock, fill, settings
from evals.planted_worlds import World, make_world
from evals.reports import Measurement, Report, interval, run_measurement, table
from evals.wording import read_yaml

# Rules were tuned on other seeds (below 100, and 20260701 had been read once before the last of them).
SEED = 20261122
_SAME = 0.9
_SHOWN = 3
GOALS = {"top1": 0.9, "top3": 0.97, "false_causes": 0.05}


def ask(world: World, seed: int) -> dict[str, Any]:
    """Put a world into a store and ask root_cause about it."""
    from agent.wiring import open_app
    from tools.catalogue import run_tool
    from tools.context import Asker

    question: dict[str, Any] = {"metric": world.metric, "period": world.period(), "limit": _SHOWN}
    question |= {"mode": "level"} if world.level else {"mode": "change", "compare_to": world.period(1)}
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), world, seed)
        with open_app(settings(Path(folder)), clock()) as app:
            context = app.context(Asker())
            started = perf_counter()
            result = run_tool("root_cause", question, context)
            seconds = perf_counter() - started
    return {**result.data, "seconds": seconds}


def scored(world: World, data: Mapping[str, Any]) -> dict[str, Any]:
    """What was named against what was planted. `rank` is the place of the planted cause, None if nowhere."""
    named = [dict(cause["conditions"]) for cause in data["causes"]]
    rank = None
    if world.planted:
        rank = next((at for at, found in enumerate(named, start=1) if same(world, found)), None)
    return {
        "world": world.name,
        "kind": world.kind,
        "planted": world.conditions if world.planted else None,
        "metric": world.metric,
        "hit": int(world.mask(world.conditions).sum()) if world.planted else 0,
        "strength": round(world.strength, 2),
        "verdict": data["verdict"],
        "reason": data["reason_code"],
        "named": named,
        "rank": rank,
        "to_the_letter": bool(named) and named[0] == world.conditions,
        "apart": sum(not touches(world, found) for found in named),
        "seconds": round(data["seconds"], 3),
    }


def same(world: World, found: Mapping[str, str]) -> bool:
    """Whether these conditions hold on (nearly) the items of the planted ones."""
    planted, named = world.mask(world.conditions), world.mask(found)
    either = int((planted | named).sum())
    return either > 0 and int((planted & named).sum()) >= _SAME * either


def touches(world: World, found: Mapping[str, str]) -> bool:
    """Whether a named cause has to do with the planted one: half of the items of either are the other's."""
    if not world.planted:
        return False
    hit = (
        world.after & world.columns["turned"]
        if world.columns["turned"].any()
        else world.mask(world.conditions)
    )
    named = world.mask(found)
    both = int((hit & named).sum())
    return both >= 0.5 * int(hit.sum()) or both >= 0.5 * int(named.sum())


def measure(options: argparse.Namespace) -> Report:
    """Ask about all worlds of a seed; the order of kinds is mixed."""
    data = read_yaml("planted_worlds.yaml")
    kinds = [kind for group in ("planted", "decoys") for kind, n in data[group].items() for _ in range(n)]
    random.Random(options.seed).shuffle(kinds)
    answers = []
    for number, kind in enumerate(kinds):
        world = make_world(kind, number, options.seed)
        answers.append(scored(world, ask(world, options.seed)))
    return {"seed": options.seed, "items": 20_000, **figures(answers), "goals": GOALS, "answers": answers}


def figures(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares with 95% intervals (Wilson). A false cause is any that a data set without one is given."""
    planted = [one for one in answers if one["planted"] is not None]
    decoys = [one for one in answers if one["planted"] is None]
    shown = sum(len(one["named"]) for one in planted)
    took = sorted(one["seconds"] for one in answers)
    kinds = {}
    for kind in dict.fromkeys(one["kind"] for one in answers):
        mine = [one for one in answers if one["kind"] == kind]
        right = sum(one["rank"] == 1 if one["planted"] is not None else not one["named"] for one in mine)
        kinds[kind] = {"n": len(mine), "right": right}
    return {
        "top1": share(sum(one["rank"] == 1 for one in planted), len(planted)),
        "top3": share(sum(one["rank"] is not None for one in planted), len(planted)),
        "to_the_letter": share(sum(one["to_the_letter"] for one in planted), len(planted)),
        "false_causes": share(sum(bool(one["named"]) for one in decoys), len(decoys)),
        "unrelated_beside_a_planted_one": share(sum(one["apart"] for one in planted), shown),
        "kinds": kinds,
        "reasons_of_decoys": dict(Counter(one["reason"] for one in decoys)),
        "seconds": {"median": took[len(took) // 2], "largest": took[-1]},
    }


def share(hits: int, n: int) -> dict[str, Any]:
    """A share with its interval."""
    found = proportion(n, hits)
    return {"hits": hits, "n": n, "value": found.value, "low": found.ci_low, "high": found.ci_high}


def markdown(report: Report) -> str:
    """The page of a run."""
    rows = []
    for name, goal in (
        ("top1", ">= 0.90"),
        ("top3", ">= 0.97"),
        ("to_the_letter", ""),
        ("false_causes", "<= 0.05"),
    ):
        one = report[name]
        rows.append([name.replace("_", " "), one["hits"], one["n"], one["value"], interval(one), goal])
    beside = report["unrelated_beside_a_planted_one"]
    rows.append(
        ["unrelated beside a planted one", beside["hits"], beside["n"], beside["value"], interval(beside), ""]
    )
    missed = [
        one for one in report["answers"] if (one["rank"] != 1 if one["planted"] is not None else one["named"])
    ]
    return "\n".join(
        [
            "# Planted causes",
            "",
            f"`root_cause` over the real store, 100 data sets of {report['items']:,} items, seed "
            f"{report['seed']} (rules were tuned on other seeds). 70 data sets hold one planted cause of one "
            "to three conditions, 30 none. A named cause is right where its later items are the planted ones "
            "(Jaccard >= 0.9); `to the letter` counts only the same conditions at the first place. A false "
            "cause is any cause named where none was planted.",
            "",
            *table(["figure", "hits", "n", "share", "95% interval", "goal"], rows),
            "",
            *table(["kind", "n", "right"], [[k, v["n"], v["right"]] for k, v in report["kinds"].items()]),
            "",
            f"Reasons given for decoys: {report['reasons_of_decoys']}. One question took at the median "
            f"{report['seconds']['median']:.2f} s, at most {report['seconds']['largest']:.2f} s.",
            "",
            "## Not right at the first place",
            "",
            *table(
                ["world", "metric", "planted", "items hit", "strength", "named", "reason"],
                [
                    [
                        one["world"],
                        one["metric"],
                        _written(one["planted"] or {}),
                        one["hit"],
                        one["strength"],
                        "; ".join(_written(found) for found in one["named"]) or "-",
                        one["reason"],
                    ]
                    for one in missed
                ],
            ),
            "",
        ]
    )


def worse(before: Report, now: Report) -> list[str]:
    """Lines for goals that the kept run reached, and shares that fell by more than 0.03 on one seed."""
    lines = []
    for name, goal in GOALS.items():
        sign = -1 if name == "false_causes" else 1
        old, new = before[name]["value"], now[name]["value"]
        missed = sign * new < sign * goal <= sign * old
        if missed or (before["seed"] == now["seed"] and sign * new < sign * old - 0.03):
            lines.append(f"{name}: {old:.3f} to {new:.3f}")
    return lines


def _written(conditions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in conditions.items()) or "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Ask root_cause about data sets with planted causes.")
    parser.add_argument("--seed", type=int, default=SEED, help="other worlds")
    return run_measurement(Measurement("planted_causes", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
