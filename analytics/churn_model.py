"""Probability of leaving, learnt from who left: logistic regression, calibrated, judged on a later time.

Rows are customers as they stood at past moments (cutoffs), the label whether they left within the horizon
after. The order of time is kept throughout: what is learnt ends before what chooses and calibrates begins,
and that ends before what judges begins. Calibration: Platt, Advances in Large Margin Classifiers (1999).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.estimates import Estimate
from analytics.ranking import auc

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LEAST_CUTOFFS: Final = 3
# A single column that tells nearly all who leave was most likely written when they did.
SUSPECT_AUC: Final = 0.98
# Weights of the quadratic penalty, weakest last (scikit-learn's C).
_STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_BINS: Final = 10


@dataclass(frozen=True)
class ChurnRows:
    """`x` (n, p), NaN where not known; `left` (n,); `cutoff` (n,) counts the moments from 0, the oldest."""

    names: tuple[str, ...]
    x: Floats
    left: Bools
    cutoff: NDArray[np.int64]

    def of(self, rows: Bools) -> "ChurnRows":
        """These rows."""
        return ChurnRows(self.names, self.x[rows], self.left[rows], self.cutoff[rows])


@dataclass(frozen=True)
class ChurnModel:
    """A line in the standardised columns `kept` (indices) through a logistic; `slope`, `shift` calibrate."""

    names: tuple[str, ...]
    kept: NDArray[np.int64]
    mean: Floats
    spread: Floats
    weights: Floats
    intercept: float
    slope: float = 1.0
    shift: float = 0.0

    def log_odds(self, x: Floats) -> Floats:
        """Calibrated log-odds of leaving within the horizon; (n, p) to (n,)."""
        return np.asarray(self.slope * (self._standard(x) @ self.weights + self.intercept) + self.shift)

    def probability(self, x: Floats) -> Floats:
        """Calibrated probability of leaving within the horizon; (n, p) to (n,)."""
        from scipy.special import expit

        return np.asarray(expit(self.log_odds(x)), dtype=np.float64)

    def contributions(self, x: Floats) -> Floats:
        """What each kept column adds to the log-odds, against a customer with mean values; (n, kept)."""
        return np.asarray(self.slope * self._standard(x) * self.weights)

    def _standard(self, x: Floats) -> Floats:
        """Not known counts as the mean."""
        return np.nan_to_num((x[:, self.kept] - self.mean) / self.spread, nan=0.0, posinf=0.0, neginf=0.0)


@dataclass(frozen=True)
class Bin:
    """Customers of similar probability: their mean probability, and the share that left."""

    n: int
    probability: float
    left: float


@dataclass(frozen=True)
class Judgement:
    """How good probabilities are: Brier's mean square, beside that of telling everybody the same share.

    `ece` is the mean gap between probability and share over ten bins of equal size.
    """

    n: int
    left: int
    auc: Estimate
    brier: float
    brier_same: float
    ece: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class FittedChurn:
    """`model` is learnt from all but the newest cutoff and calibrated on that.

    `judged` are its makings one step earlier: learnt from all but the last two, calibrated on the last but
    one, judged on the newest, of which nothing was seen; `held_out` are the probabilities of those rows.
    `suspected` names the columns left out because each alone tells nearly all who leave.
    """

    model: ChurnModel
    judged: Judgement
    held_out: Floats
    strength: float
    suspected: tuple[str, ...]
    n: int
    left: int


def fit_churn(rows: ChurnRows) -> FittedChurn:
    """Learn, calibrate and judge; needs three cutoffs with customers who left and who stayed in each part."""
    from threadpoolctl import threadpool_limits

    # The matrices are narrow: more threads would mostly wait for each other.
    with threadpool_limits(limits=1):
        return _fit(rows)


def _fit(rows: ChurnRows) -> FittedChurn:
    newest = int(rows.cutoff.max())
    learning, choosing, judging = (
        rows.of(part) for part in (rows.cutoff < newest - 1, rows.cutoff == newest - 1, rows.cutoff == newest)
    )
    suspected = _suspected(judging)
    kept = np.array([at for at, name in enumerate(rows.names) if name not in suspected], dtype=np.int64)
    tried = [(_log_loss(_line(learning, kept, strength), choosing), strength) for strength in _STRENGTHS]
    strength = min(tried)[1]
    rehearsed = _calibrated(_line(learning, kept, strength), choosing)
    held_out = rehearsed.probability(judging.x)
    return FittedChurn(
        model=_calibrated(_line(rows.of(rows.cutoff < newest), kept, strength), judging),
        judged=judge(judging.left, held_out),
        held_out=held_out,
        strength=strength,
        suspected=suspected,
        n=len(rows.left),
        left=int(rows.left.sum()),
    )


def judge(left: Bools, probability: Floats) -> Judgement:
    """Compare probabilities with who left; shapes (n,), (n,)."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    bins = tuple(Bin(len(p), float(probability[p].mean()), float(left[p].mean())) for p in parts)
    share = float(left.mean())
    return Judgement(
        n=len(left),
        left=int(left.sum()),
        auc=auc(left, probability),
        brier=float(np.mean((probability - left) ** 2)),
        brier_same=share * (1 - share),
        ece=sum(one.n * abs(one.probability - one.left) for one in bins) / len(left),
        bins=bins,
    )


def _suspected(rows: ChurnRows) -> tuple[str, ...]:
    found = []
    for at, name in enumerate(rows.names):
        column = rows.x[:, at]
        known = np.isfinite(column)
        area = auc(rows.left[known], column[known]).value
        # That a value is there at all may be what tells.
        presence = auc(rows.left, known.astype(np.float64)).value
        if any(one is not None and max(one, 1 - one) > SUSPECT_AUC for one in (area, presence)):
            found.append(name)
    return tuple(found)


def _line(rows: ChurnRows, kept: NDArray[np.int64], strength: float) -> ChurnModel:
    from sklearn.linear_model import LogisticRegression

    x = rows.x[:, kept]
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, x - mean, 0.0) ** 2).sum(axis=0) / count)
    # A column that hardly varies here would be blown up wherever it does.
    varied = spread > 1e-9
    names = tuple(rows.names[at] for at in kept[varied])
    bare = ChurnModel(names, kept[varied], mean[varied], spread[varied], np.zeros(int(varied.sum())), 0.0)
    fitted = LogisticRegression(C=strength, max_iter=500).fit(bare._standard(rows.x), rows.left)
    return ChurnModel(
        names, bare.kept, bare.mean, bare.spread, fitted.coef_[0].copy(), float(fitted.intercept_[0])
    )


def _calibrated(model: ChurnModel, rows: ChurnRows) -> ChurnModel:
    """Platt's two parameters on later rows; a slope below zero would turn the ranking round: 0 then."""
    from sklearn.linear_model import LogisticRegression

    raw = model.log_odds(rows.x)
    scaled = LogisticRegression(C=1e4, max_iter=500).fit(raw[:, None], rows.left)
    slope, shift = float(scaled.coef_[0, 0]), float(scaled.intercept_[0])
    return ChurnModel(
        model.names,
        model.kept,
        model.mean,
        model.spread,
        model.weights,
        model.intercept,
        max(slope, 0.0),
        shift,
    )


def _log_loss(model: ChurnModel, rows: ChurnRows) -> float:
    odds = model.log_odds(rows.x)
    return float(np.mean(np.logaddexp(0.0, np.where(rows.left, -odds, odds))))


def held_out_rows(rows: ChurnRows) -> NDArray[np.int64]:
    """Indices of the rows that `FittedChurn.held_out` belongs to."""
    return np.flatnonzero(rows.cutoff == rows.cutoff.max())
