"""The cue words, compiled into one automaton: a single pass over a text finds every cue.

The general files come first, then the packs of the industries that are on, then the user's own words.
What a later layer says of a word takes the place of what earlier ones said, field by field.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from ahocorasick_rs import AhoCorasick, MatchKind

from pipeline.checked_yaml import Problem
from pipeline.cues import BREAK, MODIFIERS, SENTENCE, Book, Cue, bit, is_wordy
from pipeline.lexicon_layers import Known, Layer, read_layer
from pipeline.taxonomy import Taxonomy, build_taxonomy, said
from pipeline.taxonomy_sources import GENERAL, LEXICON_FILE, Sources, pack_document, user_document
from store.errors import ConfigError

__all__ = ["BREAK", "MODIFIERS", "SENTENCE", "Cue", "Lexicon", "bit", "build_lexicon", "load_lexicon"]

_FOLDER: Final = Path(__file__).with_name("lexicon")
_POLARITY_FILES: Final = ("polarity_vader.yaml", "polarity_en.yaml", "polarity_zh.yaml")


@dataclass(frozen=True)
class Lexicon:
    """All cues, the automaton that finds them, and the patterns by which rivals are named."""

    cues: tuple[Cue, ...]
    automaton: AhoCorasick
    rival_patterns: tuple[re.Pattern[str], ...]
    not_rivals: tuple[str, ...]
    fingerprint: str

    def hits(self, lowered: str) -> Iterator[tuple[Cue, int, int]]:
        """Cues in a lower-cased text, left to right, longest first, as (cue, start, end)."""
        cues = self.cues
        length = len(lowered)
        for index, start, end in self.automaton.find_matches_as_indexes(lowered):
            cue = cues[index]
            if cue.latin and not _stands_alone(lowered, start, end, length, open_end=cue.open_end):
                continue
            yield cue, start, end


def _stands_alone(text: str, start: int, end: int, length: int, *, open_end: bool) -> bool:
    """Whether a Latin cue is no part of a longer word."""
    if start and is_wordy(text[start - 1]) and is_wordy(text[start]):
        return False
    return open_end or end == length or not (is_wordy(text[end]) and is_wordy(text[end - 1]))


def load_lexicon(sources: Sources = GENERAL) -> Lexicon:
    """Read and compile all cues once for each `sources`. ConfigError that lists every problem."""
    lexicon, problems = build_lexicon(sources)
    if problems:
        raise ConfigError(
            said(problems), hint="correct the file; `voiceloop taxonomy check` says when it is sound"
        )
    return lexicon


@lru_cache(maxsize=4)
def build_lexicon(sources: Sources) -> tuple[Lexicon, tuple[Problem, ...]]:
    """The lexicon as far as it can be built, and all that is wrong with its files."""
    taxonomy, _ = build_taxonomy(sources)
    general = _General.read()
    book = general.book(taxonomy)
    known = Known(taxonomy.paths, taxonomy.moved, general.names)
    documents = [pack_document(name, "lexicon") for name in sources.industries]
    packs = [read_layer(document, known, shipped=True) for document in documents]
    user = user_document(sources.lexicon, LEXICON_FILE)
    layers = (*([Layer.union(packs)] if packs else []), read_layer(user, known, shipped=False))
    for layer in layers:
        layer.lay_over(book)
    book.add_marks()
    book.settle()
    cues = tuple(book.cues.values())
    patterns = (*general.patterns, *(pattern for layer in layers for pattern in layer.rival_patterns()))
    not_rivals = (*general.not_rivals, *(name for layer in layers for name in layer.not_rivals))
    said_by_layers = [document.data for document in (*documents, user)]
    tail = json.dumps([said_by_layers, taxonomy.moved, taxonomy.paths], ensure_ascii=False)
    lexicon = Lexicon(
        cues,
        AhoCorasick([cue.text for cue in cues], matchkind=MatchKind.LeftmostLongest),
        patterns,
        not_rivals,
        hashlib.sha256(f"{general.digest}{tail}".encode()).hexdigest()[:12],
    )
    return lexicon, tuple(problem for document in (*documents, user) for problem in document.problems)


@dataclass(frozen=True)
class _General:
    """The general files as read."""

    polarity: tuple[dict[str, Any], ...]
    topics: dict[str, Any]
    signals: dict[str, Any]
    modifiers: dict[str, Any]
    patterns: tuple[re.Pattern[str], ...]
    not_rivals: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    digest: str

    @classmethod
    def read(cls) -> "_General":
        digest = hashlib.sha256()
        try:
            polarity = tuple(_read(file, digest) for file in _POLARITY_FILES)
            topics, signals = _read("topics.yaml", digest), _read("signals.yaml", digest)
            modifiers = _read("modifiers.yaml", digest)
            rivals = [re.compile(pattern) for pattern in signals["competitor_patterns"]]
            rivals += [re.compile(f"({re.escape(name)})") for name in signals["competitors"]]
            names = {part: tuple(signals[part]) for part in ("risk", "intent", "emotion", "compliance")}
            not_rivals = tuple(signals["not_rivals"].split())
        except (OSError, KeyError, TypeError, AttributeError, re.error, yaml.YAMLError) as error:
            raise ConfigError(f"The lexicon in {_FOLDER.name}/ cannot be used: {error!r}") from error
        return cls(polarity, topics, signals, modifiers, tuple(rivals), not_rivals, names, digest.hexdigest())

    def book(self, taxonomy: Taxonomy) -> Book:
        """The general cues; topics that have moved go along, those that are switched off fall silent."""
        paths = {path: taxonomy.moved.get(path, path) for path in self.topics}
        book = Book()
        try:
            for data in self.polarity:
                book.add_polarity(data)
            book.add_topics(
                {paths[path]: kinds for path, kinds in self.topics.items() if paths[path] in taxonomy.entries}
            )
            book.add_signals(self.signals)
            book.add_modifiers({"urgent": {"all": " ".join(self.signals["urgency"]["urgent"].values())}})
            book.add_modifiers(self.modifiers)
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"The lexicon in {_FOLDER.name}/ cannot be used: {error!r}") from error
        return book


def _read(file: str, digest: Any) -> dict[str, Any]:
    raw = (_FOLDER / file).read_bytes()
    digest.update(raw)
    data: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data
