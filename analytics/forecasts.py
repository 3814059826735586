"""What a daily series will be: damped trend and weekdays, with intervals that its own past errors give."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Model = Literal["damped_trend", "seasonal_naive"]

LEAST_DAYS = 28
_ORIGINS = 42
# Errors at neighbouring distances are pooled: a quantile of a few dozen errors alone is rough.
_POOLED = 3


@dataclass(frozen=True)
class Expected:
    """One day to come with its interval."""

    day: date
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    """The days to come, the model that did better on the past, and how well it did.

    `mean_absolute_error` over `origins` past forecasts of the same horizon, `naive_error` that of repeating
    last week, `coverage` the share of those past days that the intervals would have held (leave-one-out).
    """

    days: tuple[Expected, ...]
    model: Model
    mean_absolute_error: float
    naive_error: float
    coverage: float
    origins: int


def forecast_days(
    first: date,
    values: Sequence[float],
    horizon: int,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    counts: bool = False,
    moved: Floats | None = None,
    doubt: Floats | None = None,
    confidence: float = 0.95,
) -> Forecast | None:
    """Forecast `horizon` days after a gapless daily series that begins on `first`; None below 28 days.

    Holt's damped trend on values freed of weekday effects (Gardner and McKenzie, Management Science 31,
    1985), or last week repeated where that erred less on the past. Intervals are quantiles of the absolute
    errors of past forecasts at the same distance (split conformal; Vovk et al. 2005), widened by the square
    root of the distance beyond what was tried. `low` and `high` bound the values; counts are modelled as
    logarithms.

    `moved`, shape (n + horizon,): what known events add to each day, in the model's unit (log(1 + n) of
    counts). It is taken out of the past and put into the days to come, whose intervals grow by `doubt`, half
    the width of the interval of what is added.
    """
    series = (
        np.log1p(np.asarray(values, dtype=np.float64)) if counts else np.asarray(values, dtype=np.float64)
    )
    if len(series) < LEAST_DAYS or horizon < 1:
        return None
    ahead = np.zeros(horizon)
    if moved is not None:
        ahead, series = moved[len(series) :], series - moved[: len(series)]
    weekdays = np.array([(first.weekday() + step) % 7 for step in range(len(series) + horizon)])
    parameters = _fit(series, weekdays)
    tested = min(horizon, max(1, (len(series) - LEAST_DAYS // 2) // 2))
    errors: dict[Model, list[Floats]] = {"damped_trend": [], "seasonal_naive": []}
    first_origin = max(LEAST_DAYS // 2, len(series) - tested - _ORIGINS)
    for origin in range(first_origin, len(series) - tested + 1):
        truth = series[origin : origin + tested]
        for tried in errors:
            guess = _predict(tried, series[:origin], weekdays, tested, parameters)
            errors[tried].append(np.abs(truth - guess))
    scores = {tried: float(np.mean(found)) for tried, found in errors.items()}
    model: Model = "damped_trend" if scores["damped_trend"] <= scores["seasonal_naive"] else "seasonal_naive"
    table = np.stack(errors[model])
    margins = _margins(table, horizon, confidence)
    if doubt is not None:
        margins = np.hypot(margins, doubt[len(series) :])
    centre = _predict(model, series, weekdays, horizon, parameters) + ahead
    start = first + timedelta(days=len(series))
    back = np.expm1 if counts else np.asarray
    bounds = [np.clip(back(side), low, high) for side in (centre, centre - margins, centre + margins)]
    scale = float(np.mean(values)) + 1 if counts else 1.0
    return Forecast(
        days=tuple(
            Expected(start + timedelta(days=step), *(float(side[step]) for side in bounds))
            for step in range(horizon)
        ),
        model=model,
        mean_absolute_error=scores[model] * scale,
        naive_error=scores["seasonal_naive"] * scale,
        coverage=_coverage(table, confidence),
        origins=len(table),
    )


def _fit(series: Floats, weekdays: NDArray[np.int64]) -> dict[str, float]:
    from statsmodels.tsa.holtwinters import Holt

    plain = series - _effects(series, weekdays)[weekdays[: len(series)]]
    if float(np.ptp(plain)) == 0.0:
        return {"smoothing_level": 0.5, "smoothing_trend": 0.1, "damping_trend": 0.9}
    fitted = Holt(plain, damped_trend=True, initialization_method="estimated").fit()
    return {
        name: float(min(0.98, max(0.01, fitted.params[name])))
        for name in ("smoothing_level", "smoothing_trend", "damping_trend")
    }


def _predict(
    model: Model, series: Floats, weekdays: NDArray[np.int64], horizon: int, parameters: dict[str, float]
) -> Floats:
    if model == "seasonal_naive":
        week = series[-7:]
        return np.array([week[step % 7] for step in range(horizon)])
    effects = _effects(series, weekdays)
    plain = series - effects[weekdays[: len(series)]]
    alpha, beta, phi = (parameters[name] for name in ("smoothing_level", "smoothing_trend", "damping_trend"))
    level, slope = float(plain[:7].mean()), 0.0
    for value in plain.tolist():
        before = level
        level = alpha * value + (1 - alpha) * (level + phi * slope)
        slope = beta * (level - before) + (1 - beta) * phi * slope
    damped: Floats = np.cumsum(phi ** np.arange(1, horizon + 1, dtype=np.float64))
    days = weekdays[len(series) : len(series) + horizon]
    return np.asarray(level + slope * damped + effects[days], dtype=np.float64)


def _effects(series: Floats, weekdays: NDArray[np.int64]) -> Floats:
    """Median departure of each weekday from the level around it, drawn towards zero where few days tell."""
    known = weekdays[: len(series)]
    window = np.ones(7) / 7
    around = np.convolve(np.pad(series, 3, mode="edge"), window, mode="valid")
    left = series - around
    effects = np.zeros(7)
    for day in range(7):
        own = left[known == day]
        if len(own):
            effects[day] = float(np.median(own)) * len(own) / (len(own) + 1)
    return np.asarray(effects - effects.mean(), dtype=np.float64)


def _margins(table: Floats, horizon: int, confidence: float) -> Floats:
    tried = table.shape[1]
    # Neighbours repeat half of what an error tells: between the finite-sample quantile of the origins alone
    # (1 + 1/n, too wide) and that of all pooled errors (too narrow).
    share = min(1.0, confidence * (1 + 0.5 / len(table)))
    pooled = (table[:, max(0, step - _POOLED) : step + _POOLED + 1] for step in range(tried))
    margins = np.array([np.quantile(errors, share) for errors in pooled])
    beyond = [margins[-1] * math.sqrt((step + 1) / tried) for step in range(tried, horizon)]
    return np.concatenate((margins, beyond)) if beyond else margins


def _coverage(table: Floats, confidence: float) -> float:
    held = [
        row <= _margins(np.delete(table, at, axis=0), table.shape[1], confidence)
        for at, row in enumerate(table)
    ]
    return float(np.mean(held))
