"""The words of insight reports, by key and language (insight_words.yaml)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from agent.insight_document import Language

_FIELD = re.compile(r"([\u4e00-\u9fff]?)\{(\w+)\}(?=([\u4e00-\u9fff]?))")
_LATIN = re.compile(r"[A-Za-z0-9%]")


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    import yaml

    file = Path(__file__).with_name("insight_words.yaml")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def say(key: str, language: Language, /, **values: object) -> str:
    """Fill one sentence or name. An unknown key or a missing value is a KeyError."""
    template = _words()[key][language]
    if language == "zh":
        template = _FIELD.sub(lambda match: _spaced(match, values), template)
    return template.format(**values)


def _spaced(match: re.Match[str], values: Mapping[str, object]) -> str:
    """A field with a space where Latin letters or digits of its value would touch a Chinese character."""
    before, field, after = match.groups()
    value = str(values[field])
    left = " " if before and _LATIN.match(value[:1]) else ""
    right = " " if after and _LATIN.match(value[-1:]) else ""
    return f"{before}{left}{{{field}}}{right}"
