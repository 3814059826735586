"""`python -m evals.topics_asap DATA`: topics and their polarity on the restaurant reviews of ASAP.

The labelled reviews (Meituan-Dianping/asap, Apache-2.0) stay outside of the repository. Words of the lexicon
were chosen with `train_sample.csv` in sight; `dev_sample.csv` was not read for that and is quoted apart
(figures over both were known from an earlier check, so that it is not wholly held out).
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from evals.multilabel import score_sets
from evals.reports import Measurement, run_measurement
from pipeline.clean import clean
from pipeline.embedded_classifier import EmbeddedClassifier
from store.records import Labels

_MAP: Final = Path(__file__).with_name("topics_asap.yaml")
FILES: Final = {"train_sample": "looked at while developing", "dev_sample": "not read for words"}
_NOT_MENTIONED: Final = -2
_SIDES: Final = {1: "positive", 0: "neutral", -1: "negative"}


def read_map() -> Mapping[str, Sequence[str]]:
    """Aspects by topic."""
    topics: dict[str, list[str]] = yaml.safe_load(_MAP.read_text(encoding="utf-8"))["topics"]
    return topics


def measure(data: Path) -> dict[str, Any]:
    """Figures by file and over both: macro and micro F1 of mention, accuracy of polarity given mention."""
    classifier = EmbeddedClassifier()
    rows: dict[str, list[dict[str, str]]] = {}
    for name in FILES:
        with (data / "zh_asap_sample" / f"{name}.csv").open(encoding="utf-8-sig") as lines:
            rows[name] = list(csv.DictReader(lines))
    rows["both"] = [row for name in FILES for row in rows[name]]
    return {"labeller": classifier.name, "sets": {name: _figures(classifier, rows[name]) for name in rows}}


def _figures(classifier: EmbeddedClassifier, rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    aspects = read_map()
    labels = classifier.classify([clean(row["reviewbody"]) for row in rows])
    truth = [{topic: _side(row, names) for topic, names in aspects.items()} for row in rows]
    expected = [frozenset(topic for topic, side in one.items() if side is not None) for one in truth]
    given = [frozenset(label.topic for label in one.topics if label.topic in aspects) for one in labels]
    mention = score_sets(expected, given)
    judged = [_judged(one, label) for one, label in zip(truth, labels, strict=True)]
    return {
        "n": len(rows),
        "mention": mention,
        "macro_f1": mention["macro_f1"],
        "macro_interval": _macro_interval(expected, given, tuple(aspects)),
        "polarity": {
            "two_way": _accuracy([[one for one in row if one[0] != "neutral"] for row in judged]),
            "three_way": _accuracy(judged),
        },
    }


def _side(row: Mapping[str, str], names: Sequence[str]) -> str | None:
    """What a review says of the aspects of one topic; "mixed" where praise and complaint are both there."""
    said = {int(row[name]) for name in names} - {_NOT_MENTIONED}
    if not said:
        return None
    return "mixed" if {1, -1} <= said else _SIDES[max(said, key=abs)]


def _judged(truth: Mapping[str, str | None], label: Labels) -> list[tuple[str, bool]]:
    """Of the topics that are both there and found: the true side, and whether it was given; not the mixed."""
    found = {one.topic: one.polarity for one in label.topics}
    return [
        (side, found[topic] == side)
        for topic, side in truth.items()
        if side is not None and side != "mixed" and topic in found
    ]


def _accuracy(judged: Sequence[Sequence[tuple[str, bool]]]) -> dict[str, float]:
    """Accuracy over topics with the 95% interval of a bootstrap over reviews."""
    right = np.array([sum(good for _, good in row) for row in judged])
    total = np.array([len(row) for row in judged])
    draws = np.random.default_rng(7).integers(0, len(right), size=(2000, len(right)))
    shares = right[draws].sum(axis=1) / np.maximum(total[draws].sum(axis=1), 1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return {
        "n": int(total.sum()),
        "accuracy": round(float(right.sum() / max(1, total.sum())), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _macro_interval(
    expected: Sequence[frozenset[str]], given: Sequence[frozenset[str]], topics: Sequence[str]
) -> list[float]:
    truth = np.array([[topic in one for topic in topics] for one in expected])
    found = np.array([[topic in one for topic in topics] for one in given])
    draws = np.random.default_rng(7).integers(0, len(truth), size=(2000, len(truth)))
    hits = (truth & found).astype(np.int32)[draws].sum(axis=1)
    wrong = (truth ^ found).astype(np.int32)[draws].sum(axis=1)
    macro = (2 * hits / np.maximum(2 * hits + wrong, 1)).mean(axis=1)
    return [round(float(edge), 4) for edge in np.percentile(macro, [2.5, 97.5])]


def markdown(report: Mapping[str, Any]) -> str:
    """The report as tables."""
    lines = ["# Topics on ASAP restaurant reviews", "", f"Labeller `{report['labeller']}`.", ""]
    head = "| set | n | macro F1 of mention | 95% interval | micro F1 | polarity, two ways | three ways |"
    lines += [head, "|" + " --- |" * 7]
    for name, one in report["sets"].items():
        low, high = one["macro_interval"]
        two, three = one["polarity"]["two_way"], one["polarity"]["three_way"]
        title = f"{name} ({FILES[name]})" if name in FILES else name
        lines.append(
            f"| {title} | {one['n']} | {one['macro_f1']:.3f} | {low:.3f} to {high:.3f} "
            f"| {one['mention']['micro']['f1']:.3f} "
            f"| {two['accuracy']:.3f} ({two['low']:.3f} to {two['high']:.3f}, n {two['n']}) "
            f"| {three['accuracy']:.3f} ({three['low']:.3f} to {three['high']:.3f}, n {three['n']}) |"
        )
    lines += [
        "",
        "| topic, both files | F1 | 95% interval | hits | missed | false alarms |",
        "|" + " --- |" * 6,
    ]
    lines += [
        f"| {topic} | {one['f1']:.3f} | {one['low']:.3f} to {one['high']:.3f} "
        f"| {one['hits']} | {one['missed']} | {one['false_alarms']} |"
        for topic, one in report["sets"]["both"]["mention"]["by_name"].items()
    ]
    none = yaml.safe_load(_MAP.read_text(encoding="utf-8"))["none"]
    lines += ["", "Without a topic:", "", *(f"- `{name}`: {why}" for name, why in none.items())]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.topics_asap", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds zh_asap_sample")
    measurement = Measurement("topics", lambda options: measure(options.data), markdown)
    return run_measurement(measurement, parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
