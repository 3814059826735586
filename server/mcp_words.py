"""The words of the MCP server in both languages, from mcp_words.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tools.arguments import Language


@lru_cache(maxsize=1)
def mcp_words() -> dict[str, Any]:
    """The file, read once. A word that is missing is a KeyError where it is asked for."""
    path = Path(__file__).with_name("mcp_words.yaml")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def line(name: str, language: Language, /, **values: object) -> str:
    """One of the sentences, filled in."""
    text: str = mcp_words()["lines"][name][language]
    return text.format(**values)
