"""Texts without an opinion: written lines, filled patterns, and bank customers' queries; some held out.

Folds keep apart what is alike: lines in turn, patterns by pattern, and queries by their place in the file,
which goes by intent.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from evals.sentiment_sources import Reviews, checked
from pipeline.clean import clean

FOLDS: Final = 3
# How often each pattern is filled.
_FILLINGS: Final = 40
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Calm:
    """Texts without an opinion, the fold of each, and its weight: each kind the same, 1 in all."""

    texts: list[str]
    folds: NDArray[np.int64]
    importance: NDArray[np.float64]


def read_calm(language: str, data: Path) -> Calm:
    """What the opinion stage learns from; nothing of `read_calm_held` is in it."""
    lines = [text for at, text in enumerate(_lines(language)) if at % 4]
    filled, patterns = _filled(language)
    kinds = [(lines, np.arange(len(lines)) % FOLDS), (filled, patterns % FOLDS)]
    if language == "en":
        queries = _queries(data)[::5]
        kinds.append((queries, np.arange(len(queries)) * FOLDS // len(queries)))
    return Calm(
        [text for texts, _ in kinds for text in texts],
        np.concatenate([folds for _, folds in kinds]),
        np.concatenate([np.full(len(texts), 1 / len(kinds) / len(texts)) for texts, _ in kinds]),
    )


def read_calm_held(language: str, data: Path) -> dict[str, list[str]]:
    """Texts held out of training, by kind: every fourth written line; and queries of the bank."""
    held = {f"{language} lines": _lines(language)[::4]}
    if language == "en":
        held["en bank queries"] = _queries(data)[2::20]
    return held


def asked(clauses: Reviews, language: str, seed: int) -> Reviews:
    """Every clause once more with a question behind it: what asks may hold an opinion all the same."""
    tails = _patterns(language)["tails"]
    chosen = np.random.default_rng(seed).integers(len(tails), size=len(clauses.texts))
    texts = [clean(text + tails[at]) for text, at in zip(clauses.texts, chosen, strict=True)]
    return Reviews(texts, clauses.labels, clauses.domains)


def _lines(language: str) -> list[str]:
    lines = (_HERE / f"neutral_{language}.txt").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(clean(line) for line in lines if line.strip()))


def _queries(data: Path) -> list[str]:
    rows = checked(data / "en_banking77" / "train.csv").decode("utf-8")
    return [clean(row["text"]) for row in csv.DictReader(io.StringIO(rows, newline=""))]


def _patterns(language: str) -> dict[str, Any]:
    text = (_HERE / "sentiment_calm.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)[language]
    return found


def _filled(language: str) -> tuple[list[str], NDArray[np.int64]]:
    """Patterns filled at random, and the number of the pattern that each text is made from."""
    parts, chance = _patterns(language), np.random.default_rng(5)
    texts: dict[str, int] = {}
    for number, pattern in enumerate([*parts["questions"], *parts["statements"]]):
        for _ in range(_FILLINGS):
            words = {name: words[chance.integers(len(words))] for name, words in parts["lists"].items()}
            opening, ending = (
                str(parts[name][chance.integers(len(parts[name]))]) for name in ("openings", "endings")
            )
            texts.setdefault(clean(opening + pattern.format(**words) + ending), number)
    return list(texts), np.fromiter(texts.values(), np.int64, len(texts))
