"""What to do at each tier, from `playbooks.yaml`."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from retention.settings_file import read_as
from retention.templates import Template
from retention.wording import Language
from store.errors import ConfigError

PLAYBOOK_FILE = Path(__file__).with_name("playbooks.yaml")
Variable = Literal["subject", "deadline"]
# What the lines that may be added to an automatic message speak of.
_GUIDE: Final = ("title", "address")
_COUPON: Final = ("amount", "code", "until")


class PlaybookMessage(BaseModel):
    """What may be written to the customer. `variables` are those that the text uses, in both languages.

    `subject` is what it is about in the customer's own terms, `deadline` by when the policy has somebody act.
    `title` heads a mail. `guide` and `coupon` are lines added to a message that goes by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    variables: tuple[Variable, ...]
    title: Template
    text: Template
    guide: Template | None = None
    coupon: Template | None = None

    @model_validator(mode="after")
    def _variables_fit(self) -> "PlaybookMessage":
        parts: dict[str, tuple[Template, tuple[str, ...]]] = {
            "title": (self.title, ("subject",)),
            "text": (self.text, self.variables),
        }
        parts |= {"guide": (self.guide, _GUIDE)} if self.guide else {}
        parts |= {"coupon": (self.coupon, _COUPON)} if self.coupon else {}
        wrong = [f"{name}: {one}" for name, (each, named) in parts.items() for one in each.mistakes(named)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class Playbook(BaseModel):
    """A goal, its steps, and what may be written to the customer; in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: dict[Literal["zh", "en"], str]
    steps: dict[Literal["zh", "en"], tuple[str, ...]]
    message: PlaybookMessage | None = None

    @property
    def has_message(self) -> bool:
        """Whether anything may be sent; where a person must call nothing is."""
        return self.message is not None

    @property
    def words(self) -> PlaybookMessage:
        """What may be written to the customer; ConfigError where there is nothing."""
        if self.message is None:
            raise ConfigError("this playbook has no message: a person calls")
        return self.message

    def title(self, language: Language, *, subject: str) -> str:
        """The title of the message."""
        return self.words.title.filled(language, {"subject": subject})

    def text(self, language: Language, values: Mapping[Variable, str]) -> str:
        """The message, with those of the values that it declares."""
        chosen: dict[str, object] = {name: values[name] for name in self.words.variables}
        return self.words.text.filled(language, chosen)

    def advice(self, language: Language, *, cause: str) -> str:
        """Return the goal and the numbered steps, one a line, with the cause filled in."""
        steps = [f"{i}. {step.format(cause=cause)}" for i, step in enumerate(self.steps[language], start=1)]
        return "\n".join([self.goal[language], *steps])


@lru_cache(maxsize=4)
def load_playbooks(path: Path = PLAYBOOK_FILE) -> dict[str, Playbook]:
    """Read the playbooks by name; raise ConfigError for a wrong file."""
    return read_as(dict[str, Playbook], path)


def playbook(name: str) -> Playbook:
    """Return a playbook; raise ConfigError where the policy names one that does not exist."""
    books = load_playbooks()
    if name not in books:
        raise ConfigError(f"playbooks: {name!r} is not one of {', '.join(sorted(books))}")
    return books[name]
