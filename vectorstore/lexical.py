"""Ranking texts by shared character n-grams: exact, without an index, quick enough to scan them all."""

import math
import threading
import unicodedata
import weakref
from collections.abc import Iterable, Sequence

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

    A key is a hash of its text, so what is held cannot go stale. Memory: about 4 bytes a character.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._points: list[NDArray[np.uint32]] = []
        self._lock = threading.Lock()

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        """Keys not held yet."""
        return [key for key in text_keys if key not in self._rows]

    def add(self, texts: dict[str, str]) -> None:
        """Hold more texts."""
        with self._lock:
            for key, text in texts.items():
                if key not in self._rows:
                    self._points.append(_points(text))
                    self._rows[key] = len(self._points) - 1

    def scores(self, query: str, text_keys: Sequence[str]) -> Scores:
        """BM25 of the query's character n-grams over these texts, as a share of a full match.

        Shape (len(text_keys),), 0 to 1. Robertson and Zaragoza 2009, with k1 = 1.2 and b = 0.5; how rare
        an n-gram is, is counted within these texts. KeyError for a key not held.
        """
        if not text_keys:
            return np.empty(0, dtype=np.float32)
        parts = [self._points[self._rows[key]] for key in text_keys]
        lengths = np.array([len(part) for part in parts])
        run = np.concatenate(parts).astype(np.uint64)
        owner = np.repeat(np.arange(len(parts)), lengths)
        norm = _K1 * (1 - _B + _B * lengths / max(1.0, float(lengths.mean())))
        total = np.zeros(len(parts))
        most = 0.0
        for size, grams in _query_grams(query).items():
            codes = _codes(run, size)
            within = owner[: len(codes)] == owner[size - 1 :] if len(codes) else np.empty(0, dtype=bool)
            for gram in grams:
                found = np.flatnonzero(codes == gram)
                times = np.bincount(owner[found[within[found]]], minlength=len(parts))
                holding = int((times > 0).sum())
                rarity = math.log(1.0 + (len(parts) - holding + 0.5) / (holding + 0.5))
                most += rarity * (_K1 + 1)
                if holding:
                    total += rarity * times * (_K1 + 1) / (times + norm)
        shares: Scores = (total / most if most else total).astype(np.float32)
        return shares


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


def _points(text: str) -> NDArray[np.uint32]:
    folded = f" {fold(text)} ".encode("utf-32-le", "replace")
    return np.frombuffer(folded, dtype="<u4")


def _codes(run: _Codes, size: int) -> _Codes:
    """One number for each run of `size` code points (Horner's rule in 64 bits; wraps round)."""
    if len(run) < size:
        return run[:0]
    codes = run[: len(run) - size + 1].copy()
    for shift in range(1, size):
        codes = codes * np.uint64(0x100000001B3) + run[shift : len(run) - size + 1 + shift]
    return codes


def _query_grams(query: str) -> dict[int, list[np.uint64]]:
    """Codes of the question's n-grams by size: of Han characters one to three, of Latin words three to five."""
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
        size: [_codes(_points_of(gram), size)[0] for gram in sorted(grams)] for size, grams in wanted.items()
    }


def _points_of(gram: str) -> _Codes:
    return np.frombuffer(gram.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
