"""One customer's risk as results show it: health with its parts, probability, tier, causes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from retention.churn_ranking import Ranking, Verdict
from retention.portfolio import moment_of
from retention.risk import Risk, reasons
from retention.wording import name_of, sentence
from tools.arguments import Language
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.periods import ResolvedPeriod

EVIDENCE: Final = 50
# A feature that moves the log-odds by less than this is no reason; at most so many are told.
_TELLING = 0.1
_MODEL_REASONS = 5


def risk_row(risk: Risk, ranking: Ranking, language: Language, context: ToolContext) -> dict[str, Any]:
    """Health and its parts by the rules; the probability by the model where there is one."""
    verdict = ranking.verdicts.get(risk.customer_id)
    return {
        "customer_id": risk.customer_id,
        "health": risk.health.health,
        "probability": ranking.probability(risk),
        "probability_by": "model" if verdict else "rules",
        "tier": risk.tier.value if risk.tier else None,
        "base": risk.health.base,
        "reasons": reasons(risk.health, language, context.zone),
        "model_reasons": model_reasons(verdict, language) if verdict else [],
        "triggers": [
            {
                "tier": t.tier.value,
                "cause": t.cause,
                "text": name_of("signals", t.cause, language),
                "at": shown(t.at, context.zone),
                "evidence": list(t.evidence),
            }
            for t in risk.triggers
        ],
        "items": risk.health.items,
        "loyal": risk.health.loyal,
        "evidence": list(risk.evidence[:EVIDENCE]),
    }


def model_reasons(verdict: Verdict, language: Language) -> list[dict[str, Any]]:
    """What moves the model's log-odds most, against a customer with mean figures."""
    parts = sorted(verdict.contributions.items(), key=lambda part: (-abs(part[1]), part[0]))
    return [
        {
            "feature": name,
            "log_odds": value,
            "text": sentence(
                "model_reasons",
                "raises" if value > 0 else "lowers",
                language,
                feature=feature_name(name, language),
            ),
        }
        for name, value in parts[:_MODEL_REASONS]
        if abs(value) >= _TELLING
    ]


def feature_name(name: str, language: Language) -> str:
    """A feature in words; signals in words and in deeds have names of their own."""
    kind, _, signal = name.partition(":")
    if not signal:
        return name_of("features", name, language)
    return sentence("features_of", kind, language, signal=name_of("signals", signal, language))


def moment(period: ResolvedPeriod | None, context: ToolContext) -> datetime:
    """When customers are judged: the end of a period that is over, else as late as the data reaches."""
    now = context.clock.now()
    if period is not None and period.window.end is not None and period.window.end <= now:
        return period.window.end - timedelta(microseconds=1)
    return moment_of(context.facts.catalogue().last_at, now)


def as_of_caveat(at: datetime, language: Language, context: ToolContext) -> list[str]:
    """Said where the judgement is of another day."""
    if at >= context.clock.now() - timedelta(days=1):
        return []
    return [sentence("caveats", "as_of", language, date=at.astimezone(context.zone).date().isoformat())]


def feedback_ids(risks: Sequence[Risk], context: ToolContext) -> list[str]:
    """The feedback among the evidence, in its order; ids of behaviour events are left out."""
    ids = list(dict.fromkeys(i for risk in risks for i in risk.evidence))
    stored = context.facts.existing_ids(ids)
    return [i for i in ids if i in stored][:EVIDENCE]
