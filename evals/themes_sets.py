"""Labelled texts on which themes are measured, with their vectors."""

import csv
import gzip
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from store.errors import InputError
from store.identity import text_key
from vectorstore.embedder import Vectors
from vectorstore.theme_corpus import Corpus
from vectorstore.tokens import Script

_MOST: Final = 8_000
_COMPARED: Final = 5_000
_FEED_ITEMS: Final = 18_700
_FEED_END: Final = date(2026, 11, 22)
Row = tuple[str, str]


@dataclass(frozen=True)
class LabelledTexts:
    """Distinct texts in order of key, the class that each is known to have, and their vectors (n, 512)."""

    name: str
    script: Script
    what: str
    texts: tuple[str, ...]
    classes: NDArray[np.str_]
    vectors: Vectors

    @property
    def keys(self) -> list[str]:
        """Text keys."""
        return [text_key(text) for text in self.texts]

    @property
    def groups(self) -> int:
        """How many classes there are."""
        return len(set(self.classes.tolist()))

    def some(self, rows: NDArray[np.intp]) -> "LabelledTexts":
        """These rows of it."""
        texts = tuple(self.texts[int(row)] for row in rows)
        return LabelledTexts(self.name, self.script, self.what, texts, self.classes[rows], self.vectors[rows])

    def corpus(self) -> Corpus:
        """The same as the product reads it from a store: one language, moods not told apart."""
        texts = dict(zip(self.keys, self.texts, strict=True))
        kinds = dict.fromkeys(texts, (self.script, False))
        return Corpus(texts, dict.fromkeys(texts, 1), kinds, frozenset())

    def vectors_of(self, keys: Sequence[str]) -> Vectors:
        """Vectors by key."""
        row = {key: number for number, key in enumerate(self.keys)}
        return self.vectors[[row[key] for key in keys]]


def read_sets(data: Path, vectors: Path | None) -> dict[str, LabelledTexts]:
    """All sets; vectors are read from a folder where they are and kept there, where one is named.

    Raises InputError where the data is not there.
    """
    if not data.is_dir():
        raise InputError(f"there is no folder {data}", hint="name the folder of public data with --data")
    found = {}
    for name, (script, what, read) in _SETS.items():
        classes = {" ".join(text.split()): label for text, label in read(data) if text.strip() and label}
        texts = sorted(classes, key=text_key)[: _limit(name)]
        found[name] = LabelledTexts(
            name,
            script,
            what,
            tuple(texts),
            np.array([classes[text] for text in texts]),
            _embedded(name, texts, vectors),
        )
    return found


def _limit(name: str) -> int:
    # Clothing is the one large enough to time with.
    return 20_000 if name == "clothing" else _MOST


def first(texts: LabelledTexts) -> LabelledTexts:
    """At most 5,000 of them, drawn by their hash: what is compared."""
    return texts.some(np.arange(min(_COMPARED, len(texts.texts))))


def _embedded(name: str, texts: Sequence[str], folder: Path | None) -> Vectors:
    kept = folder / f"themes_{name}.npy" if folder else None
    if kept and kept.is_file():
        vectors: Vectors = np.load(kept)
        if len(vectors) == len(texts):
            return vectors
    from vectorstore.use_embedder import UseEmbedder

    with UseEmbedder(2) as embedder:
        vectors = embedder.embed_documents(texts)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors)
    return vectors


def _table(path: Path) -> list[Mapping[str, str]]:
    reader: Any = gzip.open if path.suffix == ".gz" else open
    with reader(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _banking(data: Path) -> list[Row]:
    return [(row["text"], row["category"]) for row in _table(data / "en_banking77/train.csv")]


def _bitext(data: Path) -> list[Row]:
    path = data / "en_bitext_customer_service/intents.csv"
    return [(row["utterance"], row["intent"]) for row in _table(path)]


def _clothing(data: Path) -> list[Row]:
    path = data / "en_womens_clothing/reviews.csv.gz"
    return [(row["Review Text"], row["Class Name"]) for row in _table(path)]


def _reviews(data: Path) -> list[Row]:
    """As many hotel as delivery reviews."""
    files = {"delivery": "waimai_10k.csv.gz", "hotel": "hotel_7k.csv.gz"}
    found: list[Row] = []
    for domain, file in files.items():
        rows = _table(data / "zh_reviews_evaluation" / file)
        rows = sorted(rows, key=lambda row: text_key(row["review"]))[: _MOST // 2]
        found += [(row["review"], f"{domain} {row['label']}") for row in rows]
    return found


def _feed(data: Path) -> list[Row]:
    """Chinese texts of the sample feed that are about one topic: our own words, with the topic meant."""
    from evals.events import Calendar
    from evals.feed import Feed
    from evals.world import World
    from vectorstore.tokens import script_of

    rng, world = random.Random(7), World.load()
    feed = Feed(world, Calendar.before(_FEED_END), world.people(rng, _FEED_END), rng, _FEED_ITEMS)
    said = [row["_said"] for rows in feed.write().values() for row in rows if "_said" in row]
    one = [each for each in said if len(each.topics) == 1 and script_of(each.text) == "zh"]
    return [(each.text, f"{each.topics[0]} {each.mood}") for each in one]


_SETS: Final[dict[str, tuple[Script, str, Callable[[Path], list[Row]]]]] = {
    "banking77": ("en", "77 intents", _banking),
    "bitext": ("en", "27 intents", _bitext),
    "clothing": ("en", "20 classes of garment", _clothing),
    "reviews_zh": ("zh", "delivery or hotel, praise or not", _reviews),
    "feed_zh": ("zh", "topic and mood of our own sample feed", _feed),
}
