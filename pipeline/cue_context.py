"""Whether a cue is meant where it stands: rules of lexicon/context.yaml on the text around it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from store.errors import ConfigError

_FILE: Final = Path(__file__).with_name("lexicon") / "context.yaml"
_KINDS: Final = ("insists", "denied", "elsewhere", "supposed", "threat", "needs")
_LANGUAGES: Final = ("zh", "en")
# The cue stands between these signs.
_OPEN, _CLOSE = "\x01", "\x02"
# How much of the text a rule sees, in code points before and after the cue.
_BEFORE, _AFTER = 90, 70
_INNER: Final = re.compile(r"@\{([^}]*)\}")
_SIGN: Final = r"[^\x01\x02,，.。!！?？;；\n]"
_SENTENCE: Final = r"[^\x01\x02.。!！?？\n]{0,80}"
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH: Final = re.compile(r"[a-z]")
_Patterns = Mapping[tuple[str, str], re.Pattern[str]]


@dataclass(frozen=True)
class ContextRules:
    """Compiled rules by group ("risk", "compliance") and name; `fingerprint` changes with any of them."""

    groups: Mapping[str, Mapping[str, _Patterns]]
    fingerprint: str

    def is_meant(self, group: str, name: str, lowered: str, start: int, end: int) -> bool:
        """Whether the cue at `lowered[start:end]` means `name` (with a final ? where it must prove so)."""
        needs = name.endswith("?")
        patterns = self.groups[group].get(name.rstrip("?")) or self.groups[group]["all"]
        window = _window(lowered, start, end)
        languages = _languages(window)

        def fits(kind: str) -> bool:
            return any(
                (pattern := patterns.get((kind, language))) is not None and pattern.search(window) is not None
                for language in languages
            )

        if needs and not fits("needs"):
            return False
        if fits("insists"):
            return True
        if _is_in_straight_quotes(lowered, start, end) or fits("denied") or fits("elsewhere"):
            return False
        return not fits("supposed") or fits("threat")


def _window(lowered: str, start: int, end: int) -> str:
    before, after = lowered[max(0, start - _BEFORE) : start], lowered[end : end + _AFTER]
    return f"{before}{_OPEN}{lowered[start:end]}{_CLOSE}{after}"


def _languages(window: str) -> Sequence[str]:
    if _CHINESE.search(window) is None:
        return ("en",)
    return _LANGUAGES if _ENGLISH.search(window) else ("zh",)


def _is_in_straight_quotes(lowered: str, start: int, end: int) -> bool:
    """Between the first and the second (third and fourth ...) straight quotation mark of the text."""
    return lowered.count('"', 0, start) % 2 == 1 and '"' in lowered[end : end + _AFTER]


@cache
def load_context() -> ContextRules:
    """Read and compile the rules once. Raises ConfigError where they are not usable."""
    try:
        raw = _FILE.read_bytes()
        data: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        general = data.pop("all")
        groups = {
            group: {
                name: _compiled([general, names["all"], own if name != "all" else {}])
                for name, own in names.items()
            }
            for group, names in data.items()
        }
    except (OSError, KeyError, AttributeError, TypeError, re.error, yaml.YAMLError) as error:
        raise ConfigError(f"The rules {_FILE.name} cannot be used: {error!r}") from error
    return ContextRules(groups, hashlib.sha256(raw).hexdigest()[:12])


def _compiled(layers: Sequence[Mapping[str, Any]]) -> _Patterns:
    """One pattern for each kind and language, of the rules of all layers."""
    unknown = set().union(*layers) - set(_KINDS)
    if unknown:
        raise KeyError(f"{sorted(unknown)}: known kinds are {', '.join(_KINDS)}")
    found: dict[tuple[str, str], re.Pattern[str]] = {}
    for kind in _KINDS:
        for language in _LANGUAGES:
            rules = [rule for layer in layers for rule in layer.get(kind, {}).get(language, [])]
            if rules:
                found[kind, language] = re.compile("|".join(f"(?:{spelt(rule)})" for rule in rules))
    return found


def spelt(rule: str) -> str:
    """A rule as a regular expression: `@`, `@{x}`, `<8>` and `<<` written out."""
    rule = re.sub(r"<(\d+)>", lambda match: f"{_SIGN}{{0,{match[1]}}}", rule)
    inner = f"{_OPEN}[^{_CLOSE}]*(?:%s)[^{_CLOSE}]*{_CLOSE}"
    rule = _INNER.sub(lambda match: inner % match[1], rule.replace("<<", _SENTENCE))
    return rule.replace("@", f"{_OPEN}[^{_CLOSE}]*{_CLOSE}")
