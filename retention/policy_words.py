"""The words of explanations and warnings about a policy, from `policy_words.yaml`."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from retention.settings_file import read_as
from retention.wording import Language
from store.errors import ConfigError

_FILE: Final = Path(__file__).with_name("policy_words.yaml")
_JOINTS: Final[dict[Language, str]] = {"zh": "、", "en": ", "}


def worded(group: str, key: str, language: Language, **values: object) -> str:
    """A sentence filled in; ConfigError where it or a value is missing."""
    try:
        return _sentences()[group][key][language].format_map(values)
    except KeyError as error:
        raise ConfigError(f"{_FILE.name}: {group}.{key}.{language}: {error} is missing") from error


def column_name(name: str, language: Language) -> str:
    """What a column is called; one of the company's own by its own name."""
    return _sentences()["columns"].get(name, {}).get(language, name)


def joined(parts: "list[str] | tuple[str, ...]", language: Language) -> str:
    """Parts of a list, as it is written."""
    return _JOINTS[language].join(parts)


@lru_cache(maxsize=1)
def _sentences() -> dict[str, dict[str, dict[str, str]]]:
    return read_as(dict[str, dict[str, dict[str, str]]], _FILE)
