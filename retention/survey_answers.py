"""Answers to surveys: feedback tied to the occasion it is about, however it came back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from store.errors import ToolInputError
from store.facts import FactStore, Find, Selection
from store.surveys import Survey, SurveyKind, SurveyStore

ACTOR: Final = "surveys"
# Columns of an answer: which survey, at which node, about which feedback or event.
SURVEY_ID: Final = "survey_id"
NODE: Final = "survey_node"
OCCASION: Final = "survey_occasion"
SCALES: Final[Mapping[SurveyKind, tuple[int, int]]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_AT_ONCE: Final = 500


def answer_item(survey: Survey, *, score: int | None, text: str, at: datetime) -> dict[str, Any]:
    """The answer as an item of feedback (`FeedbackItem`), with what it shares with its occasion.

    Its id is the survey's, so that the same answer sent twice is stored once. Raises ToolInputError for a
    score beyond the scale of its kind, and where there is neither a score nor a word.
    """
    low, high = SCALES[survey.kind]
    if score is not None and not low <= score <= high:
        raise ToolInputError(f"{survey.kind}: {score} is not within {low} to {high}")
    if score is None and not text.strip():
        raise ToolInputError("an answer has a score or words", hint=f"score: {low} to {high}")
    item: dict[str, Any] = {
        "feedback_id": answer_id_of(survey),
        "source": "survey",
        "channel": "survey",
        "occurred_at": at.isoformat(),
        "customer_id": survey.customer_id,
        "text": text,
        **survey.about,
        "attributes": {SURVEY_ID: survey.survey_id, NODE: survey.node, OCCASION: survey.occasion},
    }
    return item if score is None else {**item, survey.kind: score}


def answer_id_of(survey: Survey) -> str:
    """The id of the feedback that answers a survey."""
    return f"{survey.survey_id}-answer"


def settle_answers(facts: FactStore, surveys: SurveyStore) -> int:
    """Mark surveys as answered whose answer came as feedback with the column `survey_id`; how many."""
    if SURVEY_ID not in facts.catalogue().dimensions:
        return 0
    waiting = [one.survey for one in surveys.surveys() if one.survey.answered_at is None]
    return sum(
        _settle(waiting[first : first + _AT_ONCE], facts, surveys)
        for first in range(0, len(waiting), _AT_ONCE)
    )


def _settle(waiting: Sequence[Survey], facts: FactStore, surveys: SurveyStore) -> int:
    by_id = {survey.survey_id: survey for survey in waiting}
    found = facts.find(
        Find(Selection(filters={SURVEY_ID: tuple(by_id)}), order="oldest", limit=10 * _AT_ONCE)
    )
    first: dict[str, Any] = {}
    for item in found:
        first.setdefault(item.feedback.attributes[SURVEY_ID], item.feedback)
    for survey_id, said in first.items():
        surveys.answer(
            survey_id,
            answer_id=said.feedback_id,
            score=getattr(said, by_id[survey_id].kind),
            at=said.occurred_at or by_id[survey_id].asked_at,
            actor=ACTOR,
        )
    return len(first)
