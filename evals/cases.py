"""What a question case is: a thread of turns, each with the calls and the figures it must lead to."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CASES = Path(__file__).parent / "cases"
Value = str | list[str]
# YAML reads an unquoted day as a date.
Day = Annotated[str | None, BeforeValidator(lambda v: v.isoformat() if isinstance(v, date) else v)]


class Part(BaseModel):
    """Base of the parts of a case: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


class Days(Part):
    """A half-open span of local dates or times; None is unbounded."""

    from_: Day = Field(default=None, alias="from")
    to: Day = None


class Compute(Part):
    """A figure to be worked out from the files.

    `measure`: `nps`; `mean` of the metric `of`; `answers` (how many gave the metric `of`); `count` of items;
    `share` of items with `of` = "dimension=value" among those that have the dimension.
    `minus` subtracts another figure. Period and filters that are not given are those of the expected call.
    """

    measure: Literal["nps", "mean", "answers", "count", "share"]
    of: str = ""
    period: Days | None = None
    filters: dict[str, Value] = Field(default_factory=dict)
    exclude: dict[str, Value] = Field(default_factory=dict)
    minus: "Compute | None" = None


class ExpectedFigure(Part):
    """A figure of a tool result: its path, what it must equal, and whether the answer must state it.

    `path` is dotted from the result ("data.nps", "n"); `name[key]` picks the list element with that key.
    """

    path: str
    compute: Compute | None = None
    equals: float | None = None
    call: int = 0
    stated: bool = True

    @model_validator(mode="after")
    def _one_source(self) -> "ExpectedFigure":
        if (self.compute is None) == (self.equals is None):
            raise ValueError("give either compute or equals")
        return self


class ExpectedCall(Part):
    """A tool call that must happen. `name` may list alternatives; `args` is a subset.

    `filters` are the segments that narrow the figures (null: not checked). `also` holds arguments that are
    not checked but that a scripted model needs to make the call.
    """

    name: str | list[str]
    period: Days | None = None
    filters: dict[str, Value] | None = Field(default_factory=dict)
    exclude: dict[str, Value] = Field(default_factory=dict)
    args: dict[str, Any] = Field(default_factory=dict)
    also: dict[str, Any] = Field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The acceptable tool names."""
        return (self.name,) if isinstance(self.name, str) else tuple(self.name)


class Expect(Part):
    """What one turn must lead to. `says` lists alternatives per line, separated by `|`."""

    tools: list[ExpectedCall] = Field(default_factory=list)
    figures: list[ExpectedFigure] = Field(default_factory=list)
    says: list[str] = Field(default_factory=list)
    avoids: list[str] = Field(default_factory=list)
    approval: bool = False


class Turn(Part):
    """One question of a thread."""

    ask: str
    expect: Expect


class Case(Part):
    """A thread of questions over one data set at one moment. `habit` says what is particular about it."""

    id: str
    language: Literal["zh", "en"]
    habit: str
    dataset: Literal["sample", "lounge"] = "sample"
    now: AwareDatetime
    turns: list[Turn] = Field(min_length=1)


class CaseFile(Part):
    """A file of cases with what they share."""

    language: Literal["zh", "en"]
    now: AwareDatetime
    cases: list[dict[str, Any]]


def load_cases(paths: Sequence[Path] | None = None) -> list[Case]:
    """Read case files (default: all of `evals/cases`). A wrong key or a repeated id raises ValueError."""
    cases: list[Case] = []
    for path in paths or sorted(CASES.glob("questions_*.yaml")):
        file = CaseFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        shared = {"language": file.language, "now": file.now}
        cases += [Case.model_validate({**shared, **entry}) for entry in file.cases]
    ids = [case.id for case in cases]
    repeated = {name for name in ids if ids.count(name) > 1}
    if repeated:
        raise ValueError(f"case ids used twice: {', '.join(sorted(repeated))}")
    return cases
