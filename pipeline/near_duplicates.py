"""Texts that say the same in nearly the same words: MinHash to find, edit distance to verify."""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 64
BANDS = 16
LEAST_SIMILARITY = 80.0
SHORTEST = 6
MOST_HELD = 100_000
_MOST_CANDIDATES = 20
_DROPPED = re.compile(r"[\W_]+")

Signatures = NDArray[np.uint32]


class NearDuplicates:
    """Groups texts as they come in; the first of a group represents it.

    Candidates share character bigrams (MinHash of 64 permutations, Broder 1997, in 16 bands of 4, Indyk and
    Motwani 1998: pairs of Jaccard similarity 0.6 meet with probability 0.89, of 0.3 with 0.12); of these,
    texts whose normalised Indel similarity is at least 80 of 100 belong together. Texts under 6 characters
    (punctuation aside) are too short to tell chance from copying. The latest 100,000 representatives are
    remembered, so memory is flat.
    """

    def __init__(self, held: int = MOST_HELD) -> None:
        self._held = held
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._bands_of: dict[str, list[bytes]] = {}
        self._bands: list[dict[bytes, list[str]]] = [{} for _ in range(BANDS)]
        generator = np.random.default_rng(1)
        self._factors = generator.integers(1, 1 << 63, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
        self._offsets = generator.integers(0, 1 << 63, PERMUTATIONS, dtype=np.uint64)

    def group(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return {text key: key of the representative} for those of `texts` that repeat an earlier text.

        `texts` maps text keys to texts; the others of them become representatives.
        """
        bare = {key: _DROPPED.sub("", text.lower()) for key, text in texts.items()}
        fresh = [key for key, text in bare.items() if len(text) >= SHORTEST and key not in self._texts]
        if not fresh:
            return {}
        groups: dict[str, str] = {}
        for key, bands in zip(fresh, self._banded([bare[key] for key in fresh]), strict=True):
            found = self._find(bare[key], bands)
            if found is None:
                self._remember(key, bare[key], bands)
            else:
                groups[key] = found
        return groups

    def _find(self, text: str, bands: list[bytes]) -> str | None:
        from rapidfuzz import fuzz, process

        candidates = {
            key for band, held in zip(bands, self._bands, strict=True) for key in held.get(band, ())
        }
        if not candidates:
            return None
        # Sorted, so that ties and the bound do not hang on the order of a set.
        ordered = sorted(candidates)[:_MOST_CANDIDATES]
        best = process.extractOne(
            text, [self._texts[key] for key in ordered], scorer=fuzz.ratio, score_cutoff=LEAST_SIMILARITY
        )
        return None if best is None else ordered[best[2]]

    def _remember(self, key: str, text: str, bands: list[bytes]) -> None:
        if len(self._texts) >= self._held:
            self._forget()
        self._texts[key] = text
        self._bands_of[key] = bands
        for band, held in zip(bands, self._bands, strict=True):
            held.setdefault(band, []).append(key)

    def _forget(self) -> None:
        oldest, _ = self._texts.popitem(last=False)
        for band, held in zip(self._bands_of.pop(oldest), self._bands, strict=True):
            held[band].remove(oldest)
            if not held[band]:
                del held[band]

    def _banded(self, texts: Sequence[str]) -> list[list[bytes]]:
        width = PERMUTATIONS // BANDS * 4
        rows = (row.tobytes() for row in self._signatures(texts))
        return [[row[start : start + width] for start in range(0, PERMUTATIONS * 4, width)] for row in rows]

    def _signatures(self, texts: Sequence[str]) -> Signatures:
        # All texts in one array of code points; a bigram is two neighbours, and a text's minimum a reduceat.
        points = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), dtype=np.uint32).astype(
            np.uint64
        )
        lengths = np.array([len(text) for text in texts])
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        bigrams = np.append((points[:-1] << np.uint64(21)) | points[1:], np.uint64(0))
        # Spread neighbouring code points over all bits before the permutations (splitmix64's finaliser).
        bigrams = (bigrams ^ (bigrams >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bigrams = (bigrams ^ (bigrams >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        # The last position of a text would pair it with the next one.
        last = starts + lengths - 1
        signatures = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
        for place in range(PERMUTATIONS):
            # Multiply-add-shift: the high half of an odd multiple modulo 2^64 (Dietzfelbinger 1997).
            hashed = (bigrams * self._factors[place] + self._offsets[place]) >> np.uint64(32)
            hashed[last] = np.uint64(0xFFFFFFFF)
            signatures[:, place] = np.minimum.reduceat(hashed, starts)
        return signatures
