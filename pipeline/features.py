"""Texts to hashed n-grams, a whole batch at once in numpy.

Chinese: character 1- to 3-grams. English: word 1- and 2-grams. Feature hashing after Weinberger et al. 2009
(without the sign: 2^18 buckets hold the n-grams of short reviews with few collisions).
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

BUCKETS: Final = 1 << 18
_MULTIPLIERS: Final = (np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D))
_DIGITS: Final = re.compile(r"\d+")
_NOT_CHINESE_FEATURE: Final = re.compile(
    r"\[[a-z_]+\]|[^\u3400-\u9fffa-z0！？!?%~\U0001f300-\U0001faff\u2600-\u27bf]+"
)
_NOT_WORD: Final = re.compile(r"\[[a-z_]+\]|[^a-z'!?\U0001f300-\U0001faff]+")
_MARKS: Final = re.compile(r"([!?]|[\U0001f300-\U0001faff])")


class Grams(NamedTuple):
    """`buckets` of all texts, one after the other; text i owns `buckets[offsets[i]:offsets[i + 1]]`."""

    buckets: NDArray[np.uint32]
    offsets: NDArray[np.int64]


def character_grams(texts: Sequence[str]) -> Grams:
    """Hash the character 1- to 3-grams of each text; shapes (n,) buckets, (len(texts) + 1,) offsets."""
    plain = [
        _NOT_CHINESE_FEATURE.sub(" ", _DIGITS.sub("0", text.lower().replace("’", "'"))) for text in texts
    ]
    return _hash(plain, [len(text) for text in plain], _codes(plain), 3, skip=32)


def word_grams(texts: Sequence[str]) -> Grams:
    """Hash the words and word pairs of each text; shapes as `character_grams`."""
    words = [
        _NOT_WORD.sub(" ", _MARKS.sub(r" \1 ", text.lower().replace("’", "'"))).split() for text in texts
    ]
    flat = [word for line in words for word in line]
    if not flat:
        return Grams(np.zeros(0, np.uint32), np.zeros(len(texts) + 1, np.int64))
    lengths = np.fromiter((len(word) for word in flat), np.int64, len(flat))
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    signs = _codes(flat)
    place = np.arange(len(signs), dtype=np.int64) - np.repeat(starts, lengths)
    mixed = _mix(signs * _MULTIPLIERS[0] + place.astype(np.uint32) * _MULTIPLIERS[1])
    codes = np.add.reduceat(mixed, starts).astype(np.uint32)
    return _hash(words, [len(line) for line in words], codes, 2, skip=None)


def _codes(texts: Sequence[str]) -> NDArray[np.uint32]:
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _mix(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    codes = (codes ^ (codes >> np.uint32(15))) * _MULTIPLIERS[2]
    return codes ^ (codes >> np.uint32(13))


def _hash(
    texts: Sequence[object], sizes: Sequence[int], codes: NDArray[np.uint32], order: int, skip: int | None
) -> Grams:
    """Hash runs of 1..order codes that stay inside one text and hold no `skip` code."""
    owner = np.repeat(np.arange(len(texts), dtype=np.int64), sizes)
    usable = codes != skip if skip is not None else np.ones(len(codes), dtype=bool)
    running = np.zeros(len(codes), dtype=np.uint32)
    found: list[NDArray[np.uint32]] = []
    owners: list[NDArray[np.int64]] = []
    for size in range(1, order + 1):
        last = len(codes) - size + 1
        if last <= 0:
            break
        running = running[:last] * _MULTIPLIERS[1] + _mix(codes[size - 1 :] + np.uint32(size))
        usable = usable[:last] & ((codes[size - 1 :] != skip) if skip is not None else True)
        kept = usable & (owner[:last] == owner[size - 1 :])
        found.append(_mix(running[kept]) % np.uint32(BUCKETS))
        owners.append(owner[:last][kept])
    if not found:
        return Grams(np.zeros(0, np.uint32), np.zeros(len(texts) + 1, np.int64))
    buckets, text = np.concatenate(found), np.concatenate(owners)
    order_of = np.argsort(text, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(np.bincount(text, minlength=len(texts))))).astype(np.int64)
    return Grams(buckets[order_of], offsets)
