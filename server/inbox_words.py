"""The words of Slack and Feishu besides answers, from `inbox_words.yaml`."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    import yaml

    file = Path(__file__).with_name("inbox_words.yaml")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def word(key: str, language: Language, /, **values: object) -> str:
    """Fill one sentence. An unknown key or a missing value is a KeyError."""
    return _words()[key][language].format(**values)


def tool_words(tool: str, language: Language) -> str:
    """What a tool does, in a few words; its name where there are none."""
    entry = _words().get(f"tool_{tool}")
    return entry[language] if entry else tool
