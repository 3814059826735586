"""Texts with variables in both languages: strict, so that a missing or an unused one is an error at once."""

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from retention.wording import LANGUAGES, Language
from store.errors import ConfigError


def variables_of(text: str) -> frozenset[str]:
    """The names in braces. Raises ValueError for a brace too many, and for anything but a plain name."""
    found = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} is no plain name; write braces that are meant as such twice")
        found.add(name)
    return frozenset(found)


def _readable(text: str) -> str:
    variables_of(text)
    return text


class Template(BaseModel):
    """One text in both languages, which use the same variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: Annotated[str, Field(min_length=1), AfterValidator(_readable)]
    en: Annotated[str, Field(min_length=1), AfterValidator(_readable)]

    def mistakes(self, declared: Collection[str]) -> list[str]:
        """What does not fit the variables that are declared, in words; nothing where all is well."""
        found = []
        for language in LANGUAGES:
            used = variables_of(getattr(self, language))
            found += [f"{language}: {{{name}}} is not declared" for name in sorted(used - set(declared))]
            found += [f"{language}: {{{name}}} is not used" for name in sorted(set(declared) - used)]
        return found

    def filled(self, language: Language, values: Mapping[str, object]) -> str:
        """The text with its variables filled in; ConfigError for a missing and for an unused one."""
        text: str = getattr(self, language)
        used = variables_of(text)
        if wrong := sorted(used ^ values.keys()):
            word = "missing" if used - values.keys() else "unused"
            raise ConfigError(f"a message template: {word}: {', '.join(wrong)}")
        return text.format_map(values)
