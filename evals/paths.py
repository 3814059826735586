"""Places in a tool result, and when two figures are the same."""

import re
from collections.abc import Mapping
from typing import Any


def resolve(document: Any, path: str) -> Any:
    """Follow a dotted path; `name[key]` picks the list element with that key, `name[0]` one by position,
    and `name.length` is how many there are.

    Raises KeyError where the path leads nowhere.
    """
    value = document
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if step.startswith("["):
            value = _element(value, step[1:-1])
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step == "length":
            value = len(value)
        else:
            raise KeyError(path)
    return value


def close(actual: float, expected: float) -> bool:
    """Equal up to the rounding of results (four decimals; two for values above one)."""
    return abs(actual - expected) <= (0.0051 if abs(expected) > 1 else 0.000051) + 1e-9


def _element(value: Any, key: str) -> Any:
    if not isinstance(value, list):
        raise KeyError(key)
    for element in value:
        if isinstance(element, Mapping) and "key" in element and key in (_joined(element["key"]),):
            return element
    if key.isdigit() and int(key) < len(value):
        return value[int(key)]
    raise KeyError(key)


def _joined(key: Any) -> str:
    if isinstance(key, Mapping):
        key = list(key.values())
    return " / ".join(str(part) for part in key) if isinstance(key, list | tuple) else str(key)
