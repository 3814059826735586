"""The sentences of the offline planner and the graph, by key and language (phrases.yaml)."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]


@lru_cache(maxsize=1)
def _phrases() -> dict[str, dict[str, str]]:
    import yaml

    file = Path(__file__).with_name("phrases.yaml")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def phrase(key: str, language: Language, /, **values: object) -> str:
    """Fill one sentence. An unknown key or a missing value is a KeyError."""
    return _phrases()[key][language].format(**values)


def name(key: str, language: Language, otherwise: str) -> str:
    """The name of something that may have none of ours (a value of the data, say)."""
    entry = _phrases().get(key)
    return entry[language] if entry else otherwise
