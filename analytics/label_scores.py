"""How right labels are: accuracy, F1, calibration and coverage, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.estimates import Estimate, proportion

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
ROUNDS: Final = 1_000
_SEED: Final = 20_251_122


@dataclass(frozen=True)
class LabelScore:
    """One label: how often it is meant (`support`) and given (`predicted`), and how right that is."""

    label: str
    support: int
    predicted: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True)
class Scores:
    """All labels. `confusion[i][j]`: rows whose true label is i and whose given label is j; None where a
    text may have several labels. Macro-F1 is the mean over the labels that occur among the true ones."""

    n: int
    accuracy: Estimate
    macro_f1: Estimate
    micro_f1: Estimate
    labels: tuple[LabelScore, ...]
    confusion: tuple[tuple[int, ...], ...] | None


@dataclass(frozen=True)
class Bin:
    """One tenth of the confidence scale: items, their mean confidence, the share of them that is right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015), and the bins."""

    n: int
    ece: float
    bins: tuple[Bin, ...]


def score_single(truth: Sequence[str], given: Sequence[str], names: Sequence[str]) -> Scores:
    """Score one label a text. `names` lists all labels, in the order of the table; shapes (n,), (n,)."""
    place = {name: at for at, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), dtype=np.int64)
    for true, told in zip(truth, given, strict=True):
        table[place[true], place[told]] += 1
    n = len(truth)
    right = np.diag(table)
    drawn = np.random.default_rng(_SEED).multinomial(n, table.ravel() / max(n, 1), size=ROUNDS if n else 0)
    drawn = drawn.reshape(len(drawn), *table.shape)
    hits, meant, told_of = drawn.diagonal(axis1=1, axis2=2), drawn.sum(axis=2), drawn.sum(axis=1)
    labels = _labels(names, right, table.sum(axis=1), table.sum(axis=0), _f1(hits, meant, told_of))
    occurs = table.sum(axis=1) > 0
    accuracy = proportion(n, int(right.sum()))
    return Scores(
        n,
        accuracy,
        _macro(right, table.sum(axis=1), table.sum(axis=0), _f1(hits, meant, told_of), occurs, n),
        accuracy,
        labels,
        tuple(tuple(int(cell) for cell in row) for row in table),
    )


def score_multiple(
    truth: Sequence[frozenset[str]], given: Sequence[frozenset[str]], names: Sequence[str]
) -> Scores:
    """Score any number of labels a text. Accuracy is the share of texts whose labels are all right."""
    meant, told = _indicators(truth, names), _indicators(given, names)
    both = meant & told
    n = len(truth)
    right = proportion(n, int((meant == told).all(axis=1).sum()) if n else 0)
    generator = np.random.default_rng(_SEED)
    sums = []
    stacked = np.hstack((both, meant, told)).astype(np.float32)
    for _ in range(10 if n else 0):
        weights = generator.multinomial(n, np.full(n, 1 / n), size=ROUNDS // 10).astype(np.float32)
        sums.append(weights @ stacked)
    drawn = np.concatenate(sums) if sums else np.zeros((0, 3 * len(names)))
    hits, supports, predicted = np.split(drawn, 3, axis=1)
    f1 = _f1(hits, supports, predicted)
    right_of, meant_of, told_of = (side.sum(axis=0).astype(np.int64) for side in (both, meant, told))
    occurs = meant_of > 0
    micro = _f1(
        hits.sum(axis=1, keepdims=True),
        supports.sum(axis=1, keepdims=True),
        predicted.sum(axis=1, keepdims=True),
    )
    micro_value = _f1(right_of.sum(keepdims=True), meant_of.sum(keepdims=True), told_of.sum(keepdims=True))
    return Scores(
        n,
        right,
        _macro(right_of, meant_of, told_of, f1, occurs, n),
        _interval(float(micro_value[0]) if n else None, micro[:, 0], n),
        _labels(names, right_of, meant_of, told_of, f1),
        None,
    )


def calibration(confidence: Floats, right: NDArray[np.bool_]) -> Calibration:
    """Compare how sure the labeller was with how right it was; shapes (n,), (n,)."""
    n = len(confidence)
    place = np.minimum((confidence * 10).astype(np.int64), 9)
    bins = []
    for one in range(10):
        held = place == one
        if held.any():
            mean, share = float(confidence[held].mean()), float(right[held].mean())
            bins.append(Bin(one / 10, (one + 1) / 10, int(held.sum()), mean, share))
    gap = sum(abs(one.confidence - one.accuracy) * one.n for one in bins)
    return Calibration(n, gap / n if n else 0.0, tuple(bins))


def _labels(
    names: Sequence[str], right: Counts, meant: Counts, told: Counts, drawn: Floats
) -> tuple[LabelScore, ...]:
    value = _f1(right, meant, told)
    return tuple(
        LabelScore(
            name,
            int(meant[at]),
            int(told[at]),
            proportion(int(told[at]), int(right[at])),
            proportion(int(meant[at]), int(right[at])),
            _interval(float(value[at]) if meant[at] + told[at] else None, drawn[:, at], int(meant[at])),
        )
        for at, name in enumerate(names)
    )


def _macro(
    right: Counts, meant: Counts, told: Counts, drawn: Floats, occurs: NDArray[np.bool_], n: int
) -> Estimate:
    if not occurs.any():
        return Estimate(None, None, None, n, "no label occurs")
    value = float(_f1(right, meant, told)[occurs].mean())
    return _interval(value, drawn[:, occurs].mean(axis=1), n)


def _interval(value: float | None, drawn: Floats, n: int) -> Estimate:
    """A figure with the middle 95% of its values in resampled rows (percentile bootstrap, Efron 1979)."""
    if value is None or not len(drawn):
        return Estimate(value, None, None, n, "the label does not occur")
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)


def _f1(right: NDArray[np.generic], meant: NDArray[np.generic], told: NDArray[np.generic]) -> Floats:
    """2 right / (meant + told); 0 where a label is neither meant nor given."""
    total = np.asarray(meant, dtype=np.float64) + np.asarray(told, dtype=np.float64)
    return 2 * np.asarray(right, dtype=np.float64) / np.maximum(total, 1e-12)


def _indicators(sets: Sequence[frozenset[str]], names: Sequence[str]) -> NDArray[np.bool_]:
    rows = [[name in one for name in names] for one in sets]
    return np.array(rows, dtype=bool).reshape(len(sets), len(names))
