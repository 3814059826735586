"""Shapes kept as data: named regular expressions in YAML, put together from macros."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from store.errors import ConfigError

_MACRO: Final = re.compile(r"\{([A-Z_]+)\}")


def expanded(text: str, macros: Mapping[str, str]) -> str:
    """Replace `{NAME}` by its macro, and macros inside macros. Raises KeyError for an unknown one."""
    while _MACRO.search(text):
        text = _MACRO.sub(lambda name: macros[name[1]], text)
    return text.strip()


def read_shapes(path: Path, given: Mapping[str, str] | None = None) -> dict[str, re.Pattern[str]]:
    """Return every pattern of a file but its `macros`; a list is a choice, first come first served.

    `given` are further macros. Raises ConfigError where the file or a pattern cannot be used.
    """
    try:
        data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        macros = {**(given or {}), **{name: text.strip() for name, text in data.pop("macros").items()}}
        return {
            name: re.compile(expanded(shape if isinstance(shape, str) else "|".join(shape), macros))
            for name, shape in data.items()
        }
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError, re.error) as error:
        raise ConfigError(f"The shapes of {path.name} cannot be used: {error!r}") from error
