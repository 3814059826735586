"""Surveys: who was asked what, answers coming back, and whether a question leads."""

import asyncio
from concurrent.futures import Future
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from pipeline.items import drafts_of
from retention.survey_answers import answer_id_of, answer_item
from retention.survey_questions import check_question
from server.api_access import Caller, CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import Busy, NotFound, problems
from server.api_state import ServerState, StateNow
from server.ingest_promises import Outcomes
from store.errors import NotPermitted, ToolInputError
from store.facts import Find
from store.messages import MessageStatus
from store.surveys import Survey, SurveyKind
from tools.survey_view import node_rows, survey_row, surveys_seen

router = APIRouter(prefix="/v1/surveys", tags=["tasks"])
_PATIENCE_S: Final = 120.0
SurveyId = Annotated[str, Path(min_length=1, max_length=100, examples=["survey-0f1e2d3c4b5a6978"])]


class QuestionBody(BaseModel):
    """One survey question; its language is told from its characters where it is not given."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "您是否喜欢我们的产品？"}]}
    )

    question: Annotated[str, Field(min_length=1, max_length=500)]
    language: Literal["zh", "en"] | None = None


class LeadView(BaseModel):
    """One thing that leads: the rule, the words that show it, why they do."""

    rule: str = Field(examples=["one_sided"])
    words: str
    why: str


class QuestionView(BaseModel):
    """What was found; `better` holds fair questions to ask instead."""

    question: str
    language: Literal["zh", "en"]
    fair: bool
    leads: list[LeadView]
    better: list[str] = Field(examples=[["哪些功能让您愿意推荐我们？"]])


class FigureView(BaseModel):
    """A figure with its 95% interval; null where the sample gives none."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int


class NodeView(BaseModel):
    """How surveys of one node do. The response rate is over those sent."""

    node: str = Field(examples=["after_service"])
    kind: SurveyKind
    asked: int
    sent: int
    answered: int
    response_rate: FigureView
    score: FigureView


class SurveyView(BaseModel):
    """One survey; `occasion` is the feedback, event or outcome it is about. Times in the configured zone."""

    survey_id: str = Field(examples=["survey-0f1e2d3c4b5a6978"])
    node: str = Field(examples=["after_service"])
    kind: SurveyKind
    customer_id: str = Field(examples=["c001"])
    occasion: str
    occasion_at: datetime
    about: dict[str, str] = Field(description="what the answer shares with the occasion")
    asked_at: datetime
    answered_at: datetime | None
    answer_id: str | None = Field(description="the feedback that answers it")
    score: float | None
    status: MessageStatus = Field(description="of the message that asks; GET /v1/messages/{survey_id}")


class Surveys(BaseModel):
    """Newest first; `nodes` over all that the caller may see."""

    surveys: list[SurveyView]
    nodes: list[NodeView]
    next_cursor: str | None


class AnswerBody(BaseModel):
    """What a customer answered: a score on the scale of the survey's kind, words, or both."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"score": 4, "text": "解决了，就是等得久"}]}
    )

    score: Annotated[int, Field(ge=0, le=10)] | None = None
    text: Annotated[str, Field(max_length=20_000)] = ""


class AnswerView(BaseModel):
    """`new`: this answer was the first. The feedback is masked and labelled like any other."""

    survey_id: str
    answer_id: str
    new: bool


@router.get("", operation_id="list_surveys", summary="List surveys", responses=problems(400, 401, 403, 503))
def list_surveys(
    caller: CallerNow,
    state: StateNow,
    node: Annotated[str | None, Query(max_length=60, description="only of this node of the policy")] = None,
    customer_id: Annotated[str | None, Query(max_length=200, description="only this customer's")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Surveys:
    """Who was asked what after which occasion, what came back, and how many answer at each node."""
    context = state.app.context(caller.asker)
    every = surveys_seen(state.app.surveys, context, node=node, customer_id=customer_id)
    found, following = page(every, limit, cursor)
    record(state, caller, "survey.list", "surveys", n=len(found))
    return Surveys(
        surveys=[SurveyView.model_validate(survey_row(one, context)) for one in found],
        nodes=[NodeView.model_validate(one) for one in node_rows(every)],
        next_cursor=following,
    )


@router.post(
    "/check",
    operation_id="check_survey_question",
    summary="Check a survey question",
    responses=problems(400, 401, 403),
)
def check(body: QuestionBody, caller: CallerNow) -> QuestionView:
    """Whether it leads, why, and how to ask it better. Nothing is kept."""
    found = check_question(body.question, body.language)
    return QuestionView(
        question=found.question,
        language=found.language,
        fair=found.fair,
        leads=[LeadView(rule=one.rule, words=one.words, why=one.why) for one in found.leads],
        better=list(found.better),
    )


@router.post(
    "/{survey_id}/answer",
    operation_id="answer_survey",
    summary="Bring in the answer to a survey",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 404, 429, 503, 507),
)
async def answer(survey_id: SurveyId, body: AnswerBody, caller: CallerNow, state: StateNow) -> AnswerView:
    """From the company's form or gateway; stored as feedback with the region, product ... of the occasion.

    Safe to repeat: a survey has one answer, the first.
    """
    known, stored = await run_in_threadpool(_queued, survey_id, body, caller, state)
    if stored is not None:
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(stored)), _PATIENCE_S)
        except TimeoutError:
            raise Busy(
                f"the answer is not on the disk after {_PATIENCE_S:g} seconds",
                retry_after_s=_PATIENCE_S,
                hint="it may be stored yet: send it again, nothing is stored twice",
            ) from None
    return await run_in_threadpool(_answered, known, caller, state)


def _queued(
    survey_id: str, body: AnswerBody, caller: Caller, state: ServerState
) -> tuple[Survey, "Future[Outcomes] | None"]:
    """The survey, and its answer on the way to the disk; None where it has one."""
    app = state.app
    if caller.asker.scope:
        raise NotPermitted("not permitted: answers come in by a key without a scope")
    found = app.surveys.survey(survey_id)
    if found is None:
        raise NotFound(f"there is no survey {survey_id!r}")
    if found.answered_at is not None:
        return found, None
    now = app.clock.now()
    item = answer_item(found, score=body.score, text=body.text, at=now)
    (draft,) = drafts_of([item], zone=app.settings.zone, now=now)
    if isinstance(draft, str):
        raise ToolInputError(draft)
    return found, state.ingest.put([draft])


def _answered(known: Survey, caller: Caller, state: ServerState) -> AnswerView:
    """Keep the answer that was stored: of two that came at once only the first is."""
    if known.answer_id is not None:
        return AnswerView(survey_id=known.survey_id, answer_id=known.answer_id, new=False)
    app = state.app
    (item,) = app.facts.find(Find(feedback_ids=(answer_id_of(known),), limit=1))
    said = item.feedback
    kept = app.surveys.answer(
        known.survey_id,
        answer_id=said.feedback_id,
        score=getattr(said, known.kind),
        at=said.occurred_at or app.clock.now(),
        actor=caller.asker.user,
    )
    return AnswerView(survey_id=kept.survey_id, answer_id=said.feedback_id, new=True)
