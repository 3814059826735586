"""Topics and intents learnt from human labels, each only where it is better than the lexicon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics.paired import paired_difference
from pipeline.features import BUCKETS
from pipeline.label_linear import Floats, Places, cross_margins, fit, gram_matrix, grams_of, sigmoid

_PENALTY: Final = 3.0
# What the lexicon says is one input beside thousands of n-grams: it must be heard.
_LEXICON_SCALE: Final = 2.0
_LEAST_USES: Final = 2


@dataclass(frozen=True)
class Heads:
    """Linear models over one vocabulary: `buckets` (v,), `weights` (v + lexicon inputs + 1, heads).

    `names` are the heads; `inputs` the lexicon's answers that are inputs as well; `thresholds` (heads,) are
    margins above which a yes or no head says yes.
    """

    names: tuple[str, ...]
    inputs: tuple[str, ...]
    buckets: NDArray[np.int64]
    weights: NDArray[np.float32]
    thresholds: Floats

    def margins(
        self, texts: Sequence[str], languages: Sequence[str], said: Sequence[frozenset[str]]
    ) -> Floats:
        """Log odds; shape (n, heads)."""
        matrix = mixed_matrix(texts, languages)[:, self.buckets]
        count = len(self.buckets)
        lexicon = lexicon_inputs(said, self.inputs)
        result: Floats = matrix @ self.weights[:count] + lexicon @ self.weights[count:]
        return result


@dataclass(frozen=True)
class HeadReport:
    """Why a head was taken or left: figures with everything held out, and their difference with interval."""

    name: str
    support: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    taken: bool
    reason: str


def mixed_matrix(texts: Sequence[str], languages: Sequence[str]) -> Any:
    """N-grams of texts in any language, in one space; sparse (n, BUCKETS)."""
    from scipy.sparse import csr_matrix, vstack

    chinese = np.fromiter((told == "zh" for told in languages), np.bool_, len(languages))
    if not len(texts):
        return csr_matrix((0, BUCKETS))
    parts, order = [], []
    for places, is_chinese in ((np.flatnonzero(chinese), True), (np.flatnonzero(~chinese), False)):
        if len(places):
            parts.append(gram_matrix(grams_of([texts[at] for at in places.tolist()], is_chinese)))
            order.append(places)
    back = np.argsort(np.concatenate(order))
    return vstack(parts).tocsr()[back]


def lexicon_inputs(said: Sequence[frozenset[str]], inputs: Sequence[str]) -> Floats:
    """The lexicon's answers as numbers, and a constant; shape (n, inputs + 1)."""
    table = np.array([[name in one for name in inputs] for one in said], dtype=np.float64)
    return np.column_stack((table.reshape(len(said), len(inputs)) * _LEXICON_SCALE, np.ones(len(said))))


def learn_topics(
    texts: Sequence[str],
    languages: Sequence[str],
    truth: Sequence[frozenset[str]],
    said: Sequence[frozenset[str]],
    folds: NDArray[np.int64],
    least: int,
) -> tuple[Heads | None, list[HeadReport]]:
    """One yes or no head a topic that at least `least` texts have and as many lack.

    A head is taken where its F1 on held-out texts is better than the lexicon's and the difference is hardly
    chance (nine of ten bootstrap samples); thresholds are chosen on the other folds.
    """
    counts = {name: sum(name in one for one in truth) for name in sorted(frozenset[str]().union(*truth))}
    names = [name for name, count in counts.items() if least <= count <= len(truth) - least]
    reports = [
        _left(name, count, f"fewer than {least} texts have it (or lack it)")
        for name, count in counts.items()
        if name not in names
    ]
    inputs = tuple(sorted(frozenset[str]().union(*said)))
    matrix, buckets = _features(texts, languages, said, inputs)
    taken: list[tuple[str, Floats, float]] = []
    for name in names:
        right = np.array([name in one for one in truth], dtype=np.float64)
        old = np.array([name in one for one in said], dtype=bool)
        margins = cross_margins(_fitting(matrix, right), folds)
        new = np.zeros(len(right), dtype=bool)
        for fold in np.unique(folds):
            rest = folds != fold
            new[~rest] = margins[~rest] > best_threshold(margins[rest], right[rest] > 0)
        report = _report(name, right > 0, old, new)
        reports.append(report)
        if report.taken:
            weights = fit(matrix, right, np.zeros(len(right)), _PENALTY)
            taken.append((name, weights, best_threshold(margins, right > 0)))
    return _heads(taken, inputs, buckets), sorted(reports, key=lambda one: one.name)


def learn_choice(
    texts: Sequence[str],
    languages: Sequence[str],
    truth: Sequence[str],
    said: Sequence[frozenset[str]],
    old: Sequence[str],
    folds: NDArray[np.int64],
    least: int,
) -> tuple[Heads | None, HeadReport]:
    """One head a value, the likeliest wins; taken where more held-out texts are right than before.

    `said`: everything of the present labels that may help, as names; `old`: the present answer.
    """
    counts = {name: list(truth).count(name) for name in sorted(set(truth))}
    names = [name for name, count in counts.items() if count >= least]
    if len(names) < 2:
        return None, _left("all", len(truth), f"fewer than two values with {least} texts")
    inputs = tuple(sorted(frozenset[str]().union(*said)))
    matrix, buckets = _features(texts, languages, said, inputs)
    indicators = [np.array([one == name for one in truth], dtype=np.float64) for name in names]
    margins = np.column_stack([cross_margins(_fitting(matrix, right), folds) for right in indicators])
    new = np.array(names)[margins.argmax(axis=1)] == np.array(truth)
    before = np.array(old) == np.array(truth)
    gain = new.astype(np.float64) - before
    found = paired_difference(len(gain), lambda places: float(gain[places].mean()))
    low, high = found.ci_low or 0.0, found.ci_high or 0.0
    taken = low > 0
    report = HeadReport(
        "all",
        len(truth),
        round(float(before.mean()), 4),
        round(float(new.mean()), 4),
        round(float(gain.mean()), 4),
        round(low, 4),
        round(high, 4),
        taken,
        "more held-out texts are right" if taken else "not surely better than the rules: the rules stay",
    )
    if not taken:
        return None, report
    fitted = [
        (name, fit(matrix, right, np.zeros(len(right)), _PENALTY), 0.0)
        for name, right in zip(names, indicators, strict=True)
    ]
    return _heads(fitted, inputs, buckets), report


def best_threshold(margins: Floats, right: NDArray[np.bool_]) -> float:
    """The margin above which saying yes gives the best F1 (halfway to the next margin below)."""
    order = np.argsort(-margins, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(margins) + 1) + right.sum())
    at = int(f1.argmax())
    here = float(margins[order[at]])
    below = float(margins[order[at + 1]]) if at + 1 < len(order) else here - 1.0
    return (here + below) / 2


def f1_of(right: NDArray[np.bool_], given: NDArray[np.bool_]) -> float:
    """2 hits / (meant + given); 0 where nothing is meant or given."""
    total = int(right.sum()) + int(given.sum())
    return 2 * int((right & given).sum()) / total if total else 0.0


def _report(
    name: str, right: NDArray[np.bool_], old: NDArray[np.bool_], new: NDArray[np.bool_]
) -> HeadReport:
    before, after = f1_of(right, old), f1_of(right, new)
    found = paired_difference(
        len(right), lambda places: f1_of(right[places], new[places]) - f1_of(right[places], old[places])
    )
    low, high = found.ci_low or 0.0, found.ci_high or 0.0
    # The interval is of 95%; a gain whose lower end is near zero is still hardly chance.
    taken = after > before and low > -0.2 * (after - before)
    reason = "better on held-out texts" if taken else "not surely better than the lexicon: the lexicon stays"
    return HeadReport(
        name,
        int(right.sum()),
        round(before, 4),
        round(after, 4),
        round(after - before, 4),
        round(low, 4),
        round(high, 4),
        taken,
        reason,
    )


def _left(name: str, support: int, reason: str) -> HeadReport:
    return HeadReport(name, support, 0.0, 0.0, 0.0, 0.0, 0.0, False, reason)


def _features(
    texts: Sequence[str], languages: Sequence[str], said: Sequence[frozenset[str]], inputs: Sequence[str]
) -> tuple[Any, NDArray[np.int64]]:
    from scipy.sparse import csr_matrix, hstack

    matrix = mixed_matrix(texts, languages)
    buckets = np.flatnonzero(np.bincount(matrix.indices, minlength=BUCKETS) >= _LEAST_USES)
    whole = hstack([matrix[:, buckets], csr_matrix(lexicon_inputs(said, inputs))]).tocsr()
    return whole, buckets


def _fitting(matrix: Any, right: Floats) -> Any:
    def fitted(places: Places) -> Any:
        weights = fit(matrix[places], right[places], np.zeros(len(places)), _PENALTY)
        return lambda held: matrix[held] @ weights

    return fitted


def _heads(
    taken: Sequence[tuple[str, Floats, float]], inputs: tuple[str, ...], buckets: NDArray[np.int64]
) -> Heads | None:
    if not taken:
        return None
    weights = np.column_stack([weights for _, weights, _ in taken]).astype(np.float32)
    thresholds = np.array([threshold for _, _, threshold in taken])
    return Heads(tuple(name for name, _, _ in taken), inputs, buckets, weights, thresholds)


def certainty(margin: float, threshold: float) -> float:
    """How sure a yes is, for the reader: a probability of the margin over its threshold, at most 0.95."""
    return round(min(0.95, float(sigmoid(np.array([margin - threshold]))[0])), 3)
