"""The doubts a result states, as sentences from `caveats.yaml`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from tools.arguments import Language

SMALL_SAMPLE = 30


def caveat(name: str, language: Language, **values: object) -> str:
    """The sentence of that name in that language, filled in; KeyError for an unknown name."""
    return _sentences()[name][language].format(**values)


@cache
def _sentences() -> Mapping[str, Mapping[Language, str]]:
    loaded: Mapping[str, Mapping[Language, str]] = yaml.safe_load(
        (Path(__file__).parent / "caveats.yaml").read_text(encoding="utf-8")
    )
    return loaded
