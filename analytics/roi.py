"""What an improvement is worth, over a stated horizon, with the range that the inputs' uncertainty gives.

All money is in the unit of the inputs; every benefit is given for one year and for the horizon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from store.errors import InputError

Component = Literal[
    "churn", "revenue_churn", "service", "development", "marketing", "acquisition", "complaints"
]


@dataclass(frozen=True)
class Range:
    """A figure with its least and greatest plausible value; low <= value <= high."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Range":
        """Scaled by a factor >= 0."""
        return Range(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Benefit:
    """One source of benefit: the formula with its numbers, what a year and the horizon bring."""

    component: Component
    formula: str
    annual: Range
    horizon: Range


@dataclass(frozen=True)
class Return:
    """All benefits against all costs over `months`; `ratio` and `payback_months` are None without costs.

    `ratio` is benefit per unit of cost (4.2 reads 1:4.2), `net` benefit less cost, `payback_months` when
    running benefits have covered the initial cost (None where they never do).
    """

    months: float
    benefits: tuple[Benefit, ...]
    total: Range
    annual: Range
    cost: float
    net: Range
    ratio: Range | None
    payback_months: float | None


def exactly(value: float) -> Range:
    """A figure without a range."""
    return Range(value, value, value)


def churn_saved(
    before: float, after: Range, lifetime_value: float, customers: float, months: float
) -> Benefit:
    """Reduction of yearly churn x lifetime value x customers: 12% to 8%, 50,000 and 1,000 give 2,000,000.

    A lifetime value already holds all years of a customer who was kept, so it counts once for each year in
    which fewer leave.
    """
    _rates(before, after)
    _positive(lifetime_value=lifetime_value, customers=customers)
    annual = _reduction(before, after).times(lifetime_value * customers)
    formula = f"({before:g} - {after.value:g}) x {lifetime_value:,.15g} x {customers:,.15g}"
    return _benefit("churn", formula, annual, months)


def revenue_kept(before: float, after: Range, revenue: float, months: float) -> Benefit:
    """Reduction of yearly churn x yearly revenue: 50 million and 15% to 10% give 2.5 million a year."""
    _rates(before, after)
    _positive(revenue=revenue)
    annual = _reduction(before, after).times(revenue)
    formula = f"({before:g} - {after.value:g}) x {revenue:,.15g}"
    return _benefit("revenue_churn", formula, annual, months)


def service_saved(minutes_before: float, minutes_after: Range, monthly_cost: float, months: float) -> Benefit:
    """Share of handling time saved x monthly staff cost x 12.

    15 to 10 minutes and 80,000 a month give 320,000 a year.
    """
    _positive(minutes_before=minutes_before, monthly_cost=monthly_cost)
    if minutes_after.low < 0:
        raise InputError("handling time cannot be negative")
    share = Range(
        *(
            (minutes_before - minutes) / minutes_before
            for minutes in (minutes_after.value, minutes_after.high, minutes_after.low)
        )
    )
    formula = (
        f"({minutes_before:g} - {minutes_after.value:g}) / {minutes_before:g} x {monthly_cost:,.15g} x 12"
    )
    return _benefit("service", formula, share.times(monthly_cost * 12), months)


def development_saved(days: Range, cost_per_day: float, cycles_a_year: float, months: float) -> Benefit:
    """Days by which a development cycle gets shorter x cost of a day x cycles a year."""
    _positive(cost_per_day=cost_per_day, cycles_a_year=cycles_a_year)
    formula = f"{days.value:g} x {cost_per_day:,.15g} x {cycles_a_year:g}"
    return _benefit("development", formula, days.times(cost_per_day * cycles_a_year), months)


def marketing_gained(uplift: Range, monthly_budget: float, months: float) -> Benefit:
    """Rise of the conversion rate (relative, 0.1 is 10% more) x marketing budget of a year."""
    _positive(monthly_budget=monthly_budget)
    formula = f"{uplift.value:g} x {monthly_budget:,.15g} x 12"
    return _benefit("marketing", formula, uplift.times(monthly_budget * 12), months)


def acquisition_saved(cost_before: float, cost_after: Range, new_customers: float, months: float) -> Benefit:
    """Lower cost of winning a customer (a better NPS brings referrals) x new customers a year."""
    _positive(cost_before=cost_before, new_customers=new_customers)
    saved = Range(cost_before - cost_after.value, cost_before - cost_after.high, cost_before - cost_after.low)
    formula = f"({cost_before:g} - {cost_after.value:g}) x {new_customers:,.15g}"
    return _benefit("acquisition", formula, saved.times(new_customers), months)


def complaints_avoided(avoided_a_year: Range, cost_each: float, months: float) -> Benefit:
    """Complaints that are not made any more x what handling one costs; below zero there are more of them."""
    _positive(cost_each=cost_each)
    formula = f"{avoided_a_year.value:,.0f} x {cost_each:,.15g}"
    return _benefit("complaints", formula, avoided_a_year.times(cost_each), months)


def total_return(
    benefits: Sequence[Benefit], months: float, *, initial_cost: float = 0.0, monthly_cost: float = 0.0
) -> Return:
    """Benefits against costs over the horizon. Raises InputError without a benefit or a positive horizon."""
    if not benefits:
        raise InputError("nothing to count: give the inputs of at least one benefit")
    if months <= 0:
        raise InputError("the horizon must be positive")
    if min(initial_cost, monthly_cost) < 0:
        raise InputError("costs cannot be negative")
    total, annual = _sum([one.horizon for one in benefits]), _sum([one.annual for one in benefits])
    cost = initial_cost + monthly_cost * months
    running = annual.value / 12 - monthly_cost
    return Return(
        months=months,
        benefits=tuple(benefits),
        total=total,
        annual=annual,
        cost=cost,
        net=Range(total.value - cost, total.low - cost, total.high - cost),
        ratio=total.times(1 / cost) if cost else None,
        payback_months=initial_cost / running if initial_cost and running > 0 else None,
    )


def budget_split(total: float, shares: Mapping[str, float]) -> dict[str, float]:
    """A budget by its usual parts; the shares must add up to 1."""
    _positive(total=total)
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise InputError("the shares of a budget must add up to 1")
    return {name: total * share for name, share in shares.items()}


def _benefit(component: Component, formula: str, annual: Range, months: float) -> Benefit:
    return Benefit(component, formula, annual, annual.times(months / 12))


def _reduction(before: float, after: Range) -> Range:
    return Range(before - after.value, before - after.high, before - after.low)


def _sum(ranges: Sequence[Range]) -> Range:
    # Adding all lows assumes that everything goes badly at once: the widest range, never too narrow.
    return Range(*(sum(getattr(one, side) for one in ranges) for side in ("value", "low", "high")))


def _rates(before: float, after: Range) -> None:
    if not all(0 <= rate <= 1 for rate in (before, after.low, after.value, after.high)):
        raise InputError("churn is a share of customers a year, between 0 and 1 (12% is 0.12)")


def _positive(**given: float) -> None:
    for name, value in given.items():
        if not value > 0:
            raise InputError(f"{name} must be positive, not {value:g}")
