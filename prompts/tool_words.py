"""What models are told of tools and arguments in Chinese, and the words that call for a tool (tools.yaml)."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple


class ToolWords(NamedTuple):
    """Descriptions by tool, by argument, and cues by tool."""

    tools: dict[str, str]
    arguments: dict[str, str]
    cues: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def tool_words() -> ToolWords:
    """Read the file once. A tool without its description is a KeyError where it is asked for."""
    import yaml

    loaded = yaml.safe_load(Path(__file__).with_name("tools.yaml").read_text(encoding="utf-8"))
    return ToolWords(
        {name: entry["zh"] for name, entry in loaded["tools"].items()},
        loaded["arguments"],
        {name: tuple(entry["cues"]) for name, entry in loaded["tools"].items()},
    )
