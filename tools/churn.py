"""Who is at risk of leaving, and why."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from analytics.churn_model import FittedChurn
from retention.churn import LearntChurn
from retention.churn_ranking import Ranking, rank_customers
from retention.policy import Policy
from retention.risk import Risk, gravity
from retention.wording import sentence
from store.customer_features import CustomerQuestion
from store.facts import Selection
from store.records import Tier
from tools.arguments import Language, SelectionArguments
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.customer_risk import as_of_caveat, feature_name, feedback_ids, moment, risk_row
from tools.pool_view import in_pool
from tools.results import ToolResult
from tools.selection import choose


class ChurnRiskArguments(SelectionArguments):
    """Whose risk is asked for."""

    customer_ids: Annotated[
        list[str],
        Field(
            default_factory=list,
            description="only these customers; empty: all that filters and period select",
        ),
    ]
    limit: Annotated[int, Field(ge=1, le=1000, description="how many customers to list")] = 20


def churn_risk(args: ChurnRiskArguments, context: ToolContext) -> ToolResult:
    """List customers likely to leave, the most at risk first.

    Use it for "who is about to churn", "high-risk customers", "health score of customer X". Gives health
    (0-100, below 60 is an alert), churn probability, alert tier (yellow, callback, orange, red) and reasons
    with points, dates and evidence. The probability is learnt from past outcomes where there are enough of
    them (`model` says how good it is), a rule on health otherwise. `pool` tells who is in the high-risk pool,
    since when and who cares for them. Filters and period choose which customers; each is judged on his whole
    history up to the end of the period. With `customer_ids` those are judged whether at risk or not.
    """
    chosen = choose(args, context)
    policy = context.policy
    at = moment(chosen.period, context)
    ids = list(dict.fromkeys(args.customer_ids)) or _customers_of(chosen.selection, context)
    learnt = context.churn.learnt(context.facts, at, now=context.clock.now(), policy=policy)
    ranking = rank_customers(context.facts, learnt, at, policy, ids)
    portfolio = ranking.portfolio if args.customer_ids else ranking.portfolio.staying()
    risky = [risk for risk in portfolio.risks if _at_risk(risk, ranking, policy)]
    page = (portfolio.risks if args.customer_ids else risky)[: args.limit]
    threshold = policy.health.threshold
    cared_for = in_pool([risk.customer_id for risk in page], args.language, context)
    data = {
        "customers": [
            {**risk_row(r, ranking, args.language, context), "pool": cared_for.get(r.customer_id)}
            for r in page
        ],
        "at_risk": len(risky),
        "assessed": len(portfolio.risks),
        "screened": ranking.screened,
        "below_threshold": sum(r.health.health < threshold for r in portfolio.risks),
        "threshold": threshold,
        "by_tier": {tier.value: sum(r.tier is tier for r in portfolio.risks) for tier in Tier},
        "left": len(portfolio.left),
        "as_of": shown(at, context.zone),
        "model": _model(learnt, context),
    }
    return ToolResult(
        tool="churn_risk",
        args=args.model_dump(mode="json", by_alias=True, exclude_none=True),
        period=chosen.period.result(),
        filters=chosen.filters,
        n=portfolio.items,
        data=data,
        evidence=feedback_ids(page, context),
        caveats=_caveats(args, ranking, page, context),
        chart=_chart(page),
    )


def _customers_of(selection: Selection, context: ToolContext) -> list[str] | None:
    """Ids of the customers with an item in the selection; None where nothing narrows it."""
    if selection == Selection():
        return None
    return context.facts.customer_features(CustomerQuestion((), selection=selection)).ids


def _at_risk(risk: Risk, ranking: Ranking, policy: Policy) -> bool:
    """By the rules (a yellow alert alone is a message, not a customer about to leave), or by the model."""
    if risk.health.health < policy.health.threshold or gravity(risk.tier) > gravity(Tier.YELLOW):
        return True
    fitted, verdict = ranking.learnt.in_use, ranking.verdicts.get(risk.customer_id)
    if fitted is None or verdict is None:
        return False
    return verdict.probability >= policy.churn.at_risk_lift * fitted.left / fitted.n


def _model(learnt: LearntChurn, context: ToolContext) -> dict[str, Any]:
    """What the probability rests on; the figures of a trained model are those on rows it never saw."""
    fitted, beside = learnt.fitted, learnt.beside
    told: dict[str, Any] = {
        "kind": "trained" if learnt.in_use else "rules",
        "reason": learnt.refusal,
        "horizon_days": learnt.horizon_days or None,
        "outcomes_until": shown(learnt.known_until, context.zone),
    }
    if fitted is None or beside is None:
        return told
    return {**told, **_quality(fitted, context.zone, learnt)}


def _quality(fitted: FittedChurn, zone: Any, learnt: LearntChurn) -> dict[str, Any]:
    judged, beside = fitted.judged, learnt.beside
    assert beside is not None
    return {
        "auc": _rounded(judged.auc.value),
        "auc_low": _rounded(judged.auc.ci_low),
        "auc_high": _rounded(judged.auc.ci_high),
        "rules_auc": _rounded(beside.rules.value),
        "auc_gain": _rounded(beside.difference.value),
        "auc_gain_low": _rounded(beside.difference.ci_low),
        "auc_gain_high": _rounded(beside.difference.ci_high),
        "brier": _rounded(judged.brier),
        "brier_same_for_all": _rounded(judged.brier_same),
        "ece": _rounded(judged.ece),
        "held_out": judged.n,
        "held_out_left": judged.left,
        "n": fitted.n,
        "events": fitted.left,
        "cutoffs": [shown(cutoff, zone) for cutoff in learnt.cutoffs],
        "share_of_customers": _rounded(learnt.share),
        "suspected_leaks": list(fitted.suspected),
        "learnt_at": shown(learnt.learnt_at, zone),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _caveats(
    args: ChurnRiskArguments, ranking: Ranking, page: Sequence[Risk], context: ToolContext
) -> list[str]:
    language, portfolio = args.language, ranking.portfolio
    found = []
    if not portfolio.risks and not portfolio.items and not args.customer_ids:
        found.append(sentence("caveats", "no_customer_ids", language))
    elif not page:
        found.append(sentence("caveats", "none_at_risk", language))
    if portfolio.unknown and args.customer_ids:
        found.append(sentence("caveats", "unknown", language, ids=", ".join(portfolio.unknown[:10])))
    if portfolio.left and not args.customer_ids:
        found.append(sentence("caveats", "left", language, n=len(portfolio.left)))
    if ranking.screened is not None:
        by = "screened_model" if ranking.learnt.in_use else "screened_rules"
        found.append(sentence("caveats", by, language, n=ranking.screened, assessed=len(portfolio.risks)))
    least = context.policy.triggers.minimum_items
    thin = sum(r.health.items < least for r in page)
    if thin:
        found.append(sentence("caveats", "thin", language, n=thin, least=least))
    found += as_of_caveat(portfolio.at, language, context)
    return [*found, *model_caveats(ranking.learnt, language)]


def model_caveats(learnt: LearntChurn, language: Language) -> list[str]:
    """Where the probability comes from, and why not from outcomes where it does not."""
    fitted = learnt.in_use
    if fitted is None:
        reason = sentence("refusals", learnt.refusal or "no_outcomes", language)
        return [sentence("caveats", "rule", language), reason]
    judged = fitted.judged
    found = [
        sentence(
            "caveats",
            "trained",
            language,
            days=learnt.horizon_days,
            n=fitted.n,
            left=fitted.left,
            auc=f"{judged.auc.value or 0:.2f}",
        )
    ]
    if fitted.suspected:
        separator = "、" if language == "zh" else ", "
        names = separator.join(feature_name(name, language) for name in fitted.suspected)
        found.append(sentence("caveats", "suspected", language, features=names))
    return found


def _chart(page: Sequence[Risk]) -> dict[str, Any] | None:
    if not page:
        return None
    return {
        "xAxis": {"type": "value", "min": 0, "max": 100},
        "yAxis": {"type": "category", "inverse": True, "data": [r.customer_id for r in page]},
        "series": [{"type": "bar", "name": "health", "data": [r.health.health for r in page]}],
    }
