"""Surveys: who was asked what after which occasion, and what came back."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import AwareDatetime, Field, FiniteFloat

from store.messages import Message, MessageStatus
from store.record import Record

SurveyKind = Literal["nps", "csat", "ces"]


class Survey(Record):
    """One question to one customer about one occasion. `survey_id` is that of the message that asks it.

    `occasion` is the id of the feedback, event or outcome it follows, `about` the dimensions that the
    answer shares with it (region, product, org_unit ...). `answer_id` is the feedback that answers it.
    """

    survey_id: str
    node: str
    kind: SurveyKind
    customer_id: str
    occasion: str
    occasion_at: AwareDatetime
    about: dict[str, str] = Field(default_factory=dict)
    asked_at: AwareDatetime
    answered_at: AwareDatetime | None = None
    answer_id: str | None = None
    score: Annotated[FiniteFloat, Field(ge=0, le=10)] | None = None


class Asked(NamedTuple):
    """A survey and where its message stands."""

    survey: Survey
    status: MessageStatus


class SurveyBoard(NamedTuple):
    """What one must know to ask: surveys of these customers that were not stopped, and of all in 24 hours.

    `known` are the ids among those proposed that were asked before, whatever became of them.
    """

    asked: Mapping[str, Sequence[Survey]]
    last_day: int
    known: frozenset[str]


class SurveyDraft(NamedTuple):
    """A survey to be asked by a message."""

    survey: Survey
    message: Message


Choose = Callable[[SurveyBoard], Sequence[SurveyDraft]]


class SurveyStore(Protocol):
    """Surveys and their messages. Every write is one durable transaction, and audited."""

    def ask(
        self, drafts: Sequence[SurveyDraft], choose: Choose, *, now: datetime, actor: str
    ) -> list[Survey]:
        """Let `choose` see what was asked of the customers of the drafts, and ask what it returns.

        Nobody writes in between, and `choose` must be quick and ask no store: the write lock is held. What
        was asked before is not asked again.
        """
        ...

    def answer(
        self, survey_id: str, *, answer_id: str, score: float | None, at: datetime, actor: str
    ) -> Survey:
        """Keep that a survey was answered; the first answer stays. ToolInputError for an unknown id."""
        ...

    def survey(self, survey_id: str) -> Survey | None:
        """The survey of that id."""
        ...

    def surveys(self, *, node: str | None = None, customer_id: str | None = None) -> list[Asked]:
        """List surveys, newest first."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
