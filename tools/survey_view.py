"""Surveys as pages, the API and the command line show them: each with its message, and how many answer."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from analytics.estimates import Estimate, estimate, proportion
from analytics.sums import Sums
from retention.survey_answers import SCALES
from store.messages import MessageStatus
from store.surveys import Asked, SurveyKind, SurveyStore
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.measures import rounded

_PROMOTER, _DETRACTOR = 9, 6
_TIMES: Final = ("occasion_at", "asked_at", "answered_at")


def surveys_seen(
    surveys: SurveyStore, context: ToolContext, *, node: str | None = None, customer_id: str | None = None
) -> list[Asked]:
    """Those whose message the asker may see, newest first."""
    seen = {one.message_id for one in context.operations.messages(customer_id=customer_id)}
    found = surveys.surveys(node=node, customer_id=customer_id)
    return [one for one in found if one.survey.survey_id in seen]


def survey_row(asked: Asked, context: ToolContext) -> dict[str, Any]:
    """One survey; times in the configured zone."""
    times = {name: shown(getattr(asked.survey, name), context.zone) for name in _TIMES}
    return {**asked.survey.model_dump(mode="json"), **times, "status": asked.status.value}


def node_rows(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """By node: asked, sent, answered, the response rate (Wilson) and the score with its interval.

    The rate is over the surveys that were sent: an answer given to one on its way counts for it too.
    """
    by_node: dict[tuple[str, SurveyKind], list[Asked]] = defaultdict(list)
    for one in asked:
        by_node[one.survey.node, one.survey.kind].append(one)
    return [_row(node, kind, found) for (node, kind), found in sorted(by_node.items())]


def _row(node: str, kind: SurveyKind, asked: Sequence[Asked]) -> dict[str, Any]:
    answered = [one.survey for one in asked if one.survey.answered_at is not None]
    sent = sum(one.status is MessageStatus.SENT or one.survey.answered_at is not None for one in asked)
    scores = [one.score for one in answered if one.score is not None]
    return {
        "node": node,
        "kind": kind,
        "asked": len(asked),
        "sent": sent,
        "answered": len(answered),
        "response_rate": _figure(proportion(sent, len(answered))),
        "score": _figure(_scored(kind, scores)),
    }


def _scored(kind: SurveyKind, scores: Sequence[float]) -> Estimate:
    if kind == "nps":
        points = [1 if one >= _PROMOTER else -1 if one <= _DETRACTOR else 0 for one in scores]
        return estimate("nps", Sums(len(points), float(sum(points)), float(sum(x * x for x in points))))
    low, high = SCALES[kind]
    sums = Sums(len(scores), float(sum(scores)), float(sum(x * x for x in scores)))
    return estimate("mean", sums, scale=(float(low), float(high)))


def _figure(found: Estimate) -> dict[str, Any]:
    return {
        "value": rounded(found.value),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
        "n": found.n,
    }
