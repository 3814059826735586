"""What verdicts teach, by how many there are: `python -m evals.learning [--write]`.

Alerts of drawn customers (evals/learning_world.yaml), judged by the real rules and by the procedure of
`voiceloop policy learn`; what it learns is held against other customers, of whom the truth is known.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from analytics.estimates import proportion
from evals.learning_world import Drawn, draw_cases, world_file
from evals.reports import Measurement, Report, interval, run_measurement, table
from retention.learning import Lesson, learn, with_lesson
from retention.policy import Policy, load_policy
from retention.verdict_cases import would_call

_VERDICTS: Final = (40, 60, 100, 150, 200, 400)
_SEEDS: Final = tuple(range(201, 213))
_FRESH: Final = 1000
_FRESH_SEED: Final = 900


def measure(options: argparse.Namespace) -> Report:
    """Learn in each world from each number of verdicts, once a seed, and look at customers never seen."""
    policy = load_policy()
    worlds = {}
    for world in world_file()["worlds"]:
        fresh = draw_cases(world, _FRESH, _FRESH_SEED, policy)
        drawn = {seed: draw_cases(world, max(_VERDICTS), seed, policy) for seed in options.seeds}
        worlds[world] = {
            "before": _share(fresh),
            "by_verdicts": {str(n): _measured(drawn, n, fresh, policy) for n in _VERDICTS},
        }
    return {"seeds": list(options.seeds), "tuned_on": [1, 2, 3], "fresh": _FRESH, "worlds": worlds}


def _measured(
    drawn: Mapping[int, Sequence[Drawn]], n: int, fresh: Sequence[Drawn], policy: Policy
) -> dict[str, Any]:
    """Means over the seeds. A refused lesson leaves everything as it is."""
    lessons = [learn([one.case for one in found[-n:]], policy) for found in drawn.values()]
    rows = [_held_against(lesson, fresh, policy) for lesson in lessons]
    accepted = [row for row in rows if row["accepted"]]
    told = {name: round(fmean(row[name] for row in rows), 4) for name in ("precision", "kept", "announced")}
    if accepted:
        told |= {
            f"{name}_where_learnt": round(fmean(row[name] for row in accepted), 4)
            for name in ("precision", "kept", "claimed")
        }
    return {
        **told,
        "accepted": len(accepted),
        "of": len(rows),
        "better": sum(row["precision"] > row["before"] for row in accepted),
        "refused": dict(Counter(lesson.refused for lesson in lessons if lesson.refused)),
    }


def _held_against(lesson: Lesson, fresh: Sequence[Drawn], policy: Policy) -> dict[str, float]:
    changed = policy if lesson.learnt is None else with_lesson(policy, lesson.learnt)
    called = [one for one in fresh if would_call(one.case, changed)]
    said = [one for one in fresh if one.announced]
    held_out = lesson.held_out
    claimed = held_out.after.value if held_out is not None else None
    return {
        "accepted": float(lesson.learnt is not None),
        "before": _right(fresh),
        "precision": _right(called),
        "kept": sum(one.true for one in called) / sum(one.true for one in fresh),
        "announced": sum(would_call(one.case, changed) for one in said) / len(said),
        "claimed": claimed if claimed is not None else 0.0,
    }


def _right(drawn: Sequence[Drawn]) -> float:
    return sum(one.true for one in drawn) / len(drawn)


def _share(drawn: Sequence[Drawn]) -> dict[str, float | int | None]:
    found = proportion(len(drawn), sum(one.true for one in drawn))
    return {"value": found.value, "ci_low": found.ci_low, "ci_high": found.ci_high, "n": found.n}


def markdown(report: Report) -> str:
    """The page."""
    lines = [
        "# What verdicts teach",
        "",
        f"`python -m evals.learning --write`. {len(report['seeds'])} seeds ({report['seeds'][0]} to"
        f" {report['seeds'][-1]}; the worlds were set on {report['tuned_on']}); each lesson is held against"
        f" {report['fresh']} alerts of other customers, of whom the truth is known. Made-up worlds: they show"
        " the method, not what it gives in a company.",
        "",
        "`learnt`: lessons that passed their hold-out. `precision`: mean share of alerts that are right, a"
        " refused lesson counting as no change. `claimed`: what the lesson's own hold-out said (of verdicts"
        " judged by what fewer teach). `kept`: share of the right alerts still raised. `announced`: alerts of"
        " customers who say they leave that are still raised.",
    ]
    for world, found in report["worlds"].items():
        before = found["before"]
        lines += [
            "",
            f"## {world}: before {before['value']:.2f} ({interval(before, 'ci_low', 'ci_high')})",
            "",
        ]
        rows = [
            (
                n,
                f"{one['accepted']} of {one['of']}",
                f"{one['precision']:.2f}",
                f"{one['precision_where_learnt']:.2f}" if one["accepted"] else "-",
                f"{one['claimed_where_learnt']:.2f}" if one["accepted"] else "-",
                f"{one['kept']:.2f}",
                f"{one['announced']:.2f}",
                ", ".join(f"{name} {times}" for name, times in one["refused"].items()) or "-",
            )
            for n, one in found["by_verdicts"].items()
        ]
        names = ("verdicts", "learnt", "precision", "where learnt", "claimed", "kept", "announced", "refused")
        lines += table(names, rows)
    return "\n".join(lines) + "\n"


def worse(before: Report, now: Report) -> list[str]:
    """What fell: the precision after 200 verdicts by more than the noise of the draw, or who announces it."""
    fallen = []
    for world, found in now["worlds"].items():
        for n, one in found["by_verdicts"].items():
            kept = before["worlds"].get(world, {}).get("by_verdicts", {}).get(n)
            if kept and one["precision"] < kept["precision"] - 0.03:
                fallen.append(f"{world}, {n} verdicts: {kept['precision']:.3f} -> {one['precision']:.3f}")
            if one["announced"] < 1:
                fallen.append(f"{world}, {n} verdicts: announced leavers lost")
    return fallen


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.learning", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(_SEEDS))
    return run_measurement(Measurement("learning", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
