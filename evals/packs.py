"""`python -m evals.packs`: how right the topics of the industry packs are on hand-written sentences.

Half of the sentences of each pack were written before any of its words, by the author of the words, who
knew them while choosing words, and their misses led to one rule (a word of a pack takes no general topic
from words inside it): a development set. The other half was written after the first words and kept
apart: no word and no rule was changed on its account. A topic counts as right if the path is the
expected one; general topics count as well as those of the pack. Writes evals/reports/packs.json and
packs.md.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from evals.multilabel import score_sets, suite_table
from evals.reports import Measurement, Report, run_measurement
from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.lexicon import load_lexicon
from pipeline.taxonomy import load_taxonomy
from pipeline.taxonomy_sources import Sources, pack_names

_CASES: Final = Path(__file__).parent / "cases" / "packs.jsonl"


class PackCase(NamedTuple):
    """One sentence of a trade and the topics it must get, no other."""

    pack: str
    language: str
    held_out: bool
    text: str
    expected: frozenset[str]


def load_cases() -> list[PackCase]:
    """The cases, in the order of the file."""
    rows = [json.loads(line) for line in _CASES.read_text(encoding="utf-8").splitlines()]
    return [
        PackCase(
            row["pack"],
            row["language"],
            row["written"] != "before the cues",
            row["text"],
            frozenset(row["topics"]),
        )
        for row in rows
    ]


def topics_of(cases: Sequence[PackCase], industries: tuple[str, ...] | None = None) -> list[frozenset[str]]:
    """The topics given to each case with its own pack on, or with `industries` on."""
    found: dict[str, frozenset[str]] = {}
    for pack in sorted({case.pack for case in cases}):
        sources = Sources(industries if industries is not None else (pack,))
        classifier = EmbeddedClassifier(load_taxonomy(sources), load_lexicon(sources))
        texts = [case.text for case in cases if case.pack == pack]
        for text, labels in zip(texts, classifier.classify(texts), strict=True):
            found[text] = frozenset(label.topic for label in labels.topics)
    return [found[case.text] for case in cases]


def measure() -> dict[str, Any]:
    """Figures by suite, and the development sentences whose topics differ."""
    cases = load_cases()
    own = topics_of(cases)
    suites = {
        "held out": [at for at, case in enumerate(cases) if case.held_out],
        "held out, zh": [at for at, case in enumerate(cases) if case.held_out and case.language == "zh"],
        "held out, en": [at for at, case in enumerate(cases) if case.held_out and case.language == "en"],
        "development (written before the words)": [at for at, case in enumerate(cases) if not case.held_out],
        **{
            pack: [at for at, case in enumerate(cases) if case.pack == pack]
            for pack in sorted({case.pack for case in cases})
        },
    }
    report: Report = {
        "suites": {name: _score(cases, own, chosen) for name, chosen in suites.items() if chosen}
    }
    together, general = topics_of(cases, pack_names()), topics_of(cases, ())
    everything = list(range(len(cases)))
    report["suites"]["all ten packs on at once"] = _score(cases, together, everything)
    report["suites"]["no pack on"] = _score(cases, general, everything)
    report["misses"] = [
        {
            "pack": case.pack,
            "text": case.text,
            "missed": sorted(case.expected - given),
            "false_alarms": sorted(given - case.expected),
        }
        for case, given in zip(cases, own, strict=True)
        if not case.held_out and given != case.expected
    ]
    return report


def _score(
    cases: Sequence[PackCase], found: Sequence[frozenset[str]], chosen: Sequence[int]
) -> dict[str, Any]:
    figures = score_sets([cases[at].expected for at in chosen], [found[at] for at in chosen])
    return {key: figures[key] for key in ("n", "exact", "micro")}


def markdown(report: Report) -> str:
    """The report as a table."""
    lines = [
        "# Topics of the industry packs on hand-written sentences",
        "",
        "Micro-F1 over topics with the 95% interval of a bootstrap over sentences. Held out: written after",
        "the first words, nothing changed on their account. Development: written before the words, by their",
        "author, who knew them while choosing words. The rows by pack hold both halves.",
        "",
    ]
    return "\n".join([*lines, *suite_table(report["suites"])]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evals.packs", description=__doc__)
    return run_measurement(Measurement("packs", lambda _: measure(), markdown), parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
