"""The rules of `mask_rules.yaml`, compiled: what is tried at a cue word, and what anywhere in the text."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from pipeline.mask_shapes import expanded
from store.errors import ConfigError

_FILE: Final = Path(__file__).with_name("mask_rules.yaml")
_KEYS: Final = frozenset(("type", "cues", "marks", "digits", "amounts", "pattern"))


@dataclass(frozen=True)
class Rule:
    """One rule: where `cues` are given, `pattern` is matched right behind each of them, else searched for."""

    type: str
    pattern: re.Pattern[str]
    cues: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    digits: int = 0
    amounts: bool = False


@cache
def mask_rules() -> tuple[Rule, ...]:
    """Read `mask_rules.yaml` once. Raises ConfigError naming the rule that cannot be used."""
    try:
        data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
        macros: dict[str, str] = {name: text.strip() for name, text in data["macros"].items()}
        return tuple(_rule(given, macros) for given in data["rules"])
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(f"The masking rules {_FILE.name} cannot be used: {error!r}") from error


def _rule(given: dict[str, Any], macros: dict[str, str]) -> Rule:
    unknown = given.keys() - _KEYS
    cues, text = _literals(given.get("cues", "")), given["pattern"]
    if unknown or bool(cues) != text.startswith("{CUE}"):
        raise ConfigError(
            f"{_FILE.name}: the rule of type {given.get('type')!r} is not as it should be: {text[:40]}",
            hint=f"keys: {', '.join(sorted(_KEYS))}; a rule with cues begins with {{CUE}}",
        )
    try:
        pattern = re.compile(expanded(text.removeprefix("{CUE}"), macros), re.I)
    except re.error as error:
        raise ConfigError(f"{_FILE.name}: the pattern of a rule of type {given['type']}: {error}") from error
    return Rule(
        type=given["type"],
        pattern=pattern,
        cues=cues,
        marks=_literals(given.get("marks", "")),
        digits=given.get("digits", 0),
        amounts=given.get("amounts", False),
    )


def _literals(words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_literal(word) for word in words.split()))


def _literal(word: str) -> str:
    """A word as it is looked for: lower case; `_` inside is a blank, at the end an underscore."""
    return (word[:-1].replace("_", " ") + word[-1:]).lower()
