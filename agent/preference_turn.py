"""Preferences in the graph: kept when a person says so, told of in every answer that uses them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage
from langgraph.config import get_config

from agent.language import language_of
from agent.phrases import Language, phrase
from agent.preference_commands import Order, forgotten, order_in, parts_of
from agent.preferences import Preferences
from agent.state import PREFERENCE_NOTE, questions, this_turn
from agent.toolset import asker_of
from agent.understanding import Reader
from prompts.library import render
from store.clock import Clock
from store.preferences import Preference, PreferenceStore

_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
# A user keeps so many words at most: each is looked for in every question.
_MOST_WORDS = 100


class KeepPreferences(AgentMiddleware[Any, Any, Any]):
    """Reads orders from what the person wrote, and from nothing else: results and answers set nothing."""

    def __init__(self, store: PreferenceStore, clock: Clock, reader: Callable[[], Reader]) -> None:
        """`reader` reads words against the data that the asker of the run may see."""
        super().__init__()
        self._store = store
        self._clock = clock
        self._reader = reader

    async def awrap_model_call(self, request: ModelRequest[Any], handler: _Handler) -> ModelResponse[Any]:
        """Carry an order out, or go on and say which preferences the answer rests on."""
        user = asker_of(get_config()).user
        known = Preferences.of(self._store.of(user))
        question = questions(request.messages)[-1]
        turn = this_turn(request.messages)
        language = language_of(question)
        if not turn and (order := order_in(question, known)):
            said = self.carry_out(order, user, known, language)
            if order.more:
                said += "\n\n" + phrase("preference_more", language)
            return ModelResponse(result=[AIMessage(said, name=PREFERENCE_NOTE)])
        response = await handler(request)
        calls = [call["args"] for m in turn if isinstance(m, AIMessage) for call in m.tool_calls]
        note = told(known, question, calls, language)
        if note:
            response.result = [
                m.model_copy(update={"content": f"{m.text}\n\n{note}"})
                if isinstance(m, AIMessage) and not m.tool_calls and m.text and note not in m.text
                else m
                for m in response.result
            ]
        return response

    def carry_out(self, order: Order, user: str, known: Preferences, language: Language) -> str:
        """Keep, forget or list; what to answer."""
        if order.kind == "list":
            return listed(known, language)
        if order.kind == "forget":
            gone = forgotten(order.text, known) or ()
            for kind, name in gone:
                self._store.forget(user, kind=kind, name=name)
            names = _and(language, [name for _, name in gone])
            return phrase("preference_forgotten", language, names=names) if gone else listed(known, language)
        if order.kind == "word":
            return self._keep_word(order, user, known, language)
        frame = self._reader().read(order.text)
        if not frame.filters or frame.unknown:
            return phrase("preference_unknown", language, text=order.text)
        for dimension, values in frame.filters.items():
            self._keep(user, "filter", dimension, tuple(values))
        filters = shown_filters({d: tuple(v) for d, v in frame.filters.items()}, language)
        return phrase("preference_filter_kept", language, filters=filters)

    def _keep_word(self, order: Order, user: str, known: Preferences, language: Language) -> str:
        meaning = parts_of(order.text)
        if not meaning or (len(known.words) >= _MOST_WORDS and order.word not in known.words):
            return phrase("preference_unknown", language, text=order.text)
        frame = self._reader().read(_and(language, meaning))
        if frame.unknown or not (frame.filters or frame.metrics or frame.period):
            return phrase("preference_unknown", language, text=order.text)
        self._keep(user, "word", order.word, meaning)
        return phrase("preference_word_kept", language, word=order.word, meaning=_and(language, meaning))

    def _keep(self, user: str, kind: Any, name: str, values: tuple[str, ...]) -> None:
        at = self._clock.now()
        self._store.keep(Preference(user=user, kind=kind, name=name, values=values, set_at=at))


def told(known: Preferences, question: str, calls: Sequence[Mapping[str, Any]], language: Language) -> str:
    """What an answer says of the preferences that these calls rest on; empty where they rest on none."""
    notes = []
    if calls and (used := known.used_in(question, calls)):
        notes.append(phrase("preference_filter_used", language, filters=shown_filters(used, language)))
    if calls and (words := known.words_in(question)):
        meant = "; ".join(f"{word} = {_and(language, meaning)}" for word, meaning in words.items())
        notes.append(phrase("preference_word_used", language, words=meant))
    return "\n".join(notes)


def listed(known: Preferences, language: Language) -> str:
    """Everything that is kept of one person."""
    parts = []
    if known.filters:
        filters = shown_filters(known.filters, language)
        parts.append(phrase("preference_list_filters", language, filters=filters))
    if known.words:
        words = "; ".join(f"{word} = {_and(language, meaning)}" for word, meaning in known.words.items())
        parts.append(phrase("preference_list_words", language, words=words))
    return "\n".join(parts) or phrase("preference_none", language)


def prompt_section(known: Preferences, language: Language) -> str:
    """What a model is told of the asker's preferences; empty where there are none."""
    if not known.filters and not known.words:
        return ""
    filters = "; ".join(f"{d} = {_and(language, values)}" for d, values in known.filters.items()) or "-"
    words = "; ".join(f"{word} = {_and(language, meaning)}" for word, meaning in known.words.items()) or "-"
    return "\n\n" + render("preferences", language, filters=filters, words=words)


def shown_filters(filters: Mapping[str, tuple[str, ...]], language: Language) -> str:
    """Default filters in words: the values alone, as a person said them."""
    return phrase("comma", language).join(_and(language, values) for values in filters.values())


def _and(language: Language, values: Any) -> str:
    return phrase("and", language).join(values)
