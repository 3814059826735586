"""Vectors as rows of one file, mapped into memory: what Chroma holds, to be read by key in no time.

Chroma takes seconds to hand out 10,000 vectors; here they are pages of a file that all processes share.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectorstore.embedder import Vectors


class VectorFile:
    """Two files beside the index: `.f32` (rows, little endian) and `.keys` (a key a line, in the same order).

    Rows are written before their keys: a row without a key, left by a crash, is written over.
    """

    def __init__(self, stem: Path, dimension: int) -> None:
        self._rows_path = stem.with_name(stem.name + ".f32")
        self._keys_path = stem.with_name(stem.name + ".keys")
        self._width = 4 * dimension
        self._dimension = dimension
        self._places: dict[str, int] = {}
        self._mapped: Vectors = np.empty((0, dimension), dtype=np.float32)
        self._read()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def put(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Append the vectors of new keys, replace those of known ones. OSError where there is no room."""
        new = [at for at, key in enumerate(keys) if key not in self._places]
        rows = vectors.astype("<f4", copy=False)
        self._rows_path.touch()
        with self._rows_path.open("r+b") as file:
            for at, key in enumerate(keys):
                if (place := self._places.get(key)) is not None:
                    file.seek(place * self._width)
                    file.write(rows[at].tobytes())
            file.seek(len(self._places) * self._width)
            file.write(rows[new].tobytes())
        if new:
            with self._keys_path.open("a", encoding="utf-8") as file_of_keys:
                file_of_keys.writelines(keys[at] + "\n" for at in new)
            places = {keys[at]: place for place, at in enumerate(new, start=len(self._places))}
            # Rows first: another thread may look up a key in between.
            self._map(len(self._places) + len(new))
            self._places |= places

    def places(self, keys: Sequence[str]) -> NDArray[np.intp]:
        """Rows of these keys, -1 for one that is not held."""
        return np.fromiter((self._places.get(key, -1) for key in keys), dtype=np.intp, count=len(keys))

    @property
    def rows(self) -> Vectors:
        """All vectors, shape (len(self), dimension); read only."""
        return self._mapped

    def clear(self) -> None:
        """Forget everything."""
        self._mapped = np.empty((0, self._dimension), dtype=np.float32)
        self._places = {}
        self._rows_path.unlink(missing_ok=True)
        self._keys_path.unlink(missing_ok=True)

    def _read(self) -> None:
        if not self._keys_path.exists() or not self._rows_path.exists():
            return
        keys = self._keys_path.read_text(encoding="utf-8").split("\n")[:-1]
        if self._rows_path.stat().st_size < len(keys) * self._width or len(set(keys)) != len(keys):
            self.clear()
            return
        self._places = {key: place for place, key in enumerate(keys)}
        self._map(len(keys))

    def _map(self, count: int) -> None:
        if count:
            shape = (count, self._dimension)
            self._mapped = np.memmap(self._rows_path, dtype="<f4", mode="r", shape=shape)
