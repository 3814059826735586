"""Ranking texts by shared character n-grams: BM25 over an index of n-grams in memory."""

import math
import threading
import unicodedata
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.facts import FactStore, Selection

Scores = NDArray[np.float32]
_Codes = NDArray[np.uint64]
_Points = NDArray[np.uint32]

MAX_CHARS = 512
_MAX_QUERY = 200
# Chinese says it in one to three characters; a Latin word shows in three to five letters of it.
_HAN_SIZES = (1, 2, 3)
_LATIN_SIZES = (3, 4, 5)
_K1 = 1.2
_B = 0.5
_BLANK = 32
# An n-gram is kept as 40 bits of its hash, beside 24 bits for the text that holds it.
_ROW_BITS = 24


class _Table(NamedTuple):
    """The n-grams of one size: sorted codes, and for each a run of texts that hold it, and how often."""

    codes: _Codes
    starts: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    times: NDArray[np.uint8]

    def holders(self, code: np.uint64) -> slice:
        """Where the texts that hold this n-gram stand."""
        at = int(np.searchsorted(self.codes, code))
        if at == len(self.codes) or self.codes[at] != code:
            return slice(0, 0)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


class _Segment(NamedTuple):
    """Some texts, one after the other, with the tables of their n-grams by size."""

    first: int
    texts: list[_Points]
    tables: dict[int, _Table]


class LexicalTexts:
    """Texts by key with an index of their n-grams; grows by new keys, never re-reads what it holds.

    A key is a hash of its text, so what is held cannot go stale. New texts make a segment of their own;
    segments of like size are joined, so that few remain. Memory: about 20 bytes a character.
    """

    def __init__(self) -> None:
        self.version: object = None
        """Of the store, when it was last read."""
        self._rows: dict[str, int] = {}
        self._keys: list[str] = []
        self._lengths = np.zeros(0, dtype=np.uint16)
        self._segments: list[_Segment] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        """Keys not held yet."""
        return [key for key in text_keys if key not in self._rows]

    def keys(self, rows: Iterable[int]) -> list[str]:
        """The keys of these rows of `scores`."""
        return [self._keys[row] for row in rows]

    def rows(self, text_keys: Sequence[str]) -> NDArray[np.intp]:
        """The rows of these keys in `scores`. KeyError for a key not held."""
        return np.fromiter((self._rows[key] for key in text_keys), dtype=np.intp, count=len(text_keys))

    def add(self, texts: Mapping[str, str]) -> None:
        """Hold more texts."""
        with self._lock:
            new = {key: _points(text) for key, text in texts.items() if key not in self._rows}
            if not new:
                return
            lengths = np.array([len(points) for points in new.values()], dtype=np.uint16)
            segment = _Segment(len(self._keys), list(new.values()), {})
            segments = [*self._segments, segment]
            while len(segments) > 1 and 2 * len(segments[-1].texts) >= len(segments[-2].texts):
                last, before = segments.pop(), segments.pop()
                segments.append(_Segment(before.first, before.texts + last.texts, {}))
            segments[-1] = segments[-1]._replace(tables=_tables(segments[-1].texts))
            self._segments = segments
            self._lengths = np.concatenate([self._lengths, lengths])
            self._rows |= {key: number for number, key in enumerate(new, start=len(self._keys))}
            self._keys.extend(new)

    def scores(self, query: str) -> Scores:
        """BM25 of the query's character n-grams over all texts held, as a share of a full match.

        Shape (len(self),), 0 to 1, in the order of `keys`. Robertson and Zaragoza 2009, with k1 = 1.2 and
        b = 0.5; how rare an n-gram is, is counted over all texts held.
        """
        with self._lock:
            segments, lengths = self._segments, self._lengths
        total = np.zeros(len(lengths), dtype=np.float32)
        if not segments:
            return total
        norm = (_K1 * (1 - _B + _B * lengths / float(lengths.mean()))).astype(np.float32)
        most = 0.0
        for size, grams in _query_grams(query).items():
            for code in grams:
                found = [
                    (one.first, table, table.holders(code))
                    for one in segments
                    if (table := one.tables.get(size)) is not None
                ]
                holding = sum(run.stop - run.start for _, _, run in found)
                rarity = math.log(1.0 + (len(total) - holding + 0.5) / (holding + 0.5))
                most += rarity * (_K1 + 1)
                for first, table, run in found:
                    rows = table.rows[run] + np.uint32(first)
                    times = table.times[run].astype(np.float32)
                    total[rows] += rarity * (_K1 + 1) * times / (times + norm[rows])
        if most:
            total /= most
        return total


_HELD: "weakref.WeakKeyDictionary[FactStore, LexicalTexts]" = weakref.WeakKeyDictionary()
_HELD_LOCK = threading.Lock()


def texts_of(facts: FactStore) -> LexicalTexts:
    """What customers said, held for as long as the store itself and read on after each write."""
    with _HELD_LOCK:
        held = _HELD.setdefault(facts, LexicalTexts())
        version = facts.version()
        if held.version != version:
            # The whole table is read quicker than a long list of keys.
            missing = held.missing(key for key, _ in facts.text_keys(Selection()))
            held.add(facts.texts(missing if len(missing) < 2_000 else None) if missing else {})
            held.version = version
    return held


def fold(text: str) -> str:
    """Compatibility form, lower case, runs of anything but letters and digits as one blank."""
    lowered = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower()
    return " ".join("".join(char if char.isalnum() else " " for char in lowered).split())


def near_duplicates(one: str, other: str, share: float = 0.6) -> bool:
    """Whether two texts share so much of their character bigrams (Jaccard), blanks and marks aside."""
    grams, others = _bigrams(one), _bigrams(other)
    if not grams or not others:
        return fold(one) == fold(other)
    return len(grams & others) >= share * len(grams | others)


def _bigrams(text: str) -> set[str]:
    bare = fold(text).replace(" ", "")
    return {bare[at : at + 2] for at in range(len(bare) - 1)}


def _tables(texts: Sequence[_Points]) -> dict[int, _Table]:
    """The tables of n-grams of some texts, by size."""
    run = np.concatenate(texts)
    owner = np.repeat(np.arange(len(texts), dtype=np.uint64), [len(points) for points in texts])
    if len(texts) >> _ROW_BITS:
        raise ValueError(f"more than {1 << _ROW_BITS} texts in one segment")
    tables = {}
    for size, starts in _gram_starts(run):
        packed = (_mark(_codes_at(run, starts, size)) << np.uint64(_ROW_BITS)) | owner[starts]
        packed.sort()
        fresh = np.flatnonzero(np.concatenate([[True], packed[1:] != packed[:-1]]))
        times = np.minimum(np.diff(np.append(fresh, len(packed))), 255).astype(np.uint8)
        packed = packed[fresh]
        codes = packed >> np.uint64(_ROW_BITS)
        bounds = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        rows = (packed & np.uint64((1 << _ROW_BITS) - 1)).astype(np.uint32)
        starts_of = np.append(bounds, len(codes)).astype(np.uint32)
        tables[size] = _Table(codes[bounds], starts_of, rows, times)
    return tables


def _gram_starts(run: _Points) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """For each size, where n-grams start: Latin ones may begin or end with a blank, others hold none.

    A text begins and ends with a blank, so none reaches from one text into the next.
    """
    blank, latin = run == _BLANK, run < 128
    for size in sorted({*_HAN_SIZES, *_LATIN_SIZES}):
        count = len(run) - size + 1
        if count < 1:
            return
        inner = np.zeros(count, dtype=bool)
        for shift in range(1, size - 1):
            inner |= blank[shift : shift + count]
        edge = blank[:count] | blank[size - 1 : size - 1 + count]
        all_latin = np.ones(count, dtype=bool)
        for shift in range(size):
            all_latin &= latin[shift : shift + count]
        wanted = np.zeros(count, dtype=bool)
        if size in _HAN_SIZES:
            wanted |= ~all_latin & ~inner & ~edge
        if size in _LATIN_SIZES:
            wanted |= all_latin & ~inner
        starts = np.flatnonzero(wanted)
        if len(starts):
            yield size, starts


def _codes_at(run: _Points, starts: NDArray[np.intp], size: int) -> _Codes:
    """One number for the `size` code points from each start (Horner's rule in 64 bits; wraps round)."""
    codes = run[starts].astype(np.uint64)
    for shift in range(1, size):
        codes = codes * np.uint64(0x100000001B3) + run[starts + shift]
    return codes


def _mark(codes: _Codes) -> _Codes:
    """40 bits of a hash: among 10 million n-grams, one query in 100,000 meets a stranger."""
    return (codes * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(_ROW_BITS)


def _query_grams(query: str) -> dict[int, _Codes]:
    """Marks of the question's n-grams by size: Han in ones to threes, Latin in threes to fives."""
    run = _raw(f" {fold(query)[:_MAX_QUERY]} ")
    return {size: np.unique(_mark(_codes_at(run, starts, size))) for size, starts in _gram_starts(run)}


def _points(text: str) -> _Points:
    return _raw(f" {fold(text)} ")


def _raw(text: str) -> _Points:
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
