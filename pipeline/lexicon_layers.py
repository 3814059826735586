"""Words that a pack or a user adds to the general ones, or means otherwise."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from pipeline.checked_yaml import At, Document
from pipeline.cues import MARKS, STRENGTH, Book

_PARTS: Final = (
    "topics",
    "polarity",
    "risk",
    "intent",
    "emotion",
    "compliance",
    "rivals",
    "not_rivals",
    "products",
    "silent",
)
_KINDS: Final = ("any", "positive", "negative")
_LANGUAGES: Final = ("zh", "en")
_WORDS: Final = "{zh: 词 词, en: word another_word}"
_LONGEST: Final = 60


@dataclass(frozen=True)
class Known:
    """What words may be said of: the topics, where moved ones went, and the names of risks, intents ..."""

    paths: Sequence[str]
    moved: Mapping[str, str]
    names: Mapping[str, Sequence[str]]


@dataclass
class Layer:
    """One layer of words: `book` holds what it says of each; the lists what a book cannot hold."""

    book: Book = field(default_factory=Book)
    graded: set[str] = field(default_factory=set)
    neutral: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    rivals: list[str] = field(default_factory=list)
    not_rivals: list[str] = field(default_factory=list)

    @classmethod
    def union(cls, layers: "Sequence[Layer]") -> "Layer":
        """Layers of equal rank as one: what they say of a word adds up."""
        whole = cls()
        for layer in layers:
            for text, cue in layer.book.cues.items():
                mine = whole.book.cues.setdefault(text, cue)
                if mine is not cue:
                    mine.inherit(cue)
                    mine.intents |= cue.intents
                    mine.polarity = mine.polarity or cue.polarity
            whole.graded |= layer.graded
            whole.neutral |= layer.neutral
            whole.silent |= layer.silent
            whole.rivals += layer.rivals
            whole.not_rivals += layer.not_rivals
        # What one trade means something by is not silenced by another.
        whole.silent -= {text for text, cue in whole.book.cues.items() if cue.topics}
        return whole

    def lay_over(self, book: Book) -> None:
        """Let this layer's words take the place of what the book says of them, field by field."""
        for text, mine in self.book.cues.items():
            mine.settled = bool(mine.topics)
            cue = book.cues.setdefault(text, mine)
            if cue is not mine:
                cue.open_end = mine.open_end
                cue.topics = mine.topics or cue.topics
                cue.settled = cue.settled or mine.settled
                cue.risks = mine.risks or cue.risks
                cue.intents = mine.intents or cue.intents
                cue.emotions = mine.emotions or cue.emotions
                cue.compliance = mine.compliance or cue.compliance
                # A topic's verdict turns or gives polarity; it does not water down a stronger word.
                if mine.polarity and (text in self.graded or cue.polarity * mine.polarity <= 0):
                    cue.polarity = mine.polarity
                cue.silent = cue.silent and not (mine.topics or mine.polarity)
            if text in self.silent:
                cue.hush()
            elif text in self.neutral:
                cue.polarity, cue.silent = 0.0, True

    def rival_patterns(self) -> list[re.Pattern[str]]:
        """One pattern for all names (longest first); a Latin name only as a whole word."""
        if not self.rivals:
            return []
        names = sorted(set(self.rivals), key=lambda name: (-len(name), name))
        return [re.compile("(" + "|".join(_whole_word(name) for name in names) + ")")]


def read_layer(document: Document, known: Known, *, shipped: bool) -> Layer:
    """The layer of a document. What means nothing is a problem of the document and is left out.

    `shipped`: a pack, which may speak of topics that a user has switched off.
    """
    data = document.data or {}
    document.only(data, (), _PARTS)
    layer = Layer()
    _topics(document, data.get("topics"), layer, known, shipped=shipped)
    _polarity(document, data.get("polarity"), layer)
    signals: dict[str, dict[str, dict[str, str]]] = {}
    for part, names in known.names.items():
        given = document.mapping(data.get(part), (part,), "words by name")
        document.only(given, (part,), tuple(names))
        found = {name: _words(document, (part, name), given[name]) for name in given if name in names}
        signals[part] = {name: _spelt(words) for name, words in found.items()}
    layer.book.add_signals(signals)
    layer.rivals += _names(document, ("rivals",), data.get("rivals"))
    products = _names(document, ("products",), data.get("products"))
    for name in sorted({*products} & {*layer.rivals}):
        document.complain(("products", name), "is a rival too", "name it under rivals or under products")
    layer.not_rivals += products + _names(document, ("not_rivals",), data.get("not_rivals"))
    quiet = [word for words in _words(document, ("silent",), data.get("silent")).values() for word in words]
    layer.silent |= {layer.book.cue(word).text for word in quiet}
    layer.silent |= {layer.book.cue(name.replace(" ", "_")).text for name in products}
    return layer


def _topics(document: Document, given: Any, layer: Layer, known: Known, *, shipped: bool) -> None:
    topics = document.mapping(given, ("topics",), "words by topic")
    for path, kinds in topics.items():
        at = ("topics", path)
        here = known.moved.get(path, path) if shipped else path
        if here not in known.paths:
            if not shipped:
                _unknown_topic(document, at, path, known)
            continue
        content = document.mapping(kinds, at, "any, positive, negative")
        document.only(content, at, _KINDS)
        words = {k: _words(document, (*at, k), content[k]) for k in _KINDS if k in content}
        both = {w for ws in words.get("positive", {}).values() for w in ws}
        for word in sorted(both & {w for ws in words.get("negative", {}).values() for w in ws}):
            document.complain((*at, "negative", word), "is positive too", "one of positive and negative")
        layer.book.add_topics({here: {kind: _spelt(listed) for kind, listed in words.items()}})


def _unknown_topic(document: Document, at: At, path: str, known: Known) -> None:
    if path in known.moved:
        document.complain(at, f"has moved to {known.moved[path]}", "use the new path")
        return
    near = get_close_matches(path, known.paths, n=3) or list(known.paths[:5])
    document.complain(
        at, "is no topic that is on", f"nearest: {', '.join(near)}; add new ones in taxonomy.yaml"
    )


def _polarity(document: Document, given: Any, layer: Layer) -> None:
    sides = document.mapping(given, ("polarity",), "positive, negative, neutral")
    document.only(sides, ("polarity",), ("positive", "negative", "neutral"))
    for side, sign in (("positive", 1.0), ("negative", -1.0)):
        at = ("polarity", side)
        words = document.mapping(sides.get(side), at, f"{_WORDS}, or by strength: {', '.join(STRENGTH)}")
        by_strength = {key: words[key] for key in STRENGTH if key in words}
        plain = {key: value for key, value in words.items() if key not in STRENGTH}
        if plain:
            by_strength = {"plain": plain, **by_strength}
        for strength, listed in by_strength.items():
            for found in _words(document, at if listed is plain else (*at, strength), listed).values():
                for word in found:
                    cue = layer.book.cue(word)
                    cue.polarity = sign * STRENGTH[strength]
                    layer.graded.add(cue.text)
    neutral = _words(document, ("polarity", "neutral"), sides.get("neutral")).values()
    layer.neutral |= {layer.book.cue(word).text for words in neutral for word in words}


def _words(document: Document, at: At, given: Any) -> dict[str, list[str]]:
    """Words by language, each without spaces (`_` for one); a text of them or a list."""
    by_language = document.mapping(given, at, _WORDS)
    document.only(by_language, at, _LANGUAGES)
    return {
        language: _listed(document, (*at, language), by_language[language])
        for language in _LANGUAGES
        if language in by_language
    }


def _listed(document: Document, at: At, given: Any) -> list[str]:
    if isinstance(given, str):
        words = given.split()
    elif isinstance(given, list) and all(isinstance(one, str) for one in given):
        words = ["_".join(one.split()) for one in given]
    elif given is None:
        words = []
    else:
        document.complain(at, "is no list of words", "词 词, or [word, two words]")
        return []
    kept = []
    for word in words:
        bare = word.strip("*_")
        if not bare or all(sign in MARKS for sign in bare):
            document.complain(at, f"{word!r} is no word", "letters, digits or signs other than marks")
        elif len(word) > _LONGEST:
            document.complain(at, f"{word[:20]!r}... is too long", f"at most {_LONGEST} characters")
        elif len(bare) == 1 and bare.isascii():
            document.complain(at, f"{word!r} is one letter", "at least two, or it would be found everywhere")
        else:
            kept.append(word)
    return kept


def _names(document: Document, at: At, given: Any) -> list[str]:
    """Names as people write them, spaces and all."""
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        document.complain(at, "is no list of names", "[腾讯会议, Zoom]")
        return []
    short = [name for name in given if len(name.strip()) < 2]
    for name in short:
        document.complain(at, f"{name!r} is too short", "names of at least two characters")
    return [name.strip() for name in given if name not in short]


def _spelt(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {language: " ".join(listed) for language, listed in words.items()}


def _whole_word(name: str) -> str:
    escaped = re.escape(name)
    left = r"(?<![A-Za-z0-9])" if name[0].isascii() and name[0].isalnum() else ""
    right = r"(?![A-Za-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""
    return left + escaped + right
