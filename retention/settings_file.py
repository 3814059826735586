"""Reading the YAML files of the retention loop: validated whole, and what is wrong is named."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from store.errors import ConfigError

_T = TypeVar("_T")
# The C parser is several times as quick; it is missing from some builds.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_as(kind: type[_T], path: Path) -> _T:
    """Read a file as `kind`; raise ConfigError naming the file and each wrong key."""
    try:
        return parsed_as(kind, path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not valid YAML: {error}") from error


def parsed_as(kind: type[_T], text: str, name: str) -> _T:
    """Read YAML text as `kind`; raise ConfigError naming it by `name` and each wrong key."""
    try:
        raw: Any = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not valid YAML: {error}") from error
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise ConfigError(f"{name}: {wrong}") from error
