"""Texts to search in: the public sets, then written ones up to any number; vectors kept between runs."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from pipeline.clean import clean
from store.identity import text_key
from vectorstore.embedder import Embedder, Vectors

# Short texts first: where not all are wanted, the slow ones to encode are left out.
SETS: Final = {
    "delivery": ("zh_reviews_evaluation/waimai_10k.csv.gz", "review"),
    "hotel": ("zh_reviews_evaluation/hotel_7k.csv.gz", "review"),
    "service": ("en_bitext_customer_service/intents.csv", "utterance"),
    "banking": ("en_banking77/train.csv", "text"),
    "complaints": ("en_cfpb_complaints_sample/complaints.csv", "Consumer complaint narrative"),
    "seat": ("en_skytrax_lounge_seat/seat.csv", "content"),
    "lounge": ("en_skytrax_lounge_seat/lounge.csv", "content"),
    "clothing": ("en_womens_clothing/reviews.csv.gz", "Review Text"),
}
WRITTEN: Final = "written"
_STEP = 512


class Said(NamedTuple):
    """A distinct cleaned text, its key, and the set it is from."""

    text_key: str
    text: str
    origin: str


def public_texts(data: Path, origins: Sequence[str] = tuple(SETS)) -> list[Said]:
    """Distinct texts of the sets, set by set, by key within a set."""
    found: dict[str, Said] = {}
    for origin in origins:
        path, column = SETS[origin]
        texts = {text_key(text): text for row in _rows(data / path) if (text := clean(row[column] or ""))}
        for key in sorted(texts):
            found.setdefault(key, Said(key, texts[key], origin))
    return list(found.values())


def many_texts(data: Path, count: int) -> list[Said]:
    """`count` distinct texts: the sets', and then sentences of 30 characters by the sample feed's grammar."""
    from evals.bench_texts import short_texts

    real = public_texts(data)[:count]
    held = {said.text_key for said in real}
    written = (Said(text_key(text), text, WRITTEN) for text in short_texts(count - len(real) + 100)[0])
    return [*real, *(said for said in written if said.text_key not in held)][:count]


class KeptVectors:
    """Vectors of an encoder in a folder: encoded once, read from there in later runs."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._embedder = embedder
        self._keys = folder / f"{embedder.name}.keys"
        self._rows = folder / f"{embedder.name}.f32"

    def of(self, texts: Sequence[Said]) -> Vectors:
        """Vectors of these texts, in order; shape (len(texts), dimension)."""
        held = self._read()
        missing = [said for said in texts if said.text_key not in held]
        for start in range(0, len(missing), _STEP):
            batch = missing[start : start + _STEP]
            vectors = self._embedder.embed_documents([said.text for said in batch])
            with self._rows.open("ab") as rows:
                rows.write(vectors.astype("<f4").tobytes())
            with self._keys.open("a", encoding="utf-8") as keys:
                keys.writelines(said.text_key + "\n" for said in batch)
            held |= {said.text_key: vectors[at] for at, said in enumerate(batch)}
        return np.array([held[said.text_key] for said in texts], dtype=np.float32)

    def _read(self) -> dict[str, Vectors]:
        if not self._keys.exists():
            return {}
        keys = self._keys.read_text(encoding="utf-8").split()
        # Vectors are written before their keys: a run that was stopped in between left rows without a key.
        size = len(keys) * self._embedder.dimension
        rows = np.fromfile(self._rows, dtype="<f4", count=size).reshape(len(keys), self._embedder.dimension)
        with self._rows.open("r+b") as file:
            file.truncate(size * 4)
        return dict(zip(keys, rows, strict=True))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    return csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
