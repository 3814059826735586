"""Puts right how a question is written: slips of spelling, dates in digits, names that are shortened."""

import re

from agent.frame import Doubt
from agent.period_reading import PeriodReader
from agent.ranges import overlaps
from agent.spelling import simplified, times_from_pinyin
from agent.vocabulary import Vocabulary
from agent.word_matching import matcher

# Words that are themselves and no slip of another.
_PLAIN_WORDS = ("goals", "generic", "up", "down", "lowest", "highest", "search_noise", "overview")
# 202607 and 20260701 as people write them in files.
_DIGITS = re.compile(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?(?!\d)")
_CAPITALS = re.compile(r"(?<![A-Za-z])[A-Z][a-z&'-]*[A-Za-z]{3,}(?: [A-Z][A-Za-z&'-]+)*")


class Mender:
    """Mends towards the words of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, periods: PeriodReader) -> None:
        self._vocabulary = vocabulary
        self._periods = periods
        self._speller = vocabulary.speller()

    def names(self, question: str, unknown: tuple[str, ...]) -> tuple[str, tuple[Doubt, ...]]:
        """The question with unknown and shortened names as the data writes them, and which were read so."""
        written = [*unknown, *self._shortened(question)]
        question, doubts = simplified(question), []
        for name in dict.fromkeys(written):
            near = self._vocabulary.meant_by(name)
            if near is not None:
                question = question.replace(name, near.value)
                doubts.append(Doubt(name, near.value, near.dimension))
        return question, tuple(doubts)

    def one_character(self, text: str) -> str:
        """The text with the first Chinese word that has one wrong character put right."""
        return self._speller.chinese(text)

    def spelling(self, text: str) -> str:
        """Slips of spelling put right, except within words that are understood as they are."""
        text = _DIGITS.sub(
            lambda m: "-".join(part for part in m.groups() if part),
            self._speller.latin(times_from_pinyin(simplified(text))),
        )
        words = [*self._vocabulary.metrics(text), *self._vocabulary.dimensions(text)]
        words += [hit for section in _PLAIN_WORDS for hit in matcher(section).find(text)]
        taken = [(hit.start, hit.end) for hit in words if hit.end - hit.start > 1] + [
            span for span, _ in self._periods.find(text)
        ]
        taken += [(hit.start, hit.end) for hit in self._vocabulary.values(text)]
        return self._speller.homophones(text, taken)

    def _shortened(self, question: str) -> list[str]:
        """Names in capitals that the data has as part of one longer name (Qantas, of qantas-airways)."""
        taken = [(hit.start, hit.end) for hit in self._vocabulary.values(question)]
        names = [m for m in _CAPITALS.finditer(question) if not overlaps(m.span(), taken)]
        return [m.group() for m in names if self._vocabulary.shortens(m.group())]
