"""What to do at each tier, from `playbooks.yaml`."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from retention.settings_file import read_as
from retention.wording import Language
from store.errors import ConfigError

PLAYBOOK_FILE = Path(__file__).with_name("playbooks.yaml")


class Playbook(BaseModel):
    """A goal, its steps, and what may be written to the customer; in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: dict[Literal["zh", "en"], str]
    steps: dict[Literal["zh", "en"], tuple[str, ...]]
    message: dict[Literal["zh", "en"], str] | None = None

    @property
    def has_message(self) -> bool:
        """Whether anything may be sent; where a person must call nothing is."""
        return self.message is not None

    def text(self, language: Language, *, subject: str) -> str:
        """Return the message with its subject filled in; ConfigError where there is none."""
        if self.message is None:
            raise ConfigError("this playbook has no message: a person calls")
        return self.message[language].format(subject=subject)

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
