"""Sentences by which a person tells the agent what to take for granted: 以后默认只看华东 / 忘掉默认筛选."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from agent.guard_request import visible
from agent.preferences import Preferences, preference_words

Kind = Literal["filter", "word", "forget", "list"]
_ORDER: tuple[Kind, ...] = ("list", "word", "filter", "forget")
_SENTENCE = re.compile(r"[。！!？?；;\n]+|\.(?=\s|$)")
_PARTS = re.compile(r"\s*(?:、|,|，|以及|和|与|及|\band\b|\bor\b|或)\s*")
_ARTICLE = re.compile(r"^(?:the|our|my)\s+", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:的(?:数据|反馈|评价|情况|客户)?|就行|就好|即可|了)$|\s+(?:data|feedback|only)$", re.IGNORECASE
)


class Order(NamedTuple):
    """What is to be kept, forgotten or listed: `text` are the words of a filter, a meaning or what to forget.

    `more`: the message says more after it.
    """

    kind: Kind
    text: str = ""
    word: str = ""
    more: bool = False


def order_in(message: str, known: Preferences) -> Order | None:
    """The order that a message opens with, None where it opens with none.

    Only its first sentence can be one, and only from its first character on: what is quoted or pasted further
    down never is. "Forget X" is one only where X was told before.
    """
    text = visible(message).strip()
    sentences = [part.strip() for part in _SENTENCE.split(text) if part.strip()]
    if not sentences:
        return None
    for kind in _ORDER:
        for pattern in _patterns(kind):
            found = pattern.fullmatch(sentences[0])
            if found is None:
                continue
            order = _order(kind, found.groupdict(), len(sentences) > 1)
            if kind != "forget" or forgotten(order.text, known) is not None:
                return order
    return None


def forgotten(what: str, known: Preferences) -> Sequence[tuple[Literal["filter", "word"], str]] | None:
    """The preferences that "forget `what`" names; None where it names none of them."""
    wanted, words = what.strip().strip("“”\"'「」").lower(), preference_words()
    filters: list[tuple[Literal["filter", "word"], str]] = [("filter", name) for name in known.filters]
    terms: list[tuple[Literal["filter", "word"], str]] = [("word", name) for name in known.words]
    for section, chosen in (("everything", [*filters, *terms]), ("filters", filters), ("words", terms)):
        if wanted in words[section]:
            return chosen
    named = [one for one in terms if one[1].lower() == wanted]
    named += [one for one in filters if wanted in (value.lower() for value in known.filters[one[1]])]
    return named or None


def parts_of(meaning: str) -> tuple[str, ...]:
    """What a word stands for, in its parts: 空气炸锅和电饭煲."""
    return tuple(part for part in _PARTS.split(meaning.strip().strip("。.！!")) if part)


def _order(kind: Kind, found: dict[str, str | None], more: bool) -> Order:
    text = found.get("rest") or found.get("meaning") or found.get("what") or ""
    text = _TAIL.sub("", _ARTICLE.sub("", text.strip())).strip() if kind == "filter" else text.strip()
    return Order(kind, text, (found.get("word") or "").strip(), more)


@cache
def _patterns(kind: Kind) -> tuple[re.Pattern[str], ...]:
    section = preference_words()[kind]
    return tuple(re.compile(one, re.IGNORECASE) for one in (*section["zh"], *section["en"]))
