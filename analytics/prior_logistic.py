"""Logistic regression with a normal prior on each coefficient: what is believed until the data say otherwise.

With few rows a coefficient stays near its prior mean and moves as far as the rows that speak of it carry it:
coefficients with a common prior are pooled partially. The mode is found by Newton's method, its spread by
Laplace's approximation (Gelman and others, Bayesian Data Analysis, 3rd edition, chapters 4.1, 15 and 16).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from store.errors import InputError

Floats = NDArray[np.float64]
_STEPS: Final = 100
_ENOUGH: Final = 1e-9


@dataclass(frozen=True)
class PriorLogistic:
    """The posterior mode and its standard deviations, shape (p,) each."""

    mode: Floats
    spread: Floats

    def log_odds(self, x: Floats) -> Floats:
        """Of rows (n, p): log-odds (n,)."""
        return np.asarray(x @ self.mode, dtype=np.float64)


def fit_prior_logistic(
    x: Floats, right: NDArray[np.bool_], prior_mean: Floats, prior_sd: Floats, weight: Floats | None = None
) -> PriorLogistic:
    """Fit rows `x` (n, p) to `right` (n,), each counted `weight` (n,) times; priors have shape (p,).

    The penalised log-likelihood is strictly concave, so the mode is the only one. InputError for a prior
    without width.
    """
    if not np.all(prior_sd > 0):
        raise InputError("each prior needs a standard deviation above zero")
    counted = np.ones(len(x)) if weight is None else weight
    precision = 1.0 / prior_sd**2
    mode = prior_mean.astype(np.float64).copy()
    value = _penalised(x, right, counted, mode, prior_mean, precision)
    hessian = np.diag(precision)
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ mode, -500, 500)))
        slope = x.T @ (counted * (right - chance)) - precision * (mode - prior_mean)
        hessian = (x.T * (counted * chance * (1 - chance))) @ x + np.diag(precision)
        step = np.linalg.solve(hessian, slope)
        share = 1.0
        while share > 1e-6:
            tried = mode + share * step
            better = _penalised(x, right, counted, tried, prior_mean, precision)
            if better >= value:
                mode, value = tried, better
                break
            share /= 2
        if float(np.max(np.abs(share * step), initial=0.0)) < _ENOUGH or share <= 1e-6:
            break
    return PriorLogistic(mode, np.sqrt(np.diag(np.linalg.inv(hessian))))


def _penalised(
    x: Floats,
    right: NDArray[np.bool_],
    weight: Floats,
    mode: Floats,
    prior_mean: Floats,
    precision: Floats,
) -> float:
    odds = x @ mode
    fits = weight * (np.where(right, odds, 0.0) - np.logaddexp(0.0, odds))
    return float(np.sum(fits) - 0.5 * np.sum(precision * (mode - prior_mean) ** 2))
