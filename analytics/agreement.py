"""How far people who label the same texts agree, beyond chance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.estimates import Estimate, proportion

Floats = NDArray[np.float64]
_ROUNDS: Final = 1_000
_SEED: Final = 20_251_122


@dataclass(frozen=True)
class Agreement:
    """Over `texts` that at least two of `annotators` people labelled.

    `same`: share of texts on which all of them say the same. `kappa` (Cohen 1960) where there are exactly
    two people; `alpha` (Krippendorff 2004, nominal) for any number, missing labels allowed.
    """

    texts: int
    annotators: int
    same: Estimate
    kappa: Estimate | None
    alpha: Estimate


def agreement(said: Sequence[Mapping[str, frozenset[str]]], *, multiple: bool) -> Agreement | None:
    """Agreement over texts, each given as annotator to values; None without a text that two labelled.

    With `multiple`, each label that anybody gives is one yes or no a text. Intervals: percentile bootstrap
    over the texts.
    """
    shared = [one for one in said if len(one) > 1]
    if not shared:
        return None
    people = sorted({name for one in shared for name in one})
    labels = sorted({value for one in shared for values in one.values() for value in values})
    tables = _coincidences(shared, labels, multiple)
    same = sum(len(set(one.values())) == 1 for one in shared)
    kappa = None
    if len(people) == 2:
        kappa = _estimate(_contingencies(shared, people, labels, multiple), _kappa)
    return Agreement(
        len(shared), len(people), proportion(len(shared), same), kappa, _estimate(tables, _alpha)
    )


def _codes(values: frozenset[str], labels: Sequence[str], multiple: bool) -> list[int]:
    """Which class of each question: one question a text, or one yes or no a label."""
    if multiple:
        return [int(label in values) for label in labels] or [0]
    return [labels.index(min(values))]


def _contingencies(
    shared: Sequence[Mapping[str, frozenset[str]]],
    people: Sequence[str],
    labels: Sequence[str],
    multiple: bool,
) -> Floats:
    """What the first says (rows) against the second (columns), a text; shape (texts, k, k)."""
    size = 2 if multiple else len(labels)
    tables = np.zeros((len(shared), size, size))
    for at, one in enumerate(shared):
        pairs = zip(*(_codes(one[name], labels, multiple) for name in people), strict=True)
        for first, second in pairs:
            tables[at, first, second] += 1
    return tables


def _coincidences(
    shared: Sequence[Mapping[str, frozenset[str]]], labels: Sequence[str], multiple: bool
) -> Floats:
    """Krippendorff's coincidence matrix, a text; shape (texts, k, k)."""
    size = 2 if multiple else len(labels)
    tables = np.zeros((len(shared), size, size))
    for at, one in enumerate(shared):
        for codes in zip(*(_codes(values, labels, multiple) for values in one.values()), strict=True):
            counts = np.bincount(codes, minlength=size).astype(np.float64)
            tables[at] += (np.outer(counts, counts) - np.diag(counts)) / (len(codes) - 1)
    return tables


def _kappa(tables: Floats) -> Floats:
    total = tables.sum(axis=(1, 2))
    seen = np.trace(tables, axis1=1, axis2=2) / total
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / total**2
    return _beyond(seen, chance)


def _alpha(tables: Floats) -> Floats:
    total = tables.sum(axis=(1, 2))
    counts = tables.sum(axis=2)
    seen = np.trace(tables, axis1=1, axis2=2) / total
    chance = ((counts**2).sum(axis=1) - total) / (total * np.maximum(total - 1, 1))
    return _beyond(seen, chance)


def _beyond(seen: Floats, chance: Floats) -> Floats:
    """Agreement beyond chance; not a number where everybody says one thing only."""
    open_to = 1 - chance
    return np.where(open_to > 1e-12, (seen - chance) / np.maximum(open_to, 1e-12), np.nan)


def _estimate(tables: Floats, statistic: Callable[[Floats], Floats]) -> Estimate:
    n = len(tables)
    value = float(statistic(tables.sum(axis=0, keepdims=True))[0])
    if np.isnan(value):
        return Estimate(None, None, None, n, "all labels are the same: nothing to agree on beyond chance")
    weights = np.random.default_rng(_SEED).multinomial(n, np.full(n, 1 / n), size=_ROUNDS)
    drawn = (weights @ tables.reshape(n, -1)).reshape(_ROUNDS, *tables.shape[1:])
    figures = statistic(drawn)
    figures = figures[~np.isnan(figures)]
    low, high = np.quantile(figures, (0.025, 0.975)) if len(figures) else (value, value)
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)
