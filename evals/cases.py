"""What a question case is: a thread of turns, each with the calls and the figures it must lead to."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CASES = Path(__file__).parent / "cases"
Dataset = Literal["sample", "lounge", "seat", "clothing", "cfpb", "waimai", "hotel", "asap"]
Habit = Literal[
    "plain",
    "terse",
    "chatty",
    "misspelt",
    "mixed_language",
    "wrong_premise",
    "impossible_date",
    "unknown_name",
    "follow_up",
    "correction",
    "several_questions",
    "period_spelling",
    "comparison",
    "alias",
    "ambiguous",
    "out_of_scope",
    "open_question",
    "cause",
    "action",
]
HABITS: tuple[str, ...] = get_args(Habit)
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


class State(Part):
    """What the store must hold after the turn and its decision; a case starts with an empty store.

    None is not counted. `status` is that of every task and plan; `tasks_for` are the customers with one task
    each.
    """

    tasks: int | None = 0
    plans: int | None = 0
    status: Literal["pending_approval", "open", "rejected", "done"] | None = None
    tasks_for: list[str] = Field(default_factory=list)


class Premise(Part):
    """What the question takes for granted and is not so. `truth` is what the answer must say instead.

    `fell`, `rose`: the metric went the other way than the question says; `flat`: it did not change
    significantly; `otherwise`: something else, which `says` of the turn names.
    """

    truth: Literal["fell", "rose", "flat", "otherwise"]


Refusal = Literal["out_of_scope", "unknown_name", "impossible_date", "no_data"]


class Expect(Part):
    """What one turn must lead to. `says` lists alternatives per line, separated by `|`.

    `refusal`: the answer claims no figure and says what is missing. `asks`: it asks back. `citations`: at
    least so many feedback ids are cited, each from the rows asked for. `either` lists other outcomes that are
    as right (a question that can be read two ways): the turn is right if any of them holds. `script` are the
    calls of a scripted model where `tools` leaves open what is called.
    """

    tools: list[ExpectedCall] = Field(default_factory=list)
    figures: list[ExpectedFigure] = Field(default_factory=list)
    says: list[str] = Field(default_factory=list)
    avoids: list[str] = Field(default_factory=list)
    approval: bool = False
    premise: Premise | None = None
    refusal: Refusal | None = None
    asks: bool = False
    citations: int = 0
    state: State | None = None
    either: list["Expect"] = Field(default_factory=list)
    script: list[ExpectedCall] = Field(default_factory=list)

    @property
    def acts(self) -> bool:
        """Whether something may be written."""
        return any(
            name.startswith(("create_", "update_", "send_")) for call in self.tools for name in call.names
        )


class Turn(Part):
    """One question of a thread; `decide` is what a person then decides about everything that waits."""

    ask: str
    expect: Expect
    decide: Literal["approve", "reject"] | None = None


class Case(Part):
    """A thread of questions over one data set at one moment.

    `habit` is the habit of asking that it stands for, `note` what else is particular about it. A case of a
    single turn may give `ask`, `expect` and `decide` itself.
    """

    id: str
    language: Literal["zh", "en"]
    habit: Habit
    note: str = ""
    dataset: Dataset = "sample"
    now: AwareDatetime
    turns: list[Turn] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _single_turn(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "ask" not in given:
            return given
        turn = {name: given[name] for name in ("ask", "expect", "decide") if name in given}
        return {name: value for name, value in given.items() if name not in turn} | {"turns": [turn]}


class CaseFile(Part):
    """A file of cases with what they share. `let` holds anchors that the cases repeat."""

    language: Literal["zh", "en"]
    now: AwareDatetime
    dataset: Dataset = "sample"
    let: Any = None
    cases: list[dict[str, Any]]


def load_cases(paths: Sequence[Path] | None = None) -> list[Case]:
    """Read case files (default: all of `evals/cases`). A wrong key or a repeated id raises ValueError."""
    cases: list[Case] = []
    every = [*sorted(CASES.glob("questions_*.yaml")), *sorted(CASES.glob("heldout_*.yaml"))]
    for path in paths or every:
        file = CaseFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        shared = {"language": file.language, "now": file.now, "dataset": file.dataset}
        cases += [Case.model_validate({**shared, **entry}) for entry in file.cases]
    ids = [case.id for case in cases]
    repeated = {name for name in ids if ids.count(name) > 1}
    if repeated:
        raise ValueError(f"case ids used twice: {', '.join(sorted(repeated))}")
    return cases
