"""How a group differs from the rest: in its change, in its level, in its volume, in what it adds."""

import math
from dataclasses import dataclass
from typing import Literal

from analytics.cells import Pair
from analytics.distributions import t_two_sided
from analytics.sums import Sums

Mode = Literal["change", "level", "volume"]


@dataclass(frozen=True)
class Effect:
    """A group against the rest, in units of x (items, for volume).

    `value` is how far the group departs from the rest and `se` its standard error; `contribution` is what
    that departure adds to the overall figure. `t` and `df` are the test of no departure.
    The four levels are means of x (counts, for volume); None where there are no items.
    """

    value: float
    se: float
    t: float
    df: float
    contribution: float
    before: float | None
    after: float | None
    rest_before: float | None
    rest_after: float | None

    @property
    def evidence(self) -> float:
        """Log likelihood ratio of a departure against none (Student's t), t^2 / 2 for large samples."""
        return 0.5 * (self.df + 1) * math.log1p(self.t * self.t / self.df)

    @property
    def p_value(self) -> float:
        """Two-sided, for this one comparison."""
        return t_two_sided(self.t, self.df)


def change_effect(
    inside: Pair, outside: Pair, variance: float, *, baseline: Sums | None = None, dispersion: float = 1.0
) -> Effect | None:
    """Difference in differences of means: the group's change minus the change of the rest.

    `baseline` stands in for the group's own past where it has none. Each variance is the larger of the
    group's own and `variance` (that of all items), so a handful of equal values proves nothing.
    `dispersion` is the factor by which changes vary more than sampling explains. None where a side is
    empty. The contribution is the group's share of items after, times the effect: without it (had the group
    moved as the rest did) the overall change would have been smaller by that much.
    """
    past = baseline if baseline is not None else inside.before
    samples = (inside.after, past, outside.after, outside.before)
    if any(sample.n <= 0 for sample in samples):
        return None
    value = (inside.after.mean - past.mean) - (outside.after.mean - outside.before.mean)
    se, df = _standard_error(samples, variance, dispersion)
    if not se:
        return None
    share = inside.after.n / (inside.after.n + outside.after.n)
    return Effect(
        value=value,
        se=se,
        t=value / se,
        df=df,
        contribution=share * value,
        before=inside.before.mean if inside.before.n else None,
        after=inside.after.mean,
        rest_before=outside.before.mean,
        rest_after=outside.after.mean,
    )


def level_effect(inside: Pair, outside: Pair, variance: float) -> Effect | None:
    """Difference of means between the group and the rest in the one window."""
    if min(inside.after.n, outside.after.n) <= 0:
        return None
    value = inside.after.mean - outside.after.mean
    se, df = _standard_error((inside.after, outside.after), variance, 1.0)
    if not se:
        return None
    share = inside.after.n / (inside.after.n + outside.after.n)
    return Effect(
        value=value,
        se=se,
        t=value / se,
        df=df,
        contribution=share * value,
        before=None,
        after=inside.after.mean,
        rest_before=None,
        rest_after=outside.after.mean,
    )


def volume_effect(inside: Pair, outside: Pair, *, dispersion: float = 1.0) -> Effect | None:
    """Items beyond what the growth of the rest would have brought.

    The test is on the log of the ratio of the two growth ratios, 1/2 added to each count (Haldane).
    """
    counts = [inside.after.n, inside.before.n, outside.after.n, outside.before.n]
    if min(counts) < 0 or counts[2] == 0 or counts[3] == 0:
        return None
    logs = [math.log(count + 0.5) for count in counts]
    ratio = (logs[0] - logs[1]) - (logs[2] - logs[3])
    spread = math.sqrt(dispersion * math.fsum(1 / (count + 0.5) for count in counts))
    extra = counts[0] - counts[1] * counts[2] / counts[3]
    t = ratio / spread
    return Effect(
        value=extra,
        se=abs(extra / t) if t and extra else math.sqrt(counts[0] + counts[1] + 1),
        t=t,
        df=1e9,
        contribution=extra,
        before=float(counts[1]),
        after=float(counts[0]),
        rest_before=float(counts[3]),
        rest_after=float(counts[2]),
    )


def presence_effect(
    inside: Pair, outside: Pair, variance: float, *, one_window: bool = False, dispersion: float = 1.0
) -> Effect | None:
    """What a symptom adds to the overall mean, after minus before, be it by growing or by getting worse.

    A symptom (a topic, a rival named) is not a kind of customer whose share is given, but what happened:
    its growth is part of the effect. It adds w d, w its share of items and d the distance of its mean from
    the rest, hence the overall change without it is the change of the rest. Variance by the delta method:
    w^2 Var(d) + d^2 w (1 - w) / n.
    """
    if min(part.n for pair in (inside, outside) for part in pair) < 0:
        # Items with several values were taken out once for each of them: too few are left to tell.
        return None
    if not outside.after.n or (not outside.before.n and not one_window):
        return None
    first, first_variance = _added(inside.before, outside.before, variance)
    second, second_variance = _added(inside.after, outside.after, variance)
    value = second - first
    se = math.sqrt(dispersion * (first_variance + second_variance))
    if not se:
        return None
    return Effect(
        value=value,
        se=se,
        t=value / se,
        df=max(1.0, inside.after.n + inside.before.n - 1.0),
        contribution=value,
        before=inside.before.mean if inside.before.n else None,
        after=inside.after.mean if inside.after.n else None,
        rest_before=outside.before.mean if outside.before.n else None,
        rest_after=outside.after.mean,
    )


def _added(inside: Sums, outside: Sums, variance: float) -> tuple[float, float]:
    if not inside.n or not outside.n:
        return 0.0, 0.0
    n = inside.n + outside.n
    share = inside.n / n
    distance = inside.mean - outside.mean
    spread = _spread(inside, variance) / inside.n + _spread(outside, variance) / outside.n
    return share * distance, share**2 * spread + distance**2 * share * (1 - share) / n


def _standard_error(samples: tuple[Sums, ...], variance: float, dispersion: float) -> tuple[float, float]:
    """Return the standard error of a sum of independent means and Welch's degrees of freedom.

    A term that uses the variance of all items has that variance's degrees of freedom, not its own.
    """
    everything = sum(sample.n for sample in samples)
    total = weights = 0.0
    for sample in samples:
        spread = _spread(sample, variance)
        term = spread / sample.n
        total += term
        weights += term**2 / max(1, (sample.n if spread > variance else everything) - 1)
    if total <= 0:
        return 0.0, 1.0
    return math.sqrt(dispersion * total), total**2 / weights


def _spread(sample: Sums, variance: float) -> float:
    return max(variance, sample.variance) if sample.n > 1 else variance
