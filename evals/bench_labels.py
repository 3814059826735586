"""Speed and memory of the labels alone: every label of short texts, and a million texts in one process."""

from collections.abc import Iterator
from time import process_time

from evals.bench_figures import Figure, alternate, figure
from evals.bench_process import Memory, apart
from evals.bench_texts import CHARACTERS, short_texts

LABEL_GOAL = 8_000
FLAT_GOAL = 1.1
_CHUNK = 2_048
_STOCK = 20_000
_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


def measure_labels(count: int, repeats: int) -> list[Figure]:
    """All labels together against TF-IDF and logistic regression (polarity alone), in CPU seconds."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    from pipeline.embedded_classifier import EmbeddedClassifier

    texts, moods = short_texts(count)
    classifier = EmbeddedClassifier()
    plain = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), LogisticRegression())
    with threadpool_limits(1):
        plain.fit(texts, moods)
        classifier.classify(texts[:_CHUNK])  # weights load on first use
        seconds, peer = alternate(
            lambda: classifier.classify(texts), lambda: plain.predict(texts), repeats, process_time
        )
    return [
        figure(
            "classify",
            f"all labels of {CHARACTERS}-character texts",
            count / seconds,
            "texts/s per core",
            better="higher",
            peer=("scikit-learn TF-IDF + logistic regression", count / peer),
            goal=LABEL_GOAL,
            goal_of="value",
            note=f"{count:,} texts, CPU seconds; the peer tells polarity alone",
        )
    ]


def measure_memory(count: int) -> list[Figure]:
    """Highest memory of a process that labels `count` distinct texts, beside one that labels a tenth."""
    few, many = max(_CHUNK, count // 10), count
    small, large = (_peak(number) for number in (few, many))
    return [
        figure(
            "classify",
            f"memory to label {many:,} texts",
            large.peak / 1e6,
            "MB",
            better="lower",
            peer=(f"{few:,} texts", small.peak / 1e6),
            goal=FLAT_GOAL,
            note=f"distinct texts, {_CHUNK:,} at a time; a process starts at {large.at_start / 1e6:.0f} MB",
        )
    ]


def _peak(count: int) -> Memory:
    labelled, memory = apart(label_stream, count)
    if labelled != count:
        raise ValueError(f"{labelled} of {count} texts were labelled")
    return memory


def label_stream(count: int) -> int:
    """Label a stream of distinct texts batch by batch, keeping nothing; return how many were labelled."""
    from pipeline.embedded_classifier import EmbeddedClassifier

    classifier = EmbeddedClassifier()
    return sum(len(classifier.classify(batch)) for batch in _stream(count))


def _stream(count: int) -> Iterator[list[str]]:
    stock, _ = short_texts(min(count, _STOCK))
    for start in range(0, count, _CHUNK):
        numbers = range(start, min(start + _CHUNK, count))
        yield [stock[n % len(stock)][:-7] + str(n).zfill(7).translate(_DIGITS) for n in numbers]
