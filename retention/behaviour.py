"""What customers do, read as signals: searches for a way out, price page visits, use of the product."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from analytics.customer_history import Use
from retention.settings_file import read_as
from store.errors import ConfigError
from store.records import BehaviourEvent

BEHAVIOUR_FILE = Path(__file__).with_name("behaviour.yaml")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    signals: dict[str, list[str]]
    usage: list[str]


@dataclass(frozen=True, eq=False)
class BehaviourReader:
    """Compiled patterns by signal name, and the kinds of event that mean use."""

    patterns: dict[str, re.Pattern[str]]
    usage: frozenset[str]

    def signal(self, event: BehaviourEvent) -> str | None:
        """Return the signal an event is, the first that matches in the order of the file; None for none."""
        return _signal(self, event.kind, event.detail)

    def read(self, kind: str, detail: str) -> str | None:
        """Return the signal that an event of this kind and detail is."""
        return _signal(self, kind, detail)

    def uses(self, events: Sequence[BehaviourEvent]) -> list[Use]:
        """Return the uses among events, of the commonest kind of use only: kinds differ in their units."""
        kinds = Counter(event.kind for event in events if event.kind.lower() in self.usage)
        if not kinds:
            return []
        commonest = min(kinds, key=lambda kind: (-kinds[kind], kind))
        return [
            Use(event.occurred_at, 1.0 if event.value is None else event.value)
            for event in events
            if event.kind == commonest
        ]


@lru_cache(maxsize=65536)
def _signal(reader: BehaviourReader, kind: str, detail: str) -> str | None:
    text = f"{kind} {detail}".lower()
    return next((name for name, pattern in reader.patterns.items() if pattern.search(text)), None)


@lru_cache(maxsize=4)
def load_behaviour(path: Path = BEHAVIOUR_FILE) -> BehaviourReader:
    """Read and compile the patterns; raise ConfigError for a wrong key or expression."""
    content = read_as(_File, path)
    try:
        patterns = {
            name: re.compile("|".join(f"(?:{expression})" for expression in expressions))
            for name, expressions in content.signals.items()
        }
    except re.error as error:
        raise ConfigError(f"{path.name}: {error.pattern!r} is no regular expression: {error}") from error
    return BehaviourReader(patterns, frozenset(kind.lower() for kind in content.usage))
