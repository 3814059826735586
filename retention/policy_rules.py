"""A company's own rules: what a ticket says, and who is told; the section `rules` of the policy."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from retention.policy_segments import Text, Values
from retention.settings_file import read_as
from store.records import Tier

CAUSE: Final = "rule/"
_WORDS_FILE: Final = Path(__file__).with_name("rule_words.yaml")
_CHOICES: Final = ("channel", "priority", "sentiment", "intent")


class Bound(BaseModel):
    """A score from `at_least` to `at_most`, both included; one of them at least."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one(self) -> "Bound":
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        return self

    def holds(self, value: float) -> bool:
        """Whether the score lies within."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


class RuleWhen(BaseModel):
    """What one item must be: all of what is given holds, each with any one of its values.

    `contains` looks for words in the text, whatever their case, `without` rules texts out. `where` takes any
    column of the company's own data. Words such as 高 or high are read by `rule_words.yaml`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    contains: Values = ()
    without: Values = ()
    channel: Values = ()
    priority: Values = ()
    sentiment: Values = ()
    intent: Values = ()
    topic: Values = ()
    risk: Values = ()
    scores: dict[Text, Bound] = Field(default_factory=dict)
    where: dict[Text, Values] = Field(default_factory=dict)

    @field_validator(*_CHOICES)
    @classmethod
    def _by_its_own_name(cls, values: tuple[str, ...], info: Any) -> tuple[str, ...]:
        known = _words()[info.field_name]
        unknown = [value for value in values if value.strip().lower() not in known]
        if unknown:
            names = ", ".join(sorted(set(known.values())))
            raise ValueError(f"{', '.join(unknown)} is none of {names}")
        return tuple(dict.fromkeys(known[value.strip().lower()] for value in values))

    @model_validator(mode="after")
    def _something(self) -> "RuleWhen":
        given = self.model_dump(exclude={"without"}, exclude_defaults=True)
        if not given:
            raise ValueError("it would hold of everything: say what an item contains or is")
        if len({"/" in topic for topic in self.topic}) > 1:
            raise ValueError("topic: name areas or topics, not both")
        return self

    def filters(self) -> dict[str, tuple[str, ...]]:
        """What a database can select by, by dimension."""
        named = {name: getattr(self, name) for name in (*_CHOICES, "risk")}
        named["topic" if any("/" in one for one in self.topic) else "topic_area"] = self.topic
        return {**self.where, **{name: values for name, values in named.items() if values}}

    def allows(self, text: str, scores: Mapping[str, float]) -> bool:
        """Whether the rest holds of an item that the database has selected."""
        said = text.casefold()
        if any(word.casefold() in said for word in self.without):
            return False
        return all(name in scores and bound.holds(scores[name]) for name, bound in self.scores.items())


class CompanyRule(BaseModel):
    """When an item of a customer is like this, an alert of that tier is raised, and these targets are told.

    `tell` names targets of notify.yaml; they are told whatever tiers and roles they ask for otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)]
    when: RuleWhen
    tier: Tier = Tier.CALLBACK
    tell: Values = ()

    @property
    def cause(self) -> str:
        """What an alert calls it among its causes."""
        return CAUSE + self.name


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    """Value by word, lower case, for each choice."""
    content = read_as(dict[str, dict[str, tuple[str, ...]]], _WORDS_FILE)
    return {
        choice: {word.lower(): value for value, words in values.items() for word in (value, *words)}
        for choice, values in content.items()
    }
