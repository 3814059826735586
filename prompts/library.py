"""Loads prompts: `<name>_<language>.md` beside this file, with `{{variable}}` placeholders."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

LANGUAGES: Final = ("zh", "en")
_FOLDER = Path(__file__).parent
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@lru_cache(maxsize=64)
def _text(name: str, language: str) -> str:
    return (_FOLDER / f"{name}_{language}.md").read_text(encoding="utf-8").strip()


def template(name: str, language: str) -> str:
    """A prompt without its variables."""
    return _VARIABLE.sub("", _text(name, language))


def render(name: str, language: Literal["zh", "en"], **variables: str) -> str:
    """Fill a prompt. A missing or an unused variable is a KeyError: prompts are strict."""
    text = _text(name, language)
    wanted = set(_VARIABLE.findall(text))
    if wanted != set(variables):
        missing, unused = sorted(wanted - set(variables)), sorted(set(variables) - wanted)
        raise KeyError(f"prompt {name}_{language}: missing {missing}, unused {unused}")
    return _VARIABLE.sub(lambda match: variables[match[1]], text)
