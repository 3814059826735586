"""How right a classifier is on a file that people have labelled."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from analytics.estimates import Estimate, proportion
from analytics.label_scores import Calibration, Scores, calibration, score_multiple, score_single
from pipeline.classifier import Classifier
from pipeline.clean import clean
from pipeline.label_file import LabelFileOptions, LabelledRows, read_labelled
from pipeline.taxonomy import Taxonomy
from store.records import Labels

_BATCH: Final = 2_000
Mask = Callable[[Sequence[str]], list[str]]
Progress = Callable[[int, int | None, str], None]


@runtime_checkable
class SentimentProbabilities(Protocol):
    """A classifier that can also say how likely each polarity is."""

    def sentiment_probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities of negative, neutral, positive; shape (n, 3)."""
        ...


@dataclass(frozen=True)
class Selective:
    """The part that the classifier answers for: how much it is and how right. None without abstention."""

    coverage: Estimate
    accuracy: Estimate
    abstained: int


@dataclass(frozen=True)
class TwoWay:
    """Positive against negative alone: which of the two the classifier leans to, neutral or not.

    `neutral_share`: how many texts it calls neutral, each of which counts as wrong in the headline.
    """

    accuracy: Estimate
    neutral_share: Estimate
    calibration: Calibration
    selective: Selective


@dataclass(frozen=True)
class Evaluation:
    """The figures of one field of one file. `level` is "leaf" or "branch" for topics, else empty.

    `rows` = n + blank + left_out + unreadable + unmapped_rows. `unmapped` counts rows by value.
    """

    file: str
    field: str
    level: str
    labeller: str
    text_column: str
    label_column: str
    scheme: str
    rows: int
    n: int
    blank: int
    left_out: int
    unreadable: int
    unmapped_rows: int
    unmapped: Mapping[str, int]
    scores: Scores
    calibration: Calibration | None
    selective: Selective | None
    two_way: TwoWay | None
    elapsed_ms: int
    texts_per_second: float

    def document(self) -> dict[str, Any]:
        """As one JSON document: the scores on top, the confusion matrix with its labels."""
        from dataclasses import asdict

        plain = asdict(self)
        scores = plain.pop("scores")
        confusion = scores.pop("confusion")
        names = [one["label"] for one in scores["labels"]]
        table = None if confusion is None else {"labels": names, "rows": confusion}
        return {**plain, **scores, "confusion": table}


def evaluate_file(
    path: Path,
    options: LabelFileOptions,
    *,
    classifier: Classifier,
    mask: Mask,
    taxonomy: Taxonomy,
    level: str = "",
    progress: Progress | None = None,
) -> Evaluation:
    """Score a classifier on a labelled file; texts are cleaned and masked as `ingest` does.

    `level`: "leaf" or "branch" for topics; by default branch where the file names a whole branch.
    Raises as `read_labelled`.
    """
    read = read_labelled(path, options, taxonomy)
    tell = progress or (lambda done, total, stage: None)
    began = time.perf_counter()
    texts: list[str] = []
    labels: list[Labels] = []
    for start in range(0, len(read.texts), _BATCH):
        batch = mask([clean(text) for text in read.texts[start : start + _BATCH]])
        labels += classifier.classify(batch)
        texts += batch
        tell(len(labels), len(read.texts), "label")
    elapsed = time.perf_counter() - began
    chosen = _level(read, level) if read.book.field == "topics" else ""
    truth = [_at_level(values, chosen) for values in read.truth]
    given = [_at_level(given_values(one, read.book.field), chosen) for one in labels]
    return Evaluation(
        file=str(path),
        field=read.book.field,
        level=chosen,
        labeller=classifier.name,
        text_column=read.text_column,
        label_column=read.label_column,
        scheme=read.book.scheme,
        rows=read.rows,
        n=len(texts),
        blank=read.blank,
        left_out=read.left_out,
        unreadable=read.unreadable,
        unmapped_rows=read.unmapped_rows,
        unmapped=dict(read.unmapped.most_common()),
        scores=score(read.book.field, truth, given, read.book.values),
        calibration=_calibration(read.book.field, labels, truth),
        selective=_selective(read.book.field, labels, truth),
        two_way=_two_way(read, classifier, texts, labels, truth),
        elapsed_ms=round(elapsed * 1000),
        texts_per_second=round(len(texts) / max(elapsed, 1e-9), 1),
    )


def given_values(labels: Labels, field: str) -> frozenset[str]:
    """The values of one field that a text was given."""
    if field == "topics":
        return frozenset(topic.topic for topic in labels.topics)
    if field == "risk":
        return frozenset(labels.risk_signals)
    return frozenset({str(getattr(labels, field).value)})


def score(
    field: str, truth: Sequence[frozenset[str]], given: Sequence[frozenset[str]], values: Sequence[str]
) -> Scores:
    """Score one field. A multi-label table lists the labels that occur; a single-label one all."""
    if field in ("topics", "risk"):
        occurring = frozenset[str]().union(*truth, *given)
        ordered = [value for value in dict.fromkeys((*values, *sorted(occurring))) if value in occurring]
        return score_multiple(truth, given, ordered)
    return score_single([min(one) for one in truth], [min(one) for one in given], values)


def selective(labels: Sequence[Labels], right: NDArray[np.bool_]) -> Selective:
    """Coverage and accuracy where the classifier does not abstain; `right` (n,)."""
    held = ~np.array([one.abstained for one in labels], dtype=bool)
    return Selective(
        proportion(len(right), int(held.sum())),
        proportion(int(held.sum()), int(right[held].sum())),
        int((~held).sum()),
    )


def _level(read: LabelledRows, asked: str) -> str:
    if asked:
        return asked
    return "branch" if any("/" not in value for values in read.truth for value in values) else "leaf"


def _at_level(values: frozenset[str], level: str) -> frozenset[str]:
    return frozenset(value.partition("/")[0] for value in values) if level == "branch" else values


def _right(labels: Sequence[Labels], truth: Sequence[frozenset[str]]) -> NDArray[np.bool_]:
    pairs = zip(labels, truth, strict=True)
    return np.array([labels.sentiment.value in values for labels, values in pairs], dtype=bool)


def _calibration(field: str, labels: Sequence[Labels], truth: Sequence[frozenset[str]]) -> Calibration | None:
    """Of the sentiment, which is the label that carries a probability."""
    if field != "sentiment":
        return None
    confidence = np.array([one.sentiment_confidence for one in labels])
    return calibration(confidence, _right(labels, truth))


def _selective(field: str, labels: Sequence[Labels], truth: Sequence[frozenset[str]]) -> Selective | None:
    return selective(labels, _right(labels, truth)) if field == "sentiment" else None


def _two_way(
    read: LabelledRows,
    classifier: Classifier,
    texts: Sequence[str],
    labels: Sequence[Labels],
    truth: Sequence[frozenset[str]],
) -> TwoWay | None:
    """Only where the file knows nothing but positive and negative, and the classifier says how likely."""
    occurring = frozenset[str]().union(*truth)
    if read.book.field != "sentiment" or "neutral" in occurring:
        return None
    if not isinstance(classifier, SentimentProbabilities):
        return None
    shares = np.concatenate(
        [
            classifier.sentiment_probabilities(texts[start : start + _BATCH])
            for start in range(0, len(texts), _BATCH)
        ]
    )
    share = shares[:, 2] / np.maximum(shares[:, 0] + shares[:, 2], 1e-12)
    right = (share > 0.5) == np.array(["positive" in values for values in truth])
    neutral = sum(one.sentiment.value == "neutral" for one in labels)
    return TwoWay(
        proportion(len(right), int(right.sum())),
        proportion(len(right), neutral),
        calibration(np.maximum(share, 1 - share), right),
        selective(labels, right),
    )
