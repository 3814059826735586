"""Totals of a run of question cases, and against the last baseline."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evals.reports import REPORTS as REPORTS
from evals.reports import read_report, table, write_report
from evals.score import TurnScore

_GROUPS: Mapping[str, Callable[[TurnScore], str]] = {
    "language": lambda score: score.language,
    "dataset": lambda score: score.dataset,
    "habit": lambda score: score.habit,
}
_KINDS = ("premise", "out_of_scope", "unknown_name", "impossible_date", "no_data", "asks")


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95% score interval of a share (Wilson 1927); (0, 1) of nothing."""
    if n == 0:
        return 0.0, 1.0
    z, share = 1.959964, right / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def pass_hat(passed: Sequence[tuple[int, int]], k: int) -> float:
    """pass^k: the chance that k trials of a case all pass, averaged over cases.

    `passed` holds (passed, trials) of each case; C(c, k) / C(n, k) is its unbiased estimate (tau-bench, Yao
    et al. 2024). Raises ValueError where a case has fewer trials than k.
    """
    if any(n < k for _, n in passed):
        raise ValueError(f"pass^{k} needs {k} trials of every case")
    return sum(math.comb(c, k) / math.comb(n, k) for c, n in passed) / len(passed) if passed else 0.0


def by_case(scores: Sequence[TurnScore]) -> dict[str, tuple[int, int]]:
    """Case id to (trials in which every turn was right, trials)."""
    trials: dict[tuple[str, int], bool] = {}
    for score in scores:
        key = (score.case, score.trial)
        trials[key] = trials.get(key, True) and score.right
    passed: dict[str, tuple[int, int]] = {}
    for (case, _), right in trials.items():
        c, n = passed.get(case, (0, 0))
        passed[case] = (c + right, n + 1)
    return passed


def document(
    planner: str, scores: Sequence[TurnScore], prices: tuple[float, float] = (0, 0)
) -> dict[str, Any]:
    """Everything of a run as JSON-like data. `prices` are those of a million tokens in and out."""
    passed = by_case(scores)
    k = min((n for _, n in passed.values()), default=0)
    return {
        "planner": planner,
        "totals": _row("all", scores),
        "pass_hat": {str(n): round(pass_hat(list(passed.values()), n), 4) for n in range(1, k + 1)},
        "groups": {name: _grouped(scores, of) for name, of in _GROUPS.items()},
        "kinds": [_row(kind, [s for s in scores if kind in s.kinds]) for kind in _KINDS],
        "use": _use(scores, prices),
        "misses": [_missed(score) for score in scores if not score.right],
    }


def regressions(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What got worse against a baseline, overall, by group and by kind; more wrong or unbound figures too."""
    worse = []
    for where, old, new in _pairs(before, now):
        for part, whole in (("cases_right", "cases"), ("figures_right", "figures")):
            if new[part] * old[whole] < old[part] * new[whole]:
                worse.append(f"{where}: {part} {new[part]}/{new[whole]}, was {old[part]}/{old[whole]}")
        worse += [
            f"{where}: {name} {new[name]}, was {old[name]}"
            for name in ("wrong", "unbound")
            if new[name] > old[name]
        ]
    for k, share in before.get("pass_hat", {}).items():
        if now["pass_hat"].get(k, share) < share:
            worse.append(f"pass^{k} {now['pass_hat'][k]}, was {share}")
    return worse


def read_baseline(planner: str) -> dict[str, Any] | None:
    """The last baseline, None where there is none."""
    return read_report(f"questions.{planner}") or None


def write_baseline(planner: str, result: dict[str, Any]) -> None:
    """Keep a run as the new baseline, and as a page to read. Latencies stay out: they are the machine's."""
    write_report(f"questions.{planner}", result, markdown(result))


def markdown(result: Mapping[str, Any], worse: Sequence[str] = ()) -> str:
    """The run as a Markdown page."""
    total, use = result["totals"], result["use"]
    hats = ", ".join(f"pass^{k} {share:.3f}" for k, share in result["pass_hat"].items())
    lines = [
        f"# Question cases, {result['planner']} planner",
        "",
        f"{total['cases_right']} of {total['cases']} case runs are wholly right ({hats}). A case is right "
        "when every turn of it is: what is stored, the figures (recomputed from the files), the calls, "
        f"citations and words. Wrong figures shown: {total['wrong']}; numbers that nothing accounts for: "
        f"{total['unbound']}.",
        "",
        f"Latency p50 {use['p50_ms']} ms, p95 {use['p95_ms']} ms a turn; {use['input_tokens']:.0f} tokens in "
        f"and {use['output_tokens']:.0f} out a case, {use['cost']:.4f} in money a case at the prices given.",
        "",
    ]
    lines += [f"- **worse:** {line}" for line in worse] + ([""] if worse else [])
    for title, rows in sections(result):
        lines += [f"## {title}", "", *table(_HEAD, [_cells(row) for row in rows]), ""]
    if result["misses"]:
        lines += ["## Misses", ""]
    for miss in result["misses"]:
        lines.append(f"- `{miss['case']}` turn {miss['turn']}, trial {miss['trial']}: {miss['ask']}")
        lines += [f"  - {reason}" for reason in miss["misses"]]
    return "\n".join(lines).rstrip() + "\n"


def sections(result: Mapping[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The tables of a run: title and rows."""
    groups = [(f"By {name}", rows) for name, rows in result["groups"].items()]
    return [("Overall", [result["totals"]]), *groups, ("By kind of judgement", result["kinds"])]


_HEAD = ("group", "cases", "right", "share", "95% interval", "figures", "wrong", "unbound")


def _cells(row: Mapping[str, Any]) -> list[object]:
    spread = f"{row['low']:.3f} to {row['high']:.3f}"
    figures = f"{row['figures_right']}/{row['figures']}"
    return [
        *(row["name"], row["cases"], row["cases_right"], row["share"]),
        *(spread, figures, row["wrong"], row["unbound"]),
    ]


def _grouped(scores: Sequence[TurnScore], of: Callable[[TurnScore], str]) -> list[dict[str, Any]]:
    names = sorted({of(score) for score in scores})
    return [_row(name, [score for score in scores if of(score) == name]) for name in names]


def _row(name: str, scores: Sequence[TurnScore]) -> dict[str, Any]:
    runs = list(by_case(scores).values())
    right, n = sum(c for c, _ in runs), sum(n for _, n in runs)
    low, high = wilson(right, n)
    return {
        "name": name,
        "cases": n,
        "cases_right": right,
        "share": round(right / n, 4) if n else None,
        "low": round(low, 4),
        "high": round(high, 4),
        "turns": len(scores),
        "figures": sum(score.figures for score in scores),
        "figures_right": sum(score.figures_right for score in scores),
        "wrong": sum(len(score.wrong) for score in scores),
        "unbound": sum(len(score.unbound) for score in scores),
    }


def _use(scores: Sequence[TurnScore], prices: tuple[float, float]) -> dict[str, float]:
    took = sorted(score.elapsed_ms for score in scores) or [0]
    runs = max(1, sum(n for _, n in by_case(scores).values()))
    tokens = sum(s.input_tokens for s in scores), sum(s.output_tokens for s in scores)
    cost = sum(count * price for count, price in zip(tokens, prices, strict=True)) / 1e6
    return {
        "p50_ms": took[len(took) // 2],
        "p95_ms": took[min(len(took) - 1, int(len(took) * 0.95))],
        "input_tokens": tokens[0] / runs,
        "output_tokens": tokens[1] / runs,
        "cost": cost / runs,
    }


def _missed(score: TurnScore) -> dict[str, Any]:
    return {name: value for name, value in asdict(score).items() if name not in ("elapsed_ms",)}


def _pairs(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    pairs = [("all", before["totals"], now["totals"])]
    rows = [(name, before["groups"].get(name, []), new) for name, new in now["groups"].items()]
    for name, old, new in [*rows, ("kind", before["kinds"], now["kinds"])]:
        known = {row["name"]: row for row in old}
        pairs += [(f"{name} {row['name']}", known[row["name"]], row) for row in new if row["name"] in known]
    return pairs
