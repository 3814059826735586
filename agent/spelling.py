"""Mends misspelt words of a question towards words the planner knows; leaves everything else alone."""

import calendar
import re
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache

_LATIN_WORD = re.compile(r"[A-Za-z]{3,}")
_SHORTEST_LATIN = 5
_SHORTEST_CHINESE = 3
_ALIKE = 84.0
# These stand in running text after a word (投诉最多) and are no slip of its last character (投诉率).
_ORDINARY = frozenset("的了最很不太有没在和与也都就还多少高低来去说看问是为会要能吧吗呢啊，。？！、 ")
_MONTHS = frozenset(name.lower() for name in calendar.month_name if name)
_ZH_MONTHS = (*(f"{c}月" for c in "一二三四五六七八九十"), "十一月", "十二月")
_CJK = re.compile(r"[\u3400-\u9fff]")


class Speller:
    """Knows the words worth mending towards: metrics, months, names of the data."""

    def __init__(self, words: Iterable[str]) -> None:
        """`words`: single Latin words and Chinese words; very short ones are only mended where letters are
        swapped (NSP) or a character is written as another of the same sound (石月)."""
        known = {word.lower() for word in words} | _MONTHS
        latin = sorted(w for w in known if w.isascii() and w.isalpha())
        self._latin = [w for w in latin if len(w) >= _SHORTEST_LATIN]
        self._swapped = {"".join(sorted(w)): w for w in latin if len(w) < _SHORTEST_LATIN}
        chinese = [w for w in known if len(w) > 1 and all(_CJK.match(c) for c in w)]
        self._chinese = sorted(w for w in chinese if len(w) >= _SHORTEST_CHINESE)
        self._sounded = sorted({*chinese, *_ZH_MONTHS}, key=len, reverse=True)

    def latin(self, text: str) -> str:
        """Replace Latin words that are one slip away from a known word and begin with its letter."""
        from rapidfuzz import fuzz, process

        def mend(match: re.Match[str]) -> str:
            word = match.group().lower()
            if len(word) < _SHORTEST_LATIN:
                swapped = self._swapped.get("".join(sorted(word)), word)
                return swapped if swapped != word and _one_slip(word, swapped) else match.group()
            if word in self._latin:
                return match.group()
            near = [
                known for known in self._latin if known[0] == word[0] and abs(len(known) - len(word)) <= 1
            ]
            best = process.extractOne(word, near, scorer=fuzz.ratio, score_cutoff=_ALIKE)
            return best[0] if best and _one_slip(word, best[0]) else match.group()

        return _LATIN_WORD.sub(mend, text)

    def homophones(self, text: str, taken: Sequence[tuple[int, int]]) -> str:
        """Replace stretches that sound like a known word, tones and all (净推见值, 广冬).

        `taken`: spans that are understood already. At least half of the characters must be the word's own;
        the length stays.
        """
        free = [_CJK.match(c) is not None for c in text]
        for start, end in taken:
            free[start:end] = [False] * (end - start)
        if sum(free) < 2:
            return text
        sounds = [_sounds(c) if ok else frozenset() for c, ok in zip(text, free, strict=True)]
        for word in self._sounded:
            wanted = [_sounds(c) for c in word]
            for start in range(len(text) - len(word) + 1):
                if not sounds[start] & wanted[0]:
                    continue
                stretch = text[start : start + len(word)]
                same = sum(a == b for a, b in zip(stretch, word, strict=True))
                if 2 * same < len(word) or same == len(word):
                    continue
                if all(a & b for a, b in zip(sounds[start : start + len(word)], wanted, strict=True)):
                    return self.homophones(
                        text[:start] + word + text[start + len(word) :], [*taken, (start, start + len(word))]
                    )
        return text

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


@lru_cache(maxsize=1)
def _simplified_characters() -> dict[int, str]:
    """Traditional characters by the simplified one that stands for each."""
    import zhconv

    characters = [chr(code) for code in range(0x3400, 0xA000)]
    with warnings.catch_warnings():
        # It leaves the file of its table to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        # On a line each, or neighbours would be converted as words.
        converted = zhconv.convert("\n".join(characters), "zh-hans").split("\n")
    pairs = zip(characters, converted, strict=True)
    return {ord(old): new for old, new in pairs if old != new}


@lru_cache(maxsize=1)
def _times_in_pinyin() -> dict[str, str]:
    """Times of the vocabulary by how they are typed without an input method: jiuyue."""
    from pypinyin import lazy_pinyin

    from agent.word_matching import words

    return {"".join(lazy_pinyin(time)): time for time in words()["times_in_pinyin"]}


def times_from_pinyin(text: str) -> str:
    """The text with the times that are typed in pinyin in characters (jiuyue, shanggeyue)."""
    times = _times_in_pinyin() if _LATIN_WORD.search(text) else {}
    return _LATIN_WORD.sub(lambda word: times.get(word.group().lower(), word.group()), text)


def sounds_like(name: str, other: str) -> bool:
    """Whether two Chinese words of one length are said alike, tones aside (浙讲, 浙江)."""
    from pypinyin import lazy_pinyin

    alike = len(name) == len(other) > 1 and name != other and all(_CJK.match(c) for c in name + other)
    return alike and lazy_pinyin(name) == lazy_pinyin(other)


def simplified(text: str) -> str:
    """The text in simplified characters, one for one."""
    return text.translate(_simplified_characters()) if _CJK.search(text) else text


@lru_cache(maxsize=8192)
def _sounds(character: str) -> frozenset[str]:
    from pypinyin import Style, pinyin

    return frozenset(pinyin(character, style=Style.TONE3, heteronym=True)[0])


def _one_slip(word: str, known: str) -> bool:
    """One letter wrong, missing, doubled, or two swapped; a plural is no slip."""
    from rapidfuzz.distance import DamerauLevenshtein

    if word.rstrip("s") == known.rstrip("s"):
        return False
    return DamerauLevenshtein.distance(word, known) == 1
