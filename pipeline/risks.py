"""Risk signals and regulated matters that a text means, not those that it merely names."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from pipeline.clauses import Reading
from pipeline.cue_context import load_context
from pipeline.cue_table import COMPLIANCE, RISKS
from pipeline.lexicon import Lexicon
from pipeline.readings import lowered
from store.records import Sentiment

# These are signals only of somebody who is not content: people swear in praise too.
_NOT_IN_PRAISE: Final = frozenset({"repeat", "silence", "conflict"})
# The first comment of a pattern: words of which the text must hold one.
_WORDS: Final = re.compile(r"\(\?#([^)]+)\)")


class Rival(NamedTuple):
    """A rival's name and where it stands in the text."""

    name: str
    start: int
    end: int


class _Gate:
    """Which patterns of rivals a text can match at all, by the words that their first comment names."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        named = [_WORDS.match(pattern.pattern) for pattern in patterns]
        self._ungated = [at for at, words in enumerate(named) if words is None]
        held = [(word, at) for at, words in enumerate(named) if words for word in words[1].split("|")]
        self._opens = [at for _, at in held]
        self._automaton = AhoCorasick([word for word, _ in held])

    def open(self, lowered_text: str) -> list[int]:
        """Places of the patterns to try, in their order."""
        found = self._automaton.find_matches_as_indexes(lowered_text, overlapping=True)
        if not found:
            return self._ungated
        return sorted({*self._ungated, *(self._opens[index] for index, _, _ in found)})


@lru_cache(maxsize=8)
def _known_gates(_fingerprint: str) -> list[_Gate]:
    """A place to keep the gate of one lexicon."""
    return []


def _gate(lexicon: Lexicon) -> _Gate:
    kept = _known_gates(lexicon.fingerprint)
    if not kept:
        kept.append(_Gate(lexicon.rival_patterns))
    return kept[0]


def find_rivals(text: str, lexicon: Lexicon) -> list[Rival]:
    """Rivals by name, where the text says it moves to them or compares with them."""
    return [
        Rival(match[1], match.start(1), match.end(1))
        for pattern in (lexicon.rival_patterns[at] for at in _gate(lexicon).open(text.lower()))
        # Nearly no text names a rival, and to search is quicker than to make an iterator.
        if pattern.search(text) is not None
        for match in pattern.finditer(text)
        if not _is_no_rival(match[1], lexicon.not_rivals)
    ]


def _is_no_rival(name: str, not_rivals: tuple[str, ...]) -> bool:
    """A Latin word has to be the same; a Chinese one need only begin so (别的平台)."""
    return any(name == word or (not word.isascii() and name.startswith(word)) for word in not_rivals)


def find_risks(
    text: str, reading: Reading, sentiment: Sentiment, rivals: Sequence[Rival] = ()
) -> tuple[str, ...]:
    """Risk signals that are meant: not denied, quoted, hearsay, supposed, settled or a part of the product.

    Going to one of `rivals`, or finding it better, is a signal without any cue.
    """
    plain = lowered(text)
    context = load_context()
    meant = (context.is_meant("risk", "competitor", plain, start, end) for _, start, end in rivals)
    found = {"competitor"} if any(meant) else set()
    for cue, start, end in reading.cues(RISKS):
        for risk in cue.risks:
            name = risk.rstrip("?")
            if name in found or (name in _NOT_IN_PRAISE and not _is_unhappy(reading, sentiment, risk)):
                continue
            if context.is_meant("risk", risk, plain, start, end):
                found.add(name)
    return tuple(sorted(found))


def _is_unhappy(reading: Reading, sentiment: Sentiment, risk: str) -> bool:
    """`again` (repeat?) takes a negative text; giving up, a third time and insults any but praise.

    Praise is what the model calls so and some word of praise bears out.
    """
    if risk == "repeat?":
        return sentiment is Sentiment.NEGATIVE
    return sentiment is not Sentiment.POSITIVE or sum(clause.balance for clause in reading.clauses) <= 0


def find_flags(text: str, reading: Reading) -> tuple[str, ...]:
    """Compliance flags: regulated matters that happened, by what the writer says."""
    return tuple(sorted(set(_flags(text, reading))))


def _flags(text: str, reading: Reading) -> Iterator[str]:
    plain = lowered(text)
    context = load_context()
    for cue, start, end in reading.cues(COMPLIANCE):
        for flag in cue.compliance:
            if context.is_meant("compliance", flag, plain, start, end):
                yield flag.rstrip("?")
