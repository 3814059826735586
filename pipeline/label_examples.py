"""Human labels as examples: texts, answers, which are held out together, what the shipped model says."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.label_gold import Gold
from pipeline.label_linear import FOLDS, Floats
from pipeline.label_sentiment import Anchors
from pipeline.language import detect_language
from pipeline.lexicon import Lexicon
from pipeline.near_duplicates import NearDuplicates
from pipeline.readings import read_texts
from pipeline.sentiment import SentimentModel, lexicon_evidence
from store.errors import ConfigError

_ANCHORS: Final = Path(__file__).with_name("label_anchors.yaml")
_BATCH: Final = 2_000
# As few random texts as this say little about calibration.
_LEAST_RANDOM: Final = 200


@dataclass(frozen=True)
class Examples:
    """Texts with one answer each, by text key. `folds` (n,): near duplicates share a fold.

    `random` (n,): which were drawn at random, if there are enough of them to judge by; else all False.
    """

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    values: tuple[str, ...]
    languages: tuple[str, ...]
    folds: NDArray[np.int64]
    random: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)

    def fingerprint(self) -> str:
        """Hash of texts and answers."""
        digest = hashlib.sha256()
        for key, value in zip(self.keys, self.values, strict=True):
            digest.update(f"{key}\x1f{value}\x1e".encode())
        return digest.hexdigest()[:16]


def examples(gold: Sequence[Gold]) -> Examples:
    """The answers of one field, sorted by text key."""
    ordered = sorted((one for one in gold if one.text.strip()), key=lambda one: one.text_key)
    keys = [one.text_key for one in ordered]
    groups = NearDuplicates().group({one.text_key: one.text for one in ordered})
    folds = [_fold(groups.get(key, key)) for key in keys]
    drawn = np.array([one.sample == "random" for one in ordered], dtype=bool)
    return Examples(
        tuple(keys),
        tuple(one.text for one in ordered),
        tuple(one.value for one in ordered),
        tuple(detect_language(one.text) for one in ordered),
        np.array(folds, dtype=np.int64),
        drawn if drawn.sum() >= _LEAST_RANDOM else np.zeros(len(drawn), dtype=bool),
    )


def shipped_view(
    texts: Sequence[str], languages: Sequence[str], lexicon: Lexicon, shipped: SentimentModel
) -> tuple[Floats, Floats]:
    """What the shipped model says of texts: probabilities (n, 3) and the evidence (n, d) it said it by."""
    verdicts, evidence = [], []
    for start in range(0, len(texts), _BATCH):
        part = slice(start, start + _BATCH)
        rows = lexicon_evidence(read_texts(texts[part], lexicon))
        evidence.append(rows)
        verdicts.append(shipped.judge(texts[part], languages[part], rows))
    return np.concatenate(verdicts), np.concatenate(evidence)


def anchors(language: str, lexicon: Lexicon, shipped: SentimentModel) -> Anchors:
    """Texts without an opinion ("zh" or "en"), with the shipped model's view of them."""
    texts = _anchor_texts()[language]
    return Anchors(texts, *shipped_view(texts, [language] * len(texts), lexicon, shipped))


@cache
def _anchor_texts() -> dict[str, tuple[str, ...]]:
    try:
        data: dict[str, str] = yaml.safe_load(_ANCHORS.read_text(encoding="utf-8"))
        return {language: tuple(data[language].splitlines()) for language in ("zh", "en")}
    except (OSError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(f"{_ANCHORS.name} cannot be used: {error!r}") from error


def _fold(key: str) -> int:
    return hashlib.blake2b(key.encode(), digest_size=4).digest()[0] % FOLDS
