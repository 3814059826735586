"""The sentences of the retention loop, from `wording.yaml`; a missing variable or sentence is an error."""

from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from retention.policy_rules import CAUSE
from retention.settings_file import read_as
from store.errors import ConfigError

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

_QUOTE_LENGTH = 80
_FILE = Path(__file__).with_name("wording.yaml")


@lru_cache(maxsize=1)
def _sentences() -> dict[str, dict[str, dict[str, str]]]:
    return read_as(dict[str, dict[str, dict[str, str]]], _FILE)


def sentence(group: str, key: str, language: Language, **values: object) -> str:
    """Return the sentence `group.key` in `language` with its variables filled in."""
    try:
        return _sentences()[group][key][language].format_map(values)
    except KeyError as error:
        raise ConfigError(f"wording: {group}.{key}.{language}: {error} is missing") from error


def name_of(group: str, key: str, language: Language) -> str:
    """Return the name of a signal, role or tier; the key itself where it has no name of its own.

    A company's own rule is called what the company calls it.
    """
    return (
        _sentences()[group]
        .get(key, {})
        .get(language, key if key.startswith(CAUSE) else key.replace("_", " "))
        .removeprefix(CAUSE)
    )


def is_named(group: str, key: str) -> bool:
    """Whether a group has a name for this key."""
    return key in _sentences()[group]


def shortened(text: str) -> str:
    """A customer's words on one line, cut where they are long."""
    short = " ".join(text.split())
    return short if len(short) <= _QUOTE_LENGTH else short[: _QUOTE_LENGTH - 1] + "…"
