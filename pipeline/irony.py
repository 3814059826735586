"""What a text means where its words say something else: irony, and praise beneath a complaint.

Rules of lexicon/irony.yaml, after the observation that irony in reviews is praise beside a bad event (Riloff
et al. 2013, "Sarcasm as Contrast between a Positive Sentiment and Negative Situation").
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from pipeline.clauses import Reading
from pipeline.cue_context import spelt
from pipeline.lexicon import bit
from pipeline.readings import lowered
from store.errors import ConfigError
from store.records import Sentiment

_FILE: Final = Path(__file__).with_name("lexicon") / "irony.yaml"
IRONIC: Final = bit("ironic")
REDEEMING: Final = bit("redeeming")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
# A rule is not a probability: it turns the verdict, and says that it is not sure.
_TURNED: Final = 0.6


class Between(NamedTuple):
    """The sentiment that is meant, how sure that is, and that it is not what the words say."""

    sentiment: Sentiment
    confidence: float
    implied: Sentiment


@dataclass(frozen=True)
class _Rules:
    """Compiled rules of one language."""

    irony: re.Pattern[str]
    praise: re.Pattern[str]
    fact: re.Pattern[str]
    sincere: re.Pattern[str]
    longest: int
    hidden: re.Pattern[str]
    taken_back: re.Pattern[str]

    def is_ironic(self, plain: str) -> bool:
        """Whether praise is said of something bad."""
        if self.irony.search(plain):
            return True
        return (
            len(plain) <= self.longest
            and self.praise.search(plain) is not None
            and self.fact.search(plain) is not None
            and self.sincere.search(plain) is None
        )

    def hides_praise(self, plain: str) -> bool:
        """Whether a complaint ends in a verdict that redeems it."""
        return self.hidden.search(plain) is not None and self.taken_back.search(plain) is None


@dataclass(frozen=True)
class IronyRules:
    """The rules of both languages; `fingerprint` changes with any of them."""

    languages: Mapping[str, _Rules]
    fingerprint: str


def read_between(text: str, reading: Reading, sentiment: Sentiment, confidence: float) -> Between | None:
    """What is meant if it is not what the words say, else None (nearly always; then no rule has run)."""
    if not reading.modifiers & (IRONIC | REDEEMING):
        return None
    plain = lowered(text).strip()
    rules = load_irony().languages["zh" if _CHINESE.search(plain) else "en"]
    if reading.modifiers & IRONIC and rules.is_ironic(plain):
        return _meant(Sentiment.NEGATIVE, sentiment, confidence)
    if reading.modifiers & REDEEMING and rules.hides_praise(plain):
        return _meant(Sentiment.POSITIVE, sentiment, confidence)
    return None


def _meant(meant: Sentiment, sentiment: Sentiment, confidence: float) -> Between:
    return Between(meant, confidence if sentiment is meant else _TURNED, meant)


@cache
def load_irony() -> IronyRules:
    """Read and compile the rules once. Raises ConfigError where they are not usable."""
    try:
        raw = _FILE.read_bytes()
        data: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        rules = {language: _compiled(data, language) for language in ("zh", "en")}
    except (OSError, KeyError, AttributeError, TypeError, re.error, yaml.YAMLError) as error:
        raise ConfigError(f"The rules {_FILE.name} cannot be used: {error!r}") from error
    return IronyRules(rules, hashlib.sha256(raw).hexdigest()[:12])


def _compiled(data: Mapping[str, Any], language: str) -> _Rules:
    words: Mapping[str, str] = data["words"][language]

    def pattern(*rules: str) -> re.Pattern[str]:
        filled = [re.sub(r"\{([a-z]+)\}", lambda match: words[match[1]], rule) for rule in rules]
        return re.compile("|".join(f"(?:{spelt(rule)})" for rule in filled))

    return _Rules(
        irony=pattern(*data["irony"][language]),
        praise=pattern(words["praise"]),
        fact=pattern(words["fact"]),
        sincere=pattern(words["sincere"]),
        longest=int(data["with_a_fact"]["longest"][language]),
        hidden=pattern(*data["hidden_praise"][language]),
        taken_back=pattern(data["taken_back"][language]),
    )
