"""Measures that an action plan may propose, from `measures.yaml`."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention.settings_file import read_as
from retention.wording import Language

MEASURES_FILE = Path(__file__).with_name("measures.yaml")
PLAN_METRIC = "plan"
TOPIC_METRIC = "topic"

Cost = Literal["low", "medium", "high"]


class Words(BaseModel):
    """One text in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def of(self, language: Language) -> str:
        """Return the text in `language`."""
        return self.zh if language == "zh" else self.en


class Template(BaseModel):
    """A measure as the book holds it, before it is fitted to a problem."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    action: Words
    department: str
    metric: str
    cost: Cost
    window_days: Annotated[int, Field(gt=0)]
    first_step: Words
    effect: Words
    coverage: Annotated[float, Field(gt=0, le=1)] = 1.0


class MeasureBook(BaseModel):
    """All measures by what they answer to, the departments, and the sentences of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    departments: dict[str, Words]
    topics: dict[str, tuple[Template, ...]]
    conditions: dict[str, tuple[Template, ...]]
    generic: tuple[Template, ...]
    risks: dict[str, Words]
    wording: dict[str, Words]

    @model_validator(mode="after")
    def _consistent(self) -> "MeasureBook":
        groups = [*self.topics.values(), *self.conditions.values(), self.generic]
        templates = [template for group in groups for template in group]
        unknown = sorted({t.department for t in templates} - set(self.departments))
        if unknown:
            raise ValueError(f"unknown departments: {', '.join(unknown)}")
        ids = [template.id for template in templates]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"ids used twice: {', '.join(twice)}")
        return self

    def for_topic(self, topic: str) -> tuple[Template, ...]:
        """Return the measures of a topic, else those of its area, else none."""
        return self.topics.get(topic) or self.topics.get(topic.split("/", 1)[0], ())

    def say(self, key: str, language: Language, **values: object) -> str:
        """Return a sentence of the plan with its variables filled in."""
        return self.wording[key].of(language).format_map(values)


@lru_cache(maxsize=4)
def load_measures(path: Path = MEASURES_FILE) -> MeasureBook:
    """Read the book; raise ConfigError that names what is wrong."""
    return read_as(MeasureBook, path)
