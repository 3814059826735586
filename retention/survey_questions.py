"""Whether a survey question leads, why, and how to ask it better; the rules are in `survey_rules.yaml`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from retention.settings_file import read_as
from retention.wording import Language
from store.errors import ToolInputError

_FILE: Final = Path(__file__).with_name("survey_rules.yaml")
_MOST_CHARACTERS: Final = 500
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_OPTIONS: Final = "options"
_DOUBLE: Final = "double"
# So many answers more for one side than for the other lean.
_LEANING: Final = 2
# A question that is about none of the named things is asked anew by how satisfied the customer is.
_OTHERWISE: Final = "satisfaction"
Topic = Literal["recommend", "effort", "amount", "satisfaction"]


def _readable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_readable)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeadingRule(_Part):
    """One way to lead. `patterns` show it, unless one of `unless` makes up for it; `why` tells a person."""

    why: str
    patterns: tuple[Pattern, ...] = ()
    unless: tuple[Pattern, ...] = ()


class QuestionRules(_Part):
    """The rules of one language, and what a better wording is made of."""

    rules: Mapping[str, LeadingRule]
    parted: Pattern
    good: frozenset[str]
    bad: frozenset[str]
    subjects: tuple[str, ...]
    anything: str
    topics: Mapping[Topic, Pattern]
    better: Mapping[Topic, tuple[str, ...]]

    @model_validator(mode="after")
    def _whole(self) -> "QuestionRules":
        if missing := sorted({*self.topics, _OTHERWISE} - set(self.better)):
            raise ValueError(f"better: {', '.join(missing)} is missing")
        return self


@dataclass(frozen=True)
class Lead:
    """One thing that leads: the name of the rule, the words that show it, and why they do."""

    rule: str
    words: str
    why: str


@dataclass(frozen=True)
class QuestionCheck:
    """What was found of a question. `better`: fair questions to ask instead; none where it is fair."""

    question: str
    language: Language
    leads: tuple[Lead, ...]
    better: tuple[str, ...]

    @property
    def fair(self) -> bool:
        """Whether nothing in it leads."""
        return not self.leads


def check_question(question: str, language: Language | None = None) -> QuestionCheck:
    """Check one question; its language is told from its characters where it is not given.

    Raises ToolInputError for a blank question or one of more than 500 characters.
    """
    asked = " ".join(question.split())
    if not asked or len(asked) > _MOST_CHARACTERS:
        raise ToolInputError(
            f"a question has 1 to {_MOST_CHARACTERS} characters", hint="one question at a time"
        )
    told: Language = language or ("zh" if _HAN.search(asked) else "en")
    rules = load_question_rules()[told]
    lower = asked.lower().replace("’", "'")
    leads = tuple(_leads(lower, rules))
    return QuestionCheck(asked, told, leads, _better(lower, leads, rules) if leads else ())


@lru_cache(maxsize=1)
def load_question_rules() -> Mapping[Language, QuestionRules]:
    """The rules by language. Raises ConfigError for a wrong file."""
    return read_as(dict[Language, QuestionRules], _FILE)


def _leads(question: str, rules: QuestionRules) -> Iterator[Lead]:
    for name, rule in rules.rules.items():
        if any(re.search(pattern, question) for pattern in rule.unless):
            continue
        found = next((hit for pattern in rule.patterns if (hit := re.search(pattern, question))), None)
        if found is not None:
            yield Lead(name, found.group(), rule.why)
        elif name == _OPTIONS and (offered := _one_sided_options(question, rules)):
            yield Lead(name, ", ".join(offered), rule.why)


def _one_sided_options(question: str, rules: QuestionRules) -> list[str]:
    """The answers offered for the one side where there are two or more of them beyond the other's."""
    parts = [part.strip(" \"'“”「」") for part in re.split(rules.parted, question) if part]
    parts = [re.sub(r"^[\d\s=-]+|[\d\s=-]+$", "", part) for part in parts]
    sides = [[part for part in parts if part in side] for side in (rules.good, rules.bad)]
    for own, other in (sides, sides[::-1]):
        if len(own) - len(other) >= _LEANING:
            return own
    return []


def _better(question: str, leads: tuple[Lead, ...], rules: QuestionRules) -> tuple[str, ...]:
    """Fair questions about the same thing; one for each where two were asked at once."""
    subjects = _subjects(question, rules)
    if any(lead.rule == _DOUBLE for lead in leads) and len(subjects) > 1:
        return tuple(line.format(subject=one) for one in subjects for line in rules.better[_OTHERWISE])
    topic: Topic = next(
        (name for name, words in rules.topics.items() if re.search(words, question)), _OTHERWISE
    )
    subject = subjects[0] if subjects else rules.anything
    return tuple(line.format(subject=subject) for line in rules.better[topic])


def _subjects(question: str, rules: QuestionRules) -> list[str]:
    """What the question is about, in its order; a word within a longer one is not counted again."""
    found: list[tuple[int, int, str]] = []
    for word in sorted(rules.subjects, key=len, reverse=True):
        at = _place(question, word)
        if at is not None and all(at + len(word) <= first or at >= last for first, last, _ in found):
            found.append((at, at + len(word), word))
    return [word for _, _, word in sorted(found)]


def _place(question: str, word: str) -> int | None:
    """Where a word stands; one of Latin letters only as a whole word."""
    pattern = rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
    hit = re.search(pattern, question)
    return None if hit is None else hit.start()
