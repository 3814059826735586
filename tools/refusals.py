"""What a tool cannot do, as sentences from `refusals.yaml` in the language asked."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from store.errors import NotPermitted, ToolInputError
from tools.arguments import Language

# A value can be as long as a review; this much of it tells which is meant.
_SHOWN = 80
_BETWEEN: Mapping[Language, str] = {"zh": "、", "en": ", "}


class Refusal(ToolInputError):
    """A ToolInputError known by its name in `refusals.yaml`; in English until `speak` is called.

    Values are cut to a readable length; sequences are listed. `nearest`, where given, holds the nearest
    known names: it becomes part of a sentence, or nothing where it is empty. `hint` is in the language asked
    already.
    """

    def __init__(self, name: str, /, *, hint: str = "", **values: object) -> None:
        self.name = name
        self.values = values
        super().__init__(refusal(name, "en", values), hint=hint)

    def speak(self, language: Language) -> None:
        """Say it in that language from now on."""
        self.message = refusal(self.name, language, self.values)
        self.args = (self.message,)


class Forbidden(NotPermitted):
    """A NotPermitted known by its name in `refusals.yaml`, in the language asked."""

    def __init__(self, name: str, language: Language, /, *, hint: str = "", **values: object) -> None:
        super().__init__(refusal(name, language, values), hint=hint)


def refusal(name: str, language: Language, values: Mapping[str, object]) -> str:
    """The sentence of that name in that language, filled in; KeyError for an unknown name."""
    shown = {key: _shown(value, language) for key, value in values.items()}
    if "nearest" in shown:
        words = shown["nearest"]
        shown["nearest"] = refusal("nearest", language, {"words": values["nearest"]}) if words else ""
    return _sentences()[name][language].format(**shown)


def known(name: str) -> bool:
    """Whether there is a sentence of that name."""
    return name in _sentences()


def _shown(value: object, language: Language) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _BETWEEN[language].join(_cut(str(one)) for one in value)
    return _cut(str(value))


def _cut(word: str) -> str:
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in word[: _SHOWN + 1])
    return printable if len(word) <= _SHOWN else printable[:_SHOWN] + "…"


@cache
def _sentences() -> Mapping[str, Mapping[Language, str]]:
    path = Path(__file__).parent / "refusals.yaml"
    loaded: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded
