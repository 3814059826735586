"""The table of surveys."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Model


class SurveyRow(Model):
    """One survey of one customer."""

    __tablename__ = "survey"
    __table_args__ = (Index("survey_by_customer", "customer_id"), Index("survey_by_time", "asked_at"))

    survey_id: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    kind: Mapped[str]
    customer_id: Mapped[str]
    occasion: Mapped[str]
    occasion_at: Mapped[datetime]
    about: Mapped[dict[str, str]]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_id: Mapped[str | None]
    score: Mapped[float | None]
