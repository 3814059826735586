"""Names for themes by a language model; the words of the theme stand where it fails."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import structlog

from prompts.library import render
from store.records import Theme

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_log = structlog.get_logger(__name__)
_AT_ONCE = 12
_QUOTES = 3
_QUOTE_CHARS = 120
_LONGEST = {"zh": 20, "en": 60}


class ModelNamer:
    """Asks a chat model for names, a dozen themes at a time; `name` is that of the model."""

    def __init__(self, model: "BaseChatModel", failures: tuple[type[Exception], ...], name: str) -> None:
        self.name = name
        self._model = model
        self._failures: tuple[type[Exception], ...] = (*failures, ValueError)

    def names(self, themes: Sequence[Theme], quotes: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Name by theme id, of those for which the model gave a usable one.

        `quotes` are a few masked texts of each theme. A model that fails or answers uselessly is logged; its
        themes are left out.
        """
        found: dict[str, str] = {}
        for language in sorted({theme.language for theme in themes}):
            own = iter([theme for theme in themes if theme.language == language])
            for some in _batches(own):
                found.update(self._ask(some, quotes))
        return found

    def _ask(self, themes: Sequence[Theme], quotes: Mapping[str, Sequence[str]]) -> dict[str, str]:
        language: Literal["zh", "en"] = "zh" if themes[0].language == "zh" else "en"
        told = [_told(theme, quotes.get(theme.theme_id, ())) for theme in themes]
        prompt = render("theme_name", language, themes=json.dumps(told, ensure_ascii=False))
        try:
            answer = self._model.invoke(prompt)
            return _read(str(answer.content), themes, _LONGEST[language])
        except self._failures as error:
            _log.warning("theme_names_failed", themes=len(themes), error=str(error)[:200])
            return {}


def _batches(themes: Iterator[Theme]) -> Iterator[list[Theme]]:
    while some := list(islice(themes, _AT_ONCE)):
        yield some


def _told(theme: Theme, quotes: Sequence[str]) -> dict[str, Any]:
    return {
        "id": theme.theme_id,
        "keywords": theme.keywords,
        "wordings": [wording.label for wording in theme.wordings],
        "quotes": [quote[:_QUOTE_CHARS] for quote in quotes[:_QUOTES]],
    }


def _read(answer: str, themes: Sequence[Theme], longest: int) -> dict[str, str]:
    """Names out of an answer; ValueError where it holds no JSON object."""
    start, end = answer.find("{"), answer.rfind("}")
    if start < 0 or end < start:
        raise ValueError("no JSON object in the answer")
    named = json.loads(answer[start : end + 1])
    asked = {theme.theme_id for theme in themes}
    found: dict[str, str] = {}
    for theme_id, name in named.items():
        clean = " ".join(name.split()) if isinstance(name, str) else ""
        if theme_id in asked and 0 < len(clean) <= longest and clean not in found.values():
            found[theme_id] = clean
    return found
