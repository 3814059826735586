"""Speed of labelling and of embedding, against a plain linear model and the bare encoder."""

import multiprocessing
import random
from collections.abc import Sequence
from time import process_time
from typing import TYPE_CHECKING

from evals.bench_figures import Figure, alternate, figure
from evals.wording import Mood, Wording, read_yaml

if TYPE_CHECKING:
    from vectorstore.encoder_pool import Encode

CHARACTERS = 30
CLASSIFY_GOAL = 5_000
EMBED_GOAL = 0.9
DUPLICATES = 4
_CHUNK = 64


def short_texts(count: int, seed: int = 7) -> tuple[list[str], list[Mood]]:
    """Distinct Chinese texts of 30 characters, half negative and half positive."""
    rng = random.Random(seed)
    wording = Wording.load("zh", rng)
    context = read_yaml("bench.yaml")["context"]
    weights = dict.fromkeys(wording.data["topics"], 1.0)
    texts: dict[str, Mood] = {}
    moods: tuple[Mood, Mood] = ("negative", "positive")
    while len(texts) < count:
        mood = moods[len(texts) % 2]
        text = wording.remark(mood, weights, context).text
        while len(text) < CHARACTERS:
            text += "，" + wording.remark(mood, weights, context).text
        texts.setdefault(text[:CHARACTERS], mood)
    return list(texts), list(texts.values())


def measure_classify(count: int, repeats: int) -> list[Figure]:
    """Cleaning, masking and labelling against TF-IDF and logistic regression, in CPU seconds of one core."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    from pipeline.clean import clean
    from pipeline.embedded_classifier import EmbeddedClassifier
    from pipeline.mask import mask_texts

    texts, moods = short_texts(count)
    classifier = EmbeddedClassifier()
    plain = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), LogisticRegression())

    def ours() -> None:
        classifier.classify(mask_texts([clean(text) for text in texts]))

    with threadpool_limits(1):
        plain.fit(texts, moods)
        classifier.classify(mask_texts(texts[:_CHUNK]))  # lexicons and weights load on first use
        seconds, peer = alternate(ours, lambda: plain.predict(texts), repeats, process_time)
    return [
        figure(
            "classify",
            "clean, mask and label 30-character texts",
            count / seconds,
            "texts/s per core",
            better="higher",
            peer=("scikit-learn TF-IDF + logistic regression", count / peer),
            goal=CLASSIFY_GOAL,
            goal_of="value",
            note=f"{count:,} texts, CPU seconds; the peer tells polarity alone and masks nothing",
        )
    ]


def measure_embedding(count: int, repeats: int, workers: int) -> list[Figure]:
    """Our embedder against the bare encoder, both in `workers` processes and both warm."""
    from vectorstore.use_embedder import UseEmbedder

    texts, _ = short_texts(count)
    repeated = texts * DUPLICATES
    with _Bare(workers) as bare, UseEmbedder(workers) as embedder:
        embedder.embed_documents(texts)
        bare.encode(texts)

        def once() -> object:
            return embedder.embed_documents(texts)

        seconds, peer = alternate(once, lambda: bare.encode(texts), repeats)
        again, single = alternate(lambda: embedder.embed_documents(repeated), once, repeats)
    processes = f"{workers} process{'es' if workers > 1 else ''}"
    return [
        figure(
            "embed",
            "embed distinct 30-character texts",
            count / seconds,
            "texts/s",
            better="higher",
            peer=(f"bare encoder, {processes}", count / peer),
            goal=EMBED_GOAL,
            note=f"{count:,} texts, {processes}",
        ),
        figure(
            "embed",
            f"embed every text {DUPLICATES} times",
            again,
            "s",
            better="lower",
            peer=("each text once", single),
            goal=1.25,
            note=f"{len(repeated):,} texts, {count:,} distinct",
        ),
    ]


class _Bare:
    """The encoder itself in processes of its own, fed fixed shares and sending nothing back."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = multiprocessing.get_context("spawn").Pool(workers, _load)

    def __enter__(self) -> "_Bare":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.terminate()
        self._pool.join()

    def encode(self, texts: Sequence[str]) -> int:
        """Encode texts in chunks; return how many were encoded."""
        chunks = [list(texts[start : start + _CHUNK]) for start in range(0, len(texts), _CHUNK)]
        return sum(self._pool.imap_unordered(_encode, chunks))


def _load() -> None:
    from vectorstore.use_embedder import load_encoder

    _loaded.append(load_encoder())


def _encode(texts: list[str]) -> int:
    return len(_loaded[0](texts))


# One encoder in each worker process, put there by `_load`.
_loaded: "list[Encode]" = []
