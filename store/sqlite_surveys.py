"""Surveys on SQLite, in the file of the operation store."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.errors import ToolInputError
from store.message_models import MessageRow
from store.messages import MessageStatus
from store.sqlite_audit import append
from store.sqlite_rows import record_of, values_of
from store.sqlite_writer import SqliteWriter
from store.survey_models import SurveyRow
from store.surveys import Asked, Choose, Survey, SurveyBoard, SurveyDraft

_DAY: Final = timedelta(days=1)
# The customer never saw these.
_STOPPED: Final = tuple(
    one.value for one in (MessageStatus.CANCELLED, MessageStatus.REJECTED, MessageStatus.FAILED)
)
# Values in one statement: SQLite takes 32,766 at most.
_AT_ONCE: Final = 5000


class SqliteSurveys(SqliteWriter):
    """A SurveyStore. Errors as SqliteFile."""

    def ask(
        self, drafts: Sequence[SurveyDraft], choose: Choose, *, now: datetime, actor: str
    ) -> list[Survey]:
        """Let `choose` see what was asked, and ask what it returns; see `SurveyStore`."""
        if not drafts:
            return []
        with self._file.writing() as session:
            board = _board(session, drafts, now)
            chosen = [one for one in choose(board) if one.survey.survey_id not in board.known]
            for survey, message in chosen:
                session.add(SurveyRow(**values_of(survey)))
                session.add(MessageRow(**values_of(message)))
            told = [
                self._entry(
                    "survey.ask",
                    survey.survey_id,
                    actor,
                    {"node": survey.node, "customer_id": survey.customer_id},
                )
                for survey, _ in chosen
            ]
            append(session, told)
            return [survey for survey, _ in chosen]

    def answer(
        self, survey_id: str, *, answer_id: str, score: float | None, at: datetime, actor: str
    ) -> Survey:
        """Keep that a survey was answered; the first answer stays."""
        with self._file.writing() as session:
            row = session.get(SurveyRow, survey_id)
            if row is None:
                raise ToolInputError(f"no survey {survey_id!r}", hint="voiceloop surveys list")
            if row.answered_at is None:
                row.answered_at, row.answer_id, row.score = at, answer_id, score
                self._tell(session, "survey.answer", survey_id, actor, {"answer_id": answer_id})
            return record_of(Survey, row)

    def survey(self, survey_id: str) -> Survey | None:
        """The survey of that id."""
        with self._file.reading() as session:
            row = session.get(SurveyRow, survey_id)
            return None if row is None else record_of(Survey, row)

    def surveys(self, *, node: str | None = None, customer_id: str | None = None) -> list[Asked]:
        """List surveys, newest first."""
        query = select(SurveyRow, MessageRow.status).join(
            MessageRow, MessageRow.message_id == SurveyRow.survey_id
        )
        if node is not None:
            query = query.where(SurveyRow.node == node)
        if customer_id is not None:
            query = query.where(SurveyRow.customer_id == customer_id)
        with self._file.reading() as session:
            rows = session.execute(query.order_by(SurveyRow.asked_at.desc(), SurveyRow.survey_id))
            return [Asked(record_of(Survey, row), MessageStatus(status)) for row, status in rows]


def _board(session: Session, drafts: Sequence[SurveyDraft], now: datetime) -> SurveyBoard:
    reached = select(SurveyRow).join(MessageRow, MessageRow.message_id == SurveyRow.survey_id)
    reached = reached.where(MessageRow.status.not_in(_STOPPED))
    asked: dict[str, list[Survey]] = defaultdict(list)
    known: set[str] = set()
    customers = sorted({draft.survey.customer_id for draft in drafts})
    ids = [draft.survey.survey_id for draft in drafts]
    for first in range(0, len(customers), _AT_ONCE):
        part = customers[first : first + _AT_ONCE]
        for row in session.scalars(reached.where(SurveyRow.customer_id.in_(part))):
            asked[row.customer_id].append(record_of(Survey, row))
    for first in range(0, len(ids), _AT_ONCE):
        part = ids[first : first + _AT_ONCE]
        known |= set(session.scalars(select(SurveyRow.survey_id).where(SurveyRow.survey_id.in_(part))))
    counted = reached.where(SurveyRow.asked_at > now - _DAY).with_only_columns(func.count())
    return SurveyBoard(asked, session.scalars(counted).one(), frozenset(known))
