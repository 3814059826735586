"""Which customers are asked what after which occasion, and how often; the section `surveys` of the policy."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention.policy_segments import Values
from retention.survey_questions import check_question
from retention.wording import Language
from store.records import Tier
from store.surveys import SurveyKind

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\s|=]+$")]
Ended = Literal["renewed", "repurchased", "refunded"]
Words = Annotated[str, Field(min_length=1, max_length=300)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Occasions(_Part):
    """What a survey follows: something said (dimensions of feedback, all of which hold), done, or an outcome.

    Exactly one of them. `said` takes what is written within one conversation for one occasion, its last turn.
    """

    said: Mapping[str, Values] | None = None
    did: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    outcome: Annotated[tuple[Ended, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Occasions":
        if sum(one is not None for one in (self.said, self.did, self.outcome)) != 1:
            raise ValueError("give one of said, did and outcome")
        if self.said is not None and not self.said:
            raise ValueError("said: name at least one dimension, such as channel")
        return self


class SurveyNode(_Part):
    """One point of the customer's way at which is asked. `share` of the occasions, drawn by lot.

    `wait_hours` after the occasion; `about` says what it was, in both languages; `question` is the company's
    own instead of the standard one of its kind. A question that leads is an error, with a better one.
    """

    name: Name
    kind: SurveyKind
    after: Occasions
    wait_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 2
    share: Annotated[float, Field(ge=0, le=1)] = 1
    about: Mapping[Language, Words]
    question: Mapping[Language, Words] | None = None

    @model_validator(mode="after")
    def _both_languages_and_fair(self) -> "SurveyNode":
        for name, texts in (("about", self.about), ("question", self.question)):
            if texts is not None and len(texts) < 2:
                raise ValueError(f"{name}: give zh and en")
        for language, text in (self.question or {}).items():
            found = check_question(text, language)
            if not found.fair:
                why, better = found.leads[0].why, " / ".join(found.better)
                raise ValueError(f"question.{language} leads: {why}. Better: {better}")
        return self


class Fatigue(_Part):
    """At most one survey to a customer within `days`, and `most_a_year` within 365 days, of any node."""

    days: Annotated[int, Field(ge=1, le=3650)] = 90
    most_a_year: Annotated[int, Field(ge=1)] = 4


class SurveyRules(_Part):
    """Nothing is asked while it is not `active`.

    `valid_hours`: an occasion that could not be asked about for so long is let go, and a survey not sent by
    then is not sent any more. With an open alert of `skip_tiers` a person is on it: nothing is asked.
    """

    active: bool = False
    nodes: tuple[SurveyNode, ...] = ()
    fatigue: Fatigue = Fatigue()
    most_a_day: Annotated[int, Field(ge=0)] = 200
    valid_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 72
    skip_tiers: tuple[Tier, ...] = (Tier.RED, Tier.ORANGE, Tier.CALLBACK)

    @model_validator(mode="after")
    def _each_once(self) -> "SurveyRules":
        names = [node.name for node in self.nodes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"nodes: two are called {', '.join(twice)}")
        return self
