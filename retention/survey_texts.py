"""What a survey says to a customer, in both languages, from `survey_texts.yaml`."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention.policy_surveys import SurveyNode
from retention.settings_file import read_as
from retention.survey_questions import check_question
from retention.templates import Template
from retention.wording import LANGUAGES, Language
from store.surveys import SurveyKind

_FILE: Final = Path(__file__).with_name("survey_texts.yaml")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Text(_Part):
    variables: Annotated[tuple[str, ...], Field(min_length=1)]
    text: Template

    @model_validator(mode="after")
    def _fits(self) -> "_Text":
        if wrong := self.text.mistakes(self.variables):
            raise ValueError("; ".join(wrong))
        return self


class SurveyTexts(_Part):
    """The whole file; a standard question that leads is an error."""

    title: _Text
    message: _Text
    answer: Mapping[Literal["reply", "link"], Template]
    questions: Mapping[SurveyKind, Template]

    @model_validator(mode="after")
    def _fair(self) -> "SurveyTexts":
        for kind, question in self.questions.items():
            for language in LANGUAGES:
                if not check_question(question.filled(language, {}), language).fair:
                    raise ValueError(f"questions.{kind}.{language} leads")
        return self


@lru_cache(maxsize=1)
def load_survey_texts() -> SurveyTexts:
    """Read the file. Raises ConfigError for a wrong one."""
    return read_as(SurveyTexts, _FILE)


def survey_title(node: SurveyNode, language: Language) -> str:
    """What heads the message."""
    return load_survey_texts().title.text.filled(language, {"about": node.about[language]})


def survey_text(node: SurveyNode, day: date, address: str | None, language: Language) -> str:
    """The message: what it is about, the question, and how to answer (`address`: where, else by reply)."""
    book = load_survey_texts()
    standard = book.questions[node.kind].filled(language, {})
    question = node.question[language] if node.question else standard
    how = book.answer["link"] if address else book.answer["reply"]
    values = {
        "day": day.isoformat(),
        "about": node.about[language],
        "question": question,
        "answer": how.filled(language, {"address": address} if address else {}),
    }
    return book.message.text.filled(language, values)
