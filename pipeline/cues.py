"""Cue words, and the book they are collected in before it is compiled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ahocorasick_rs import AhoCorasick

STRENGTH: Final = {"strong": 1.6, "plain": 1.0, "weak": 0.4}
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
    "ironic",
    "redeeming",
)
BREAK: Final = 1 << 30
SENTENCE: Final = 1 << 31
_BREAKS: Final = "，,、；;：:~～|—…(（)）"
_SENTENCE_ENDS: Final = "。.！!？?\n"
MARKS: Final = _BREAKS + _SENTENCE_ENDS
_ENGLISH: Final = re.compile(r"[a-z0-9'_*&+/ .\-]+", re.IGNORECASE)


@dataclass(slots=True)
class Cue:
    """What one word or phrase says. Bit i of `modifiers` is MODIFIERS[i]; BREAK and SENTENCE are two more.

    `settled`: a pack or a user has said what it speaks of; general words inside it add no topic.
    """

    text: str
    polarity: float = 0.0
    modifiers: int = 0
    silent: bool = False
    latin: bool = False
    open_end: bool = False
    settled: bool = False
    topics: dict[str, int] = field(default_factory=dict)
    risks: set[str] = field(default_factory=set)
    intents: set[str] = field(default_factory=set)
    emotions: set[str] = field(default_factory=set)
    compliance: set[str] = field(default_factory=set)

    def inherit(self, other: "Cue") -> None:
        """Take over what a shorter cue inside this one says (a longest match hides the shorter)."""
        if other.settled or not self.settled:
            for topic, polarity in other.topics.items():
                self.topics.setdefault(topic, polarity)
        self.risks |= other.risks
        self.intents |= other.intents - {"praise"}
        self.modifiers |= other.modifiers & bit("desire")
        self.emotions |= other.emotions
        self.compliance |= other.compliance

    def hush(self) -> None:
        """Say nothing any more but what grammar it carries; still hide the shorter words inside."""
        self.polarity, self.silent = 0.0, True
        for held in (self.topics, self.risks, self.intents, self.emotions, self.compliance):
            held.clear()


class Book:
    """Cues by their text, in the order in which they were first named."""

    def __init__(self) -> None:
        self.cues: dict[str, Cue] = {}

    def cue(self, word: str) -> Cue:
        """The cue of a word; `_` is a space and a final `*` any ending where the word is Latin."""
        text = word.lower()
        latin = text.isascii() and _ENGLISH.fullmatch(text) is not None
        open_end = latin and text.endswith("*")
        if latin:
            text = text.rstrip("*").replace("_", " ")
        found = self.cues.get(text)
        if found is None:
            found = self.cues[text] = Cue(text, latin=latin, open_end=open_end)
        return found

    def listed(self, words: Mapping[str, str]) -> list[Cue]:
        """The cues of words by language, separated by white space."""
        return [self.cue(word) for text in words.values() for word in text.split()]

    def add_polarity(self, data: Mapping[str, Any]) -> None:
        """Words by side and strength; of two strengths the greater counts, of two sides the later."""
        for side, sign in (("positive", 1.0), ("negative", -1.0)):
            for strength, words in data[side].items():
                weight = sign * STRENGTH[strength]
                for word in words.split():
                    cue = self.cue(word)
                    if abs(weight) > abs(cue.polarity) or weight * cue.polarity < 0:
                        cue.polarity = weight
        for word in data.get("silent", "").split():
            cue = self.cue(word)
            cue.silent = not cue.polarity

    def add_topics(self, topics: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """Words by topic; `positive` and `negative` ones also say how, and are a verdict if nothing else."""
        for topic, kinds in topics.items():
            for kind, polarity in (("any", 0), ("positive", 1), ("negative", -1)):
                for cue in self.listed(kinds.get(kind, {})):
                    cue.topics[topic] = polarity or cue.topics.get(topic, 0)
                    if polarity and not cue.polarity:
                        cue.polarity = float(polarity)

    def add_signals(self, signals: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """Words by risk, intent, emotion and compliance flag."""
        for name, words in signals.get("risk", {}).items():
            for cue in self.listed(words):
                cue.risks.add(name)
        for name, words in signals.get("intent", {}).items():
            for cue in self.listed(words):
                cue.intents.add(name)
                if name in ("churn", "complaint") and not cue.polarity:
                    cue.polarity = -STRENGTH["plain"]
        for name, words in signals.get("emotion", {}).items():
            for cue in self.listed(words):
                cue.emotions.add(name)
        for name, words in signals.get("compliance", {}).items():
            for cue in self.listed(words):
                cue.compliance.add(name)

    def add_modifiers(self, modifiers: Mapping[str, Mapping[str, str]]) -> None:
        """Words that change what stands near them."""
        for modifier, words in modifiers.items():
            for cue in self.listed(words):
                cue.modifiers |= bit(modifier)

    def add_marks(self) -> None:
        """Punctuation, which ends clauses and sentences."""
        for marks, flag in ((_BREAKS, BREAK), (_SENTENCE_ENDS, BREAK | SENTENCE)):
            for mark in marks:
                self.cue(mark).modifiers |= flag

    def settle(self) -> None:
        """Let each cue say what the shorter cues inside it say, and give it their polarity if it has none."""
        cues = list(self.cues.values())
        find = AhoCorasick([cue.text for cue in cues]).find_matches_as_indexes
        for cue in sorted(cues, key=lambda one: len(one.text)):
            if cue.silent and not cue.topics and not cue.risks and not cue.intents:
                continue
            parts = find(cue.text, overlapping=True)
            # Most cues have nothing but themselves in them.
            own = _take_over(cue, parts, cues) if len(parts) > 1 else 0.0
            if cue.modifiers & _RESOLVED:
                cue.topics = dict.fromkeys(cue.topics, 1)
            if not (cue.polarity or cue.modifiers or cue.latin or cue.silent):
                cue.polarity = max(-1.6, min(1.6, own))


def bit(modifier: str) -> int:
    """The bit of a modifier's name."""
    return 1 << MODIFIERS.index(modifier)


_RESOLVED: Final = bit("resolved")
_NEGATION: Final = bit("negation")


def is_wordy(sign: str) -> bool:
    """Whether a sign continues a Latin word."""
    return "a" <= sign <= "z" or "0" <= sign <= "9" or "\u00df" <= sign <= "\u024f"


def _take_over(cue: Cue, parts: list[tuple[int, int, int]], cues: list[Cue]) -> float:
    """Inherit from the cues inside; return the sum of their polarity, negations applied."""
    own, sign, reached = 0.0, 1.0, 0
    for index, start, end in sorted(parts, key=lambda part: (part[1], -part[2])):
        part = cues[index]
        if part is cue or part.silent or (cue.latin and not _is_word(cue.text, start, end)):
            continue
        cue.inherit(part)
        if start >= reached:
            reached = end
            # One sign alone is more often part of a word (银行卡) than a verdict.
            own += part.polarity * sign if end - start > 1 else 0.0
            sign = -0.8 if part.modifiers & _NEGATION else 1.0
    return own


def _is_word(text: str, start: int, end: int) -> bool:
    return (start == 0 or not is_wordy(text[start - 1])) and (end == len(text) or not is_wordy(text[end]))
