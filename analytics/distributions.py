"""Tail areas and quantiles, in plain Python: importing scipy would cost a second at every start."""

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    return _NORMAL.inv_cdf(probability)


def normal_two_sided(z: float) -> float:
    """P(|Z| >= |z|) for a standard normal Z; accurate far into the tail."""
    return math.erfc(abs(z) / math.sqrt(2))


def t_two_sided(t: float, df: float) -> float:
    """P(|T| >= |t|) for Student's t with `df` > 0 degrees of freedom (may be fractional).

    Equals the regularised incomplete beta function I_x(df/2, 1/2) at x = df / (df + t^2)
    (Abramowitz and Stegun 26.7.1).
    """
    if df > 1e6:
        return normal_two_sided(t)
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t))


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t, 0.5 <= probability < 1.

    Newton's method from the normal quantile, which lies below: the tail area is convex in t, so the steps
    approach the quantile from one side and cannot overshoot.
    """
    tail = 2 * (1 - probability)
    log_peak = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    t = max(0.0, normal_quantile(probability))
    for _ in range(200):
        density = math.exp(log_peak - 0.5 * (df + 1) * math.log1p(t * t / df))
        step = (t_two_sided(t, df) - tail) / (2 * density)
        t += step
        if step <= 1e-12 * t:
            break
    return t


def binomial_two_sided(successes: int, n: int, probability: float) -> float:
    """Exact two-sided p-value of a binomial count: twice the smaller tail, at most 1."""
    upper = 1.0 if successes == 0 else _incomplete_beta(successes, n - successes + 1, probability)
    lower = 1.0 if successes == n else _incomplete_beta(n - successes, successes + 1, 1 - probability)
    return min(1.0, 2 * min(upper, lower))


def binomial_at_most(successes: int, n: int, probability: float) -> float:
    """The chance of at most so many successes in n."""
    if successes < 0:
        return 0.0
    return 1.0 if successes >= n else _incomplete_beta(n - successes, successes + 1, 1 - probability)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _beta_fraction(a, b, x) / a
    return 1 - math.exp(log_front) * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of the incomplete beta by Lentz's method (Numerical Recipes 6.4)."""
    tiny = 1e-300
    c = 1.0
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _away_from_zero(1 + even * d, tiny)
        c = _away_from_zero(1 + even / c, tiny)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _away_from_zero(1 + odd * d, tiny)
        c = _away_from_zero(1 + odd / c, tiny)
        step = d * c
        value *= step
        if abs(step - 1) < 1e-14:
            break
    return value


def _away_from_zero(value: float, tiny: float) -> float:
    return tiny if abs(value) < tiny else value
