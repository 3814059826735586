"""Ranking texts by shared character n-grams: exact, without an index, quick enough to scan them all."""

import math
import threading
import unicodedata
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from store.facts import FactStore

Scores = NDArray[np.float32]
_Codes = NDArray[np.uint64]

MAX_CHARS = 512
_MAX_QUERY = 200
# Chinese says it in one to three characters; a Latin word shows in three to five letters of it.
_HAN_SIZES = (1, 2, 3)
_LATIN_SIZES = (3, 4, 5)
_K1 = 1.2
_B = 0.5


class LexicalTexts:
    """Texts by key as one run of code points; grows by new keys, never re-reads what it holds.

    A key is a hash of its text, so what is held cannot go stale. Memory: 4 bytes a character, and 2
    more for each size of n-gram that was asked for.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._starts = np.zeros(1, dtype=np.intp)
        self._run = np.empty(0, dtype=np.uint32)
        self._marks: dict[int, NDArray[np.uint16]] = {}
        self._lock = threading.Lock()

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        """Keys not held yet."""
        return [key for key in text_keys if key not in self._rows]

    def add(self, texts: Mapping[str, str]) -> None:
        """Hold more texts."""
        with self._lock:
            new = {key: _points(text) for key, text in texts.items() if key not in self._rows}
            if not new:
                return
            ends = self._starts[-1] + np.cumsum([len(points) for points in new.values()])
            self._run = np.concatenate([self._run, *new.values()])
            self._starts = np.concatenate([self._starts, ends])
            self._rows |= {key: number for number, key in enumerate(new, start=len(self._rows))}
            self._marks = {}

    def scores(self, query: str, text_keys: Sequence[str]) -> Scores:
        """BM25 of the query's character n-grams over these texts, as a share of a full match.

        Shape (len(text_keys),), 0 to 1. Robertson and Zaragoza 2009, with k1 = 1.2 and b = 0.5; how rare
        an n-gram is, is counted within these texts. KeyError for a key not held.
        """
        if not text_keys:
            return np.empty(0, dtype=np.float32)
        with self._lock:
            rows = np.array([self._rows[key] for key in text_keys])
            place = np.full(len(self._starts) - 1, -1)
            place[rows] = np.arange(len(rows))
            lengths = np.diff(self._starts)[rows]
            norm = _K1 * (1 - _B + _B * lengths / float(lengths.mean()))
            total = np.zeros(len(rows))
            most = 0.0
            for size, grams in _query_grams(query).items():
                for holders, times in self._occurrences(size, grams, place, len(rows)):
                    rarity = math.log(1.0 + (len(rows) - len(holders) + 0.5) / (len(holders) + 0.5))
                    most += rarity * (_K1 + 1)
                    total[holders] += rarity * times * (_K1 + 1) / (times + norm[holders])
        shares: Scores = (total / most if most else total).astype(np.float32)
        return shares

    def _occurrences(
        self, size: int, grams: _Codes, place: NDArray[np.intp], texts: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """For each of the sorted `grams`: the texts (by their place) that hold it, and how often.

        A table of 65,536 marks passes over nearly all positions in one look-up each.
        """
        if size not in self._marks:
            self._marks[size] = _mark(_codes(self._run, size))
        wanted = np.zeros(1 << 16, dtype=bool)
        wanted[_mark(grams)] = True
        likely = np.flatnonzero(wanted[self._marks[size]])
        codes = _codes_at(self._run, likely, size)
        number = np.minimum(np.searchsorted(grams, codes), len(grams) - 1)
        row = np.searchsorted(self._starts, likely, side="right") - 1
        whole = (grams[number] == codes) & (likely + size <= self._starts[row + 1]) & (place[row] >= 0)
        pairs, times = np.unique(number[whole] * texts + place[row[whole]], return_counts=True)
        bounds = np.searchsorted(pairs, np.arange(len(grams) + 1) * texts)
        for low, high in pairwise(bounds):
            yield pairs[low:high] % texts, times[low:high]


_HELD: "weakref.WeakKeyDictionary[FactStore, LexicalTexts]" = weakref.WeakKeyDictionary()
_HELD_LOCK = threading.Lock()


def texts_of(facts: FactStore, text_keys: Sequence[str]) -> LexicalTexts:
    """The texts of this store, held for as long as the store itself, with these keys read in."""
    with _HELD_LOCK:
        held = _HELD.setdefault(facts, LexicalTexts())
    missing = held.missing(text_keys)
    if missing:
        # The whole table is read quicker than a long list of keys.
        held.add(facts.texts(missing if len(missing) < 2_000 else None))
        held.add(facts.texts(again) if (again := held.missing(missing)) else {})
    return held


def fold(text: str) -> str:
    """Compatibility form, lower case, runs of anything but letters and digits as one blank."""
    lowered = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower()
    return " ".join("".join(char if char.isalnum() else " " for char in lowered).split())


def _codes(run: NDArray[np.uint32], size: int) -> _Codes:
    """One number for each run of `size` code points."""
    return _codes_at(run, np.arange(max(0, len(run) - size + 1)), size)


def _codes_at(run: NDArray[np.uint32], starts: NDArray[np.intp], size: int) -> _Codes:
    """One number for the `size` code points from each start (Horner's rule in 64 bits; wraps round)."""
    codes = run[starts].astype(np.uint64)
    for shift in range(1, size):
        codes = codes * np.uint64(0x100000001B3) + run[starts + shift]
    return codes


def _mark(codes: _Codes) -> NDArray[np.uint16]:
    return ((codes * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(48)).astype(np.uint16)


def _query_grams(query: str) -> dict[int, _Codes]:
    """Sorted codes of the question's n-grams by size: Han in ones to threes, Latin in threes to fives."""
    folded = f" {fold(query)[:_MAX_QUERY]} "
    wanted: dict[int, set[str]] = {}
    for size in sorted({*_HAN_SIZES, *_LATIN_SIZES}):
        for start in range(len(folded) - size + 1):
            gram = folded[start : start + size]
            latin = gram.isascii()
            if " " in (gram[1:-1] if latin else gram) or not gram.strip():
                continue
            if size in (_LATIN_SIZES if latin else _HAN_SIZES):
                wanted.setdefault(size, set()).add(gram)
    return {
        size: np.unique(np.concatenate([_codes(_raw(gram), size) for gram in grams]))
        for size, grams in wanted.items()
    }


def _points(text: str) -> NDArray[np.uint32]:
    return _raw(f" {fold(text)} ")


def _raw(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
