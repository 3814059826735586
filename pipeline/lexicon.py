"""The cue words, compiled into one automaton: a single pass over a text finds every cue."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from ahocorasick_rs import AhoCorasick, MatchKind

from store.errors import ConfigError

_FOLDER: Final = Path(__file__).with_name("lexicon")
_POLARITY_FILES: Final = ("polarity_vader.yaml", "polarity_en.yaml", "polarity_zh.yaml")
_STRENGTH: Final = {"strong": 1.6, "plain": 1.0, "weak": 0.4}
MODIFIERS: Final = (
    "negation",
    "risk_negation",
    "intensifier",
    "diminisher",
    "contrast",
    "concession",
    "hypothetical",
    "threat",
    "desire",
    "past",
    "resolved",
    "third_party",
    "question",
    "urgent",
)
BREAK: Final = 1 << 30
SENTENCE: Final = 1 << 31
_BREAKS: Final = "，,、；;：:~～|—…(（)）"
_SENTENCE_ENDS: Final = "。.！!？?\n"
_ENGLISH: Final = re.compile(r"[a-z0-9'_*&+/ .\-]+", re.IGNORECASE)


@dataclass(slots=True)
class Cue:
    """What one word or phrase says. Bit i of `modifiers` is MODIFIERS[i]; BREAK and SENTENCE are two more."""

    text: str
    polarity: float = 0.0
    modifiers: int = 0
    silent: bool = False
    latin: bool = False
    open_end: bool = False
    topics: dict[str, int] = field(default_factory=dict)
    risks: set[str] = field(default_factory=set)
    intents: set[str] = field(default_factory=set)
    emotions: set[str] = field(default_factory=set)
    compliance: set[str] = field(default_factory=set)

    def inherit(self, other: "Cue") -> None:
        """Take over what a shorter cue inside this one says (a longest match hides the shorter)."""
        for topic, polarity in other.topics.items():
            self.topics.setdefault(topic, polarity)
        self.risks |= other.risks
        self.intents |= other.intents - {"praise"}
        self.modifiers |= other.modifiers & bit("desire")
        self.emotions |= other.emotions
        self.compliance |= other.compliance


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
            if cue.latin and (
                (start and _wordy(lowered[start - 1]) and _wordy(lowered[start]))
                or (not cue.open_end and end < length and _wordy(lowered[end]) and _wordy(lowered[end - 1]))
            ):
                continue
            yield cue, start, end


def bit(modifier: str) -> int:
    """The bit of a modifier's name."""
    return 1 << MODIFIERS.index(modifier)


@cache
def load_lexicon() -> Lexicon:
    """Read and compile the lexicon files once. Raises ConfigError where one is not usable."""
    digest = hashlib.sha256()
    book: dict[str, Cue] = {}
    try:
        for file in _POLARITY_FILES:
            _add_polarity(book, _read(file, digest))
        for topic, cues in _read("topics.yaml", digest).items():
            for kind, polarity in (("any", 0), ("positive", 1), ("negative", -1)):
                for cue in _cues(book, cues.get(kind, {})):
                    cue.topics[topic] = polarity or cue.topics.get(topic, 0)
                    if polarity and not cue.polarity:
                        cue.polarity = float(polarity)
        signals = _read("signals.yaml", digest)
        _add_signals(book, signals)
        for modifier, words in _read("modifiers.yaml", digest).items():
            for cue in _cues(book, words):
                cue.modifiers |= bit(modifier)
        rivals = [re.compile(pattern) for pattern in signals["competitor_patterns"]]
        rivals += [re.compile(f"({re.escape(name)})") for name in signals["competitors"]]
        not_rivals = tuple(signals["not_rivals"].split())
    except (OSError, KeyError, ValueError, AttributeError, TypeError, re.error, yaml.YAMLError) as error:
        raise ConfigError(f"The lexicon in {_FOLDER.name}/ cannot be used: {error!r}") from error
    for marks, flag in ((_BREAKS, BREAK), (_SENTENCE_ENDS, BREAK | SENTENCE)):
        for mark in marks:
            _cue(book, mark).modifiers |= flag
    _settle(book)
    cues = tuple(book.values())
    automaton = AhoCorasick([cue.text for cue in cues], matchkind=MatchKind.LeftmostLongest)
    return Lexicon(cues, automaton, tuple(rivals), not_rivals, digest.hexdigest()[:12])


def _wordy(sign: str) -> bool:
    return "a" <= sign <= "z" or "0" <= sign <= "9" or "\u00df" <= sign <= "\u024f"


def _read(file: str, digest: Any) -> dict[str, Any]:
    raw = (_FOLDER / file).read_bytes()
    digest.update(raw)
    data: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


def _cue(book: dict[str, Cue], word: str) -> Cue:
    text = word.lower()
    latin = bool(_ENGLISH.fullmatch(text))
    open_end = latin and text.endswith("*")
    if latin:
        text = text.rstrip("*").replace("_", " ")
    return book.setdefault(text, Cue(text, latin=latin, open_end=open_end))


def _cues(book: dict[str, Cue], words: dict[str, str]) -> Iterable[Cue]:
    return [_cue(book, word) for text in words.values() for word in text.split()]


def _add_polarity(book: dict[str, Cue], data: dict[str, Any]) -> None:
    for side, sign in (("positive", 1.0), ("negative", -1.0)):
        for strength, words in data[side].items():
            for word in words.split():
                cue = _cue(book, word)
                weight = sign * _STRENGTH[strength]
                if abs(weight) > abs(cue.polarity) or weight * cue.polarity < 0:
                    cue.polarity = weight
    for word in data.get("silent", "").split():
        cue = _cue(book, word)
        cue.silent = not cue.polarity


def _add_signals(book: dict[str, Cue], signals: dict[str, Any]) -> None:
    for name, words in signals["risk"].items():
        for cue in _cues(book, words):
            cue.risks.add(name)
    for name, words in signals["intent"].items():
        for cue in _cues(book, words):
            cue.intents.add(name)
            if name in ("churn", "complaint") and not cue.polarity:
                cue.polarity = -_STRENGTH["plain"]
    for name, words in signals["emotion"].items():
        for cue in _cues(book, words):
            cue.emotions.add(name)
    for name, words in signals["compliance"].items():
        for cue in _cues(book, words):
            cue.compliance.add(name)
    for cue in _cues(book, signals["urgency"]["urgent"]):
        cue.modifiers |= bit("urgent")


def _settle(book: dict[str, Cue]) -> None:
    """Let each cue say what the shorter cues inside it say, and give it their polarity if it has none."""
    cues = list(book.values())
    inner = AhoCorasick([cue.text for cue in cues])
    negation = bit("negation")
    for cue in sorted(cues, key=lambda one: len(one.text)):
        if cue.silent and not cue.topics and not cue.risks and not cue.intents:
            continue
        own = 0.0
        sign, reached = 1.0, 0
        parts = inner.find_matches_as_indexes(cue.text, overlapping=True)
        for index, start, end in sorted(parts, key=lambda part: (part[1], -part[2])):
            part = cues[index]
            if part is cue or part.silent or (cue.latin and not _is_word(cue.text, start, end)):
                continue
            cue.inherit(part)
            if start >= reached:
                reached = end
                # One sign alone is more often part of a word (银行卡) than a verdict.
                own += part.polarity * sign if end - start > 1 else 0.0
                sign = -0.8 if part.modifiers & negation else 1.0
        if cue.modifiers & bit("resolved"):
            cue.topics = dict.fromkeys(cue.topics, 1)
        if not (cue.polarity or cue.modifiers or cue.latin or cue.silent):
            cue.polarity = max(-1.6, min(1.6, own))


def _is_word(text: str, start: int, end: int) -> bool:
    return (start == 0 or not _wordy(text[start - 1])) and (end == len(text) or not _wordy(text[end]))
