"""Which figure a metric is, and asking the store for its sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from analytics.estimates import Estimate, Kind, Scale, estimate
from analytics.sums import EMPTY, Sums
from store.facts import Aggregate, FactStore, Group, MetricInfo, Selection
from store.responses import within
from tools.arguments import Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.dimensions import canonical, find_dimension, find_values, fold
from tools.refusals import Refusal

DIGITS = 4


@dataclass(frozen=True)
class Measure:
    """A metric by its name in the store, its kind, its best value (None: not known) and its title.

    `scale` of a mean: that of the metric, or the range of the values in the data where it has none.
    """

    name: str
    kind: Kind
    best: float | None
    title: str
    scale: Scale | None = None


def find_measure(name: str, context: ToolContext, language: Language) -> Measure:
    """The metric a word stands for: a column of the data first, then the known ones and their aliases.

    `share:<dimension>=<value>` is normalised. Raises ToolInputError that lists the nearest known metrics.
    """
    custom = context.facts.catalogue().metrics
    known = _known()
    asked = name.strip()
    if asked.lower().startswith("share:"):
        return _share(asked, context, language)
    if (minutes := within(asked)) is not None:
        title = _words()["within"][language].format(minutes=f"{minutes:g}")
        return Measure(asked, "proportion", 1.0, title)
    for candidate in custom:
        if fold(candidate) == fold(asked):
            return _measure(candidate, custom[candidate], language)
    target = _aliases().get(fold(asked))
    if target is not None:
        return _measure(target, None, language)
    words = {**{fold(c): c for c in custom}, **{fold(k): k for k in known}, **_aliases()}
    near = dict.fromkeys(words[word] for word in get_close_matches(fold(asked), words, n=3, cutoff=0.6))
    listed = dict.fromkeys((*custom, *(k for k in known if k not in ("nps", "csat", "ces", "rating"))))
    raise Refusal("unknown_metric", name=name, nearest=list(near), known=list(listed))


def lower_is_better(metric: str) -> bool:
    """Whether the least is the best of a metric that every store knows (a share of complaints, a delay)."""
    entry = _known().get(metric)
    return entry is not None and entry.get("best") == 0


def sums(measure: Measure, selection: Selection, facts: FactStore) -> Sums:
    """The sums of a metric over a selection."""
    return pooled(facts.aggregate(Aggregate(measure.name, selection)))


def pooled(groups: Sequence[Group]) -> Sums:
    """Add up groups that share no item."""
    return sum((Sums(g.n, g.total, g.squares) for g in groups), EMPTY)


def figure(measure: Measure, of: Sums) -> dict[str, float | int | None]:
    """value, ci_low, ci_high, n: NPS in points, a proportion in 0..1, a mean in its own unit, a count."""
    found = estimate(measure.kind, of, scale=measure.scale)
    return {
        "value": level(measure, found.value),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
        "n": found.n,
    }


def estimate_caveats(found: Estimate, language: Language) -> list[str]:
    """Why an estimate has no interval, where it has none."""
    if found.reason is None or found.n == 0:
        return []
    return [caveat("no_interval", language, reason=found.reason)]


def level(measure: Measure, value: float | None) -> float | int | None:
    """A value of the metric as results show it: counts are whole numbers."""
    return round(value) if measure.kind == "count" and value is not None else rounded(value)


def rounded(value: float | None) -> float | None:
    """At most four decimals; minus zero is zero."""
    return None if value is None else round(value, DIGITS) + 0.0


def _share(asked: str, context: ToolContext, language: Language) -> Measure:
    dimension, equals, value = asked[len("share:") :].partition("=")
    if not equals or not value.strip():
        raise Refusal("share_form")
    name = find_dimension(dimension.strip(), context.facts.catalogue())
    stored = canonical(name, value.strip())
    if stored is None:
        found = find_values(name, value.strip(), context.facts, context.taxonomy)
        if len(found) > 1:
            raise Refusal("share_ambiguous", value=value, dimension=name, known=found[:10])
        stored = found[0]
    entry = _known().get(f"share:{name}={stored}")
    title = f"{entry[language]}" if entry else f"{name}={stored}"
    best = None if entry is None else entry.get("best")
    return Measure(f"share:{name}={stored}", "proportion", best, title)


def _measure(name: str, info: MetricInfo | None, language: Language) -> Measure:
    entry = _known().get(name)
    if entry is None:
        best, observed = (None, None) if info is None else (info.high, (info.low, info.high))
        return Measure(name, "mean", best, name, observed)
    best = entry.get("best")
    scale: Scale | None = (float(entry["scale"][0]), float(entry["scale"][1])) if "scale" in entry else None
    return Measure(name, entry["kind"], None if best is None else float(best), str(entry[language]), scale)


def _known() -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = _words()["metrics"]
    return metrics


@cache
def _words() -> Mapping[str, Any]:
    path = Path(__file__).parent / "metric_words.yaml"
    loaded: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@cache
def _aliases() -> Mapping[str, str]:
    return {fold(str(word)): name for name, entry in _known().items() for word in (name, *entry["words"])}
