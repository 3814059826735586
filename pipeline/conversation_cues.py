"""The cues and numbers of `conversation_cues.yaml`, compiled once."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from store.errors import ConfigError

_FILE = Path(__file__).with_suffix(".yaml")


class Weight(NamedTuple):
    """Points for each occurrence, and the most that all of them can add."""

    each: float
    most: float

    def points(self, count: float) -> float:
        """Return the points of `count` occurrences."""
        return min(self.most, self.each * max(0.0, count))


@dataclass(frozen=True)
class Cues:
    """Patterns by name (`mood.outburst`, `effort.asks.phone` ...), weights of effort, patience by channel."""

    patterns: Mapping[str, re.Pattern[str]]
    weights: Mapping[str, Weight]
    turns_free: int
    patience_s: Mapping[str, float]
    fingerprint: str

    def says(self, name: str, text: str) -> bool:
        """Whether a text holds the cue of that name."""
        return self.patterns[name].search(text) is not None


@cache
def load_cues() -> Cues:
    """Load the cues. Raises ConfigError where the file is not what it should be."""
    raw = _FILE.read_text(encoding="utf-8")
    try:
        loaded = yaml.safe_load(raw)
        weights = dict(loaded["weights"])
        turns_free = int(weights.pop("turns_free"))
        parts = {name: loaded[name] for name in ("mood", "resolution", "effort", "speaker")}
        return Cues(
            patterns=dict(_patterns(parts, "")),
            weights={name: Weight(**value) for name, value in weights.items()},
            turns_free=turns_free,
            patience_s={name: float(value) for name, value in loaded["patience_s"].items()},
            fingerprint=hashlib.sha256(raw.encode()).hexdigest()[:8],
        )
    except (yaml.YAMLError, re.error, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{_FILE.name} is wrong: {error}") from error


def _patterns(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, value in node.items():
        if set(value) == {"zh", "en"}:
            whole = "|".join(f"(?:{one})" for language in ("zh", "en") for one in value[language])
            yield f"{prefix}{name}", re.compile(whole, re.IGNORECASE)
        else:
            yield from _patterns(value, f"{prefix}{name}.")
