"""`python -m evals.themes --data DIR [--write]`: themes beside BERTopic, UMAP + HDBSCAN and k-means.

The rivals are in the optional group `rivals` and get the same vectors. Embedding is not timed.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.reports import Measurement, Report, interval, run_measurement, table
from evals.themes_rivals import Attempt, Labels, attempts, require_rivals
from evals.themes_sets import LabelledTexts, first, read_sets
from evals.themes_steps import (
    given_number,
    in_steps,
    labels_of,
    own_themes,
    seed_agreement,
    shuffled_agreement,
    speed,
    thinned_agreement,
)
from store.errors import VoiceLoopError

_RESAMPLES: Final = 100
_STEPPED: Final = ("banking77", "bitext", "feed_zh")
_TIMED: Final = "clothing"
_COUNTS: Final = (20_000, 50_000, 100_000, 200_000)
_LABELS_OF: Final = ("banking77", "clothing", "feed_zh")
_LABELS: Final = 20
_OURS: Final = "VoiceLoop, same number"
_SLACK: Final = 0.01


def measure(options: argparse.Namespace) -> Report:
    """Everything, set by set; about twenty minutes on two cores."""
    require_rivals()
    every = read_sets(options.data, options.vectors)
    sets: dict[str, Any] = {}
    for name, whole in every.items():
        _tell(name)
        sets[name] = _one_set(whole, stepped=name in _STEPPED)
    _tell("speed")
    return {"sets": sets, "speed": speed(every[_TIMED], _COUNTS, _COUNTS[0])}


def _one_set(whole: LabelledTexts, *, stepped: bool) -> dict[str, Any]:
    texts = first(whole)
    found = own_themes(texts)
    own = labels_of(texts, found)
    rivals = attempts(texts.texts, texts.vectors, texts.groups)
    tried = [
        Attempt(_OURS, given_number(texts, texts.groups)),
        Attempt("VoiceLoop, same number, without words", given_number(texts, texts.groups, words=False)),
        Attempt("VoiceLoop, own number", own),
        *rivals,
    ]
    seeds = [one.labels for one in rivals if one.method.startswith("k-means")]
    report: dict[str, Any] = {
        "n": len(texts.texts),
        "classes": texts.groups,
        "what": texts.what,
        "methods": {one.method: _figures(texts.classes, one.labels) for one in tried},
        "shuffled_ari": shuffled_agreement(texts, own),
        "thinned_ari": _spread(thinned_agreement(texts, own)),
        "kmeans_seeds_ari": _spread(seed_agreement(seeds)),
    }
    if stepped:
        sizes = {len(some.texts): some for some in (texts, whole)}
        report["steps"] = [_stepped(some) for some in sizes.values()]
    if texts.name in _LABELS_OF:
        largest = sorted(found, key=lambda one: (-len(one.keys), one.name.label))[:_LABELS]
        report["labels"] = [
            {
                "label": one.name.label,
                "n": len(one.keys),
                "keywords": list(one.name.keywords[:6]),
                "wordings": [label for label, _, _ in one.wordings],
            }
            for one in largest
        ]
    return report


def _stepped(texts: LabelledTexts) -> dict[str, Any]:
    labels, told = in_steps(texts)
    batch = _figures(texts.classes, labels_of(texts, own_themes(texts)))
    return _figures(texts.classes, labels) | told | {"n": len(texts.texts), "batch_nmi": batch["nmi"]}


def _figures(classes: NDArray[np.str_], labels: Labels) -> dict[str, Any]:
    """NMI with a bootstrap interval over texts, purity, themes, outliers; outliers count as one theme."""
    chance = np.random.default_rng(0)
    truth = np.unique(classes, return_inverse=True)[1]
    resampled = []
    for _ in range(_RESAMPLES):
        rows = chance.integers(0, len(truth), len(truth))
        resampled.append(_nmi(truth[rows], labels[rows]))
    # Texts drawn twice lift NMI, so that the spread of the resamples counts and not where it lies.
    low, high = np.percentile(resampled, (2.5, 97.5))
    found, half = _nmi(truth, labels), float(high - low) / 2
    largest = sum(int(np.bincount(truth[labels == label]).max()) for label in np.unique(labels))
    return {
        "nmi": found,
        "low": found - half,
        "high": found + half,
        "purity": largest / len(truth),
        "themes": len(set(labels.tolist()) - {-1}),
        "outliers": float((labels < 0).mean()),
    }


def _nmi(truth: NDArray[Any], labels: Labels) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(truth, labels))


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "least": float(np.min(values)), "n": len(values)}


def _tell(stage: str) -> None:
    print(f"{stage} ...", file=sys.stderr, flush=True)


def worse(before: Report, after: Report) -> list[str]:
    """Ours fell by more than 0.01 of NMI, or of agreement of subsamples by more than 0.05."""
    lines = []
    for name, one in after["sets"].items():
        was = before["sets"].get(name)
        if was is None:
            continue
        old, new = was["methods"][_OURS]["nmi"], one["methods"][_OURS]["nmi"]
        if new < old - _SLACK:
            lines.append(f"{name}: NMI {old:.3f} -> {new:.3f}")
        old, new = was["thinned_ari"]["mean"], one["thinned_ari"]["mean"]
        if new < old - 5 * _SLACK:
            lines.append(f"{name}: ARI of subsamples {old:.3f} -> {new:.3f}")
    return lines


def markdown(report: Report) -> str:
    """The page."""
    lines = ["# Themes", "", *_INTRODUCTION.splitlines(), ""]
    for name, one in report["sets"].items():
        lines += _set_lines(name, one)
    lines += ["## Stability", "", *_stability(report["sets"]), "", "## Twenty increments", ""]
    lines += [*_steps(report["sets"]), "", "## Time", "", *_speed(report["speed"]), "", "## Labels", ""]
    for name, one in report["sets"].items():
        if "labels" in one:
            lines += [f"### {name}", "", *_labels(one["labels"]), ""]
    return "\n".join(lines)


_INTRODUCTION: Final = """All methods get the same sentence vectors (USE) in one run. Ours reads words too,
and is also shown without them. "Same number": as many themes as there are classes (for HDBSCAN the smallest
cluster size that comes nearest). Outliers count as one theme. NMI has a 95% bootstrap interval over texts.
feed_zh is our own made-up feed; the other sets are other people's. Moods are not told apart here, as they are
in the product."""


def _set_lines(name: str, one: Mapping[str, Any]) -> list[str]:
    methods: dict[str, dict[str, Any]] = dict(one["methods"])
    seeds = [method for method in methods if method.startswith("k-means, seed")]
    mean = {key: float(np.mean([methods[seed][key] for seed in seeds])) for key in methods[seeds[0]]}
    shown = {method: found for method, found in methods.items() if method not in seeds}
    shown["k-means, mean of 5 seeds"] = mean | {"themes": round(mean["themes"])}
    rows = [
        (method, found["themes"], found["nmi"], interval(found), found["purity"], f"{found['outliers']:.1%}")
        for method, found in shown.items()
    ]
    head = ("method", "themes", "NMI", "95%", "purity", "outliers")
    return [f"## {name}: {one['n']:,} texts, {one['what']}", "", *table(head, rows), ""]


def _stability(sets: Mapping[str, Any]) -> list[str]:
    head = ("set", "shuffled: ARI", "90% subsamples: mean ARI", "least of 5", "k-means seeds: mean ARI")
    rows = [
        (
            name,
            s["shuffled_ari"],
            s["thinned_ari"]["mean"],
            s["thinned_ari"]["least"],
            s["kmeans_seeds_ari"]["mean"],
        )
        for name, s in sets.items()
    ]
    return table(head, rows)


def _steps(sets: Mapping[str, Any]) -> list[str]:
    head = ("set", "n", "NMI", "one batch", "kept to the end", "worst step", "themes", "without one")
    keys = ("n", "nmi", "batch_nmi", "kept", "worst_step", "themes")
    rows = [
        (name, *(end[key] for key in keys), f"{end['outliers']:.1%}")
        for name, one in sets.items()
        for end in one.get("steps", ())
    ]
    return table(head, rows)


def _speed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ("method", "texts", "seconds", "core-seconds", "peak MB")
    lines = table(head, [(r["method"], r["n"], r["wall_s"], r["core_s"], r["peak_mb"]) for r in rows])
    note = "Clothing reviews, from vectors to named themes; above 20,000 copies, their vectors moved by 0.05."
    return [*lines, "", note]


def _labels(labels: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ("label", "n", "keywords", "wordings")
    rows = [(x["label"], x["n"], " ".join(x["keywords"]), "; ".join(x["wordings"])) for x in labels]
    return table(head, rows)


MEASUREMENT: Final = Measurement("themes", measure, markdown, worse)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m evals.themes", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of public data")
    parser.add_argument("--vectors", type=Path, help="folder in which vectors are kept between runs")
    try:
        return run_measurement(MEASUREMENT, parser, arguments)
    except VoiceLoopError as error:
        print(f"{error} {error.hint or ''}".strip(), file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
