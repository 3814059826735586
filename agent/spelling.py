"""Mends misspelt words of a question towards words the planner knows; leaves everything else alone."""

import calendar
import re
from collections.abc import Iterable

_LATIN_WORD = re.compile(r"[A-Za-z]{5,}")
_SHORTEST_LATIN = 5
_SHORTEST_CHINESE = 3
_ALIKE = 84.0
# These stand in running text after a word (投诉最多) and are no slip of its last character (投诉率).
_ORDINARY = frozenset("的了最很不太有没在和与也都就还多少高低来去说看问是为会要能吧吗呢啊，。？！、 ")
_MONTHS = frozenset(name.lower() for name in calendar.month_name if name)


class Speller:
    """Knows the words worth mending towards: metrics, months, names of the data."""

    def __init__(self, words: Iterable[str]) -> None:
        """`words`: single Latin words and Chinese words; shorter ones are ignored."""
        known = {word.lower() for word in words} | _MONTHS
        self._latin = sorted(w for w in known if w.isascii() and w.isalpha() and len(w) >= _SHORTEST_LATIN)
        self._chinese = sorted(w for w in known if not w.isascii() and len(w) >= _SHORTEST_CHINESE)

    def latin(self, text: str) -> str:
        """Replace Latin words that are one slip away from a known word and begin with its letter."""
        from rapidfuzz import fuzz, process

        def mend(match: re.Match[str]) -> str:
            word = match.group().lower()
            if word in self._latin:
                return match.group()
            near = [
                known for known in self._latin if known[0] == word[0] and abs(len(known) - len(word)) <= 1
            ]
            best = process.extractOne(word, near, scorer=fuzz.ratio, score_cutoff=_ALIKE)
            return best[0] if best and _one_slip(word, best[0]) else match.group()

        return _LATIN_WORD.sub(mend, text)

    def chinese(self, text: str) -> str:
        """Replace the first stretch that differs from a known Chinese word in one character (满意读)."""
        for word in sorted(self._chinese, key=len, reverse=True):
            size = len(word)
            for start in range(len(text) - size + 1):
                stretch = text[start : start + size]
                differing = sum(a != b for a, b in zip(stretch, word, strict=True))
                slipped = next((a for a, b in zip(stretch, word, strict=True) if a != b), "")
                if differing == 1 and slipped not in _ORDINARY and stretch[0] == word[0]:
                    return text[:start] + word + text[start + size :]
        return text


def _one_slip(word: str, known: str) -> bool:
    """One letter wrong, missing, doubled, or two swapped; a plural is no slip."""
    from rapidfuzz.distance import DamerauLevenshtein

    if word.rstrip("s") == known.rstrip("s"):
        return False
    return DamerauLevenshtein.distance(word, known) == 1
