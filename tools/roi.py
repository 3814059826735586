"""What an improvement or a project is worth, with every formula and the horizon stated."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from analytics.roi import (
    Benefit,
    Range,
    Return,
    acquisition_saved,
    budget_split,
    churn_saved,
    complaints_avoided,
    development_saved,
    exactly,
    marketing_gained,
    revenue_kept,
    service_saved,
    total_return,
)
from retention.verified_returns import CountedEffect, counted_effects
from store.errors import InputError, ToolInputError
from store.facts import Aggregate, Selection
from tools.answers import answer
from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.measures import pooled
from tools.periods import resolve
from tools.plans import stored_plan
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen

Ranged = Annotated[
    float | tuple[float, float, float] | None,
    Field(description="one value, or [low, expected, high] where it is uncertain"),
]
Amount = Annotated[float | None, Field(gt=0)]
# The usual split of an initial budget.
_BUDGET = {"platform": 0.40, "data_access": 0.25, "training": 0.20, "operation": 0.15}
# What each benefit needs, in the order of the formula.
_NEEDS = {
    "churn": ("churn_before", "churn_after", "lifetime_value", "customers"),
    "revenue_churn": ("churn_before", "churn_after", "revenue"),
    "service": ("minutes_before", "minutes_after", "monthly_staff_cost"),
    "development": ("days_saved", "cost_per_day", "cycles_per_year"),
    "marketing": ("conversion_uplift", "monthly_marketing_budget"),
    "acquisition": ("acquisition_cost_before", "acquisition_cost_after", "new_customers_per_year"),
}


class RoiArguments(Arguments):
    """The inputs of the benefits that are to be counted; leave out what does not apply."""

    horizon_months: Annotated[
        float, Field(gt=0, le=120, description="span that is counted, stated in the result")
    ] = 12
    churn_before: Annotated[
        float | None, Field(ge=0, le=1, description="yearly churn now; default: from the data")
    ] = None
    churn_after: Ranged = None
    lifetime_value: Annotated[Amount, Field(description="value of a customer; default: from the data")] = None
    customers: Annotated[Amount, Field(description="number of customers; default: from the data")] = None
    revenue: Annotated[Amount, Field(description="yearly revenue, instead of lifetime value x customers")] = (
        None
    )
    minutes_before: Annotated[Amount, Field(description="handling time of a case now, minutes")] = None
    minutes_after: Ranged = None
    monthly_staff_cost: Annotated[Amount, Field(description="monthly cost of all service staff")] = None
    days_saved: Ranged = None
    cost_per_day: Annotated[Amount, Field(description="opportunity cost of a day of development")] = None
    cycles_per_year: Annotated[Amount, Field(description="development cycles a year")] = None
    conversion_uplift: Ranged = None
    monthly_marketing_budget: Amount = None
    acquisition_cost_before: Annotated[Amount, Field(description="cost of winning a customer now")] = None
    acquisition_cost_after: Ranged = None
    new_customers_per_year: Amount = None
    plan_id: Annotated[
        str | None,
        Field(
            description="an action plan that was verified: only its proven effects are counted, no guesses"
        ),
    ] = None
    cost_per_complaint: Annotated[
        Amount, Field(description="with plan_id: what handling one complaint costs")
    ] = None
    initial_cost: Annotated[float, Field(ge=0, description="one-off cost of the measure or project")] = 0.0
    monthly_cost: Annotated[float, Field(ge=0, description="running cost a month")] = 0.0
    language: Annotated[Language, Field(description="language of caveats")] = "zh"


def estimate_roi(args: RoiArguments, context: ToolContext) -> ToolResult:
    """What an improvement is worth: benefits by source with formula and range, cost, net, ratio, payback.

    Use for "what is it worth", "return on investment". Counts only what inputs are given for: churn saved
    (reduction x lifetime value x customers, or x revenue), service time, development time, marketing,
    cost of acquisition. The horizon is always stated; a year's benefit is given beside it. Rates are shares
    (12% is 0.12). `basis` says whether the benefits are assumed or, with `plan_id`, what was verified.
    """
    verified = None if args.plan_id is None else _verified(args, args.plan_id, context)
    given, taken = _filled(args, context)
    try:
        benefits = _benefits(given, args.horizon_months) if verified is None else _proven(verified, args)
        if not benefits:
            raise Refusal("roi_nothing" if verified is None else "roi_none_proven", plan=args.plan_id)
        found = total_return(
            benefits, args.horizon_months, initial_cost=args.initial_cost, monthly_cost=args.monthly_cost
        )
    except InputError as error:
        raise ToolInputError(f"estimate_roi: {error.message}") from error
    everything = resolve(None, now=context.clock.now(), zone=context.zone, language=args.language)
    return answer(
        "estimate_roi",
        args,
        Chosen(Selection(), everything),
        n=len(benefits),
        data={
            "basis": "assumed" if verified is None else "verified",
            **_figures(found, args),
            "taken_from_data": taken,
            "verified_effects": [_effect_row(one) for one in verified or ()],
        },
        caveats=_doubts(args, given, taken),
        chart=_chart(found),
    )


def _verified(args: RoiArguments, plan_id: str, context: ToolContext) -> list[CountedEffect]:
    """The verified effects of a plan. Refused beside assumed benefits: the sum would be neither."""
    assumed = [name for names in _NEEDS.values() for name in names if getattr(args, name) is not None]
    if assumed:
        raise Refusal("roi_mixed", names=assumed)
    if args.cost_per_complaint is None:
        raise Refusal("roi_price")
    plan = stored_plan(plan_id, context, args.language)
    if plan.review is None:
        raise Refusal("roi_not_verified", plan=plan_id)
    return counted_effects(context.operations.effects(plan_id=plan_id))


def _proven(effects: list[CountedEffect], args: RoiArguments) -> list[Benefit]:
    assert args.cost_per_complaint is not None
    return [
        complaints_avoided(one.avoided, args.cost_per_complaint, args.horizon_months)
        for one in effects
        if one.avoided is not None
    ]


def _effect_row(one: CountedEffect) -> dict[str, Any]:
    effect, avoided = one.effect, one.avoided
    names = (
        "effect_id",
        "metric",
        "topic",
        "title",
        "effect",
        "ci_low",
        "ci_high",
        "verdict",
        "evidence_grade",
    )
    return {
        **{name: getattr(effect, name) for name in names},
        "counted": avoided is not None,
        "left": one.left,
        "complaints_avoided_a_year": None if avoided is None else _money(avoided),
    }


def _filled(args: RoiArguments, context: ToolContext) -> tuple[dict[str, Any], dict[str, float]]:
    """The inputs; churn, customers and lifetime value come from the data where needed and missing."""
    given = {name: getattr(args, name) for names in _NEEDS.values() for name in names}
    taken: dict[str, float] = {}
    if args.churn_after is None:
        return given, taken
    if args.revenue is not None and args.lifetime_value is not None:
        raise Refusal("roi_twice")
    wanted = ["churn_before"] if args.revenue is not None else ["churn_before", "lifetime_value", "customers"]
    for name in wanted:
        if given[name] is None and (value := _from_data(name, context)) is not None:
            given[name] = taken[name] = value
    return given, taken


def _from_data(name: str, context: ToolContext) -> float | None:
    if name == "churn_before":
        sums = pooled(context.facts.aggregate(Aggregate("churn_rate")))
        return sums.mean if sums.n else None
    customers = context.facts.customers()
    if name == "customers":
        return float(len(customers)) or None
    values = [one.lifetime_value for one in customers if one.lifetime_value is not None]
    return sum(values) / len(values) if values else None


def _benefits(given: dict[str, Any], months: float) -> list[Benefit]:
    """Every benefit whose inputs are complete. ToolInputError names what a begun one lacks."""
    makers: Mapping[str, Callable[..., Benefit]] = {
        "churn": churn_saved,
        "revenue_churn": revenue_kept,
        "service": service_saved,
        "development": development_saved,
        "marketing": marketing_gained,
        "acquisition": acquisition_saved,
    }
    found = []
    for name, needs in _NEEDS.items():
        if name == ("revenue_churn" if given["revenue"] is None else "churn"):
            continue
        values = [given[need] for need in needs]
        missing = [need for need, value in zip(needs, values, strict=True) if value is None]
        if not missing:
            found.append(makers[name](*(_ranged(n, v) for n, v in zip(needs, values, strict=True)), months))
        elif len(missing) < len(needs) and not (name == "churn" and given["churn_after"] is None):
            raise Refusal("roi_lacks", component=name, missing=missing)
    return found


_RANGED = frozenset(
    ("churn_after", "minutes_after", "days_saved", "conversion_uplift", "acquisition_cost_after")
)


def _ranged(name: str, value: Any) -> Any:
    if name not in _RANGED:
        return value
    if not isinstance(value, tuple):
        return exactly(value)
    low, expected, high = value
    if not low <= expected <= high:
        raise Refusal("roi_order", name=name)
    return Range(expected, low, high)


def _figures(found: Return, args: RoiArguments) -> dict[str, Any]:
    return {
        "horizon_months": found.months,
        "benefits": [
            {
                "component": one.component,
                "formula": one.formula,
                "annual": _money(one.annual),
                "horizon": _money(one.horizon),
            }
            for one in found.benefits
        ],
        "annual_benefit": _money(found.annual),
        "total_benefit": _money(found.total),
        "cost": round(found.cost, 2),
        "net": _money(found.net),
        "ratio": None if found.ratio is None else _money(found.ratio),
        "payback_months": None if found.payback_months is None else round(found.payback_months, 1),
        "usual_budget_split": budget_split(args.initial_cost, _BUDGET) if args.initial_cost else None,
    }


def _money(of: Range) -> dict[str, float]:
    return {"value": round(of.value, 2), "low": round(of.low, 2), "high": round(of.high, 2)}


def _doubts(args: RoiArguments, given: dict[str, Any], taken: dict[str, float]) -> list[str]:
    doubts = [caveat("roi_horizon", args.language, months=f"{args.horizon_months:g}")]
    if args.plan_id is not None:
        return [*doubts, caveat("roi_verified", args.language)]
    if not any(isinstance(given[name], tuple) for name in _RANGED):
        doubts.append(caveat("roi_no_range", args.language))
    if taken:
        doubts.append(caveat("roi_from_data", args.language, names=", ".join(taken)))
    if args.minutes_before is not None:
        doubts.append(caveat("roi_tickets", args.language))
    doubts.append(caveat("roi_pilot", args.language))
    return doubts


def _chart(found: Return) -> dict[str, Any]:
    names = [one.component for one in found.benefits]
    return {
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [*names, "cost", "net"]},
        "yAxis": {"type": "value"},
        "series": [
            {
                "type": "bar",
                "data": [
                    *(round(one.horizon.value, 2) for one in found.benefits),
                    round(-found.cost, 2),
                    round(found.net.value, 2),
                ],
            }
        ],
    }
