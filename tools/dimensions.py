"""What people call dimensions and their values, matched to what is in the data."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.taxonomy import Taxonomy
from store.dimensions import FEEDBACK_DIMENSIONS, TIME_DIMENSIONS
from store.facts import Aggregate, Catalogue, FactStore
from store.units import UNIT, OutOfScope, within
from tools.arguments import Language
from tools.refusals import Refusal

MULTI_VALUED = ("topic", "topic_area", "risk", "competitor", "compliance")
_LABELS = ("sentiment", "emotion", "intent", "priority", *MULTI_VALUED, "nps_class", "theme")
# More distinct values than this are not listed: a value is then looked up by itself.
_LISTABLE = 5000
# So many values are named where one is not known.
_NAMED = 20
# Of these every value is known beforehand: one that no item has is a count of zero, not an unknown word.
_FIXED_VALUES = frozenset(("sentiment", "emotion", "intent", "priority", "nps_class"))


def fold(word: str) -> str:
    """Case, spaces and underscores do not tell two names apart."""
    return " ".join(word.strip().lower().replace("_", " ").split())


@cache
def vocabulary() -> Mapping[str, Any]:
    """The words of `dimension_words.yaml`."""
    loaded: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "dimension_words.yaml").read_text(encoding="utf-8")
    )
    return loaded


def dimension_title(name: str, language: Language) -> str:
    """What a dimension is called in prose."""
    entry = vocabulary()["dimensions"].get(name)
    return str(entry[language]) if entry else name


def known_dimensions(catalogue: Catalogue) -> list[str]:
    """Names that can be filtered and grouped by in this data, time dimensions included."""
    return [*catalogue.dimensions, *(name for name in TIME_DIMENSIONS if name not in catalogue.dimensions)]


def find_dimension(name: str, catalogue: Catalogue) -> str:
    """The dimension a name stands for: as in the data, else by alias, in any case.

    Raises ToolInputError that lists the nearest known names.
    """
    known = known_dimensions(catalogue)
    if name in known:
        return name
    folded = {fold(candidate): candidate for candidate in reversed(known)}
    if fold(name) in folded:
        return folded[fold(name)]
    meant = _aliases().get(fold(name), ())
    for candidate in meant:
        if candidate in known:
            return candidate
    # Another word for the same thing may be the name of a column in the data.
    for candidate in meant:
        for word in vocabulary()["dimensions"][candidate]["words"]:
            if fold(word) in folded:
                return folded[fold(word)]
    if fold(name) in map(fold, (*FEEDBACK_DIMENSIONS, *_LABELS)):
        return next(n for n in (*FEEDBACK_DIMENSIONS, *_LABELS) if fold(n) == fold(name))
    titles = {**{fold(word): target for word, targets in _aliases().items() for target in targets}, **folded}
    near = [titles[word] for word in get_close_matches(fold(name), titles, n=3, cutoff=0.6)]
    nearest = [n for n in dict.fromkeys(near) if n in known]
    raise Refusal("unknown_dimension", name=name, nearest=nearest, known=known)


def find_values(dimension: str, value: str, facts: FactStore, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The stored values a word stands for; a level of a "/"-separated unit stands for all below it.

    Raises ToolInputError that lists the nearest stored values.
    """
    if dimension == UNIT and facts.scope:
        return _units(value, facts)
    catalogue = facts.catalogue()
    info = catalogue.dimensions.get(dimension)
    listed = [v for v, _ in info.values] if info else []
    if value in listed:
        return (value, *(() if dimension != "org_unit" else _below(value, _all(dimension, facts, catalogue))))
    complete = info is not None and info.distinct <= len(listed)
    if info is not None and not complete and info.distinct <= _LISTABLE:
        listed = _all(dimension, facts, catalogue)
        complete = True
    found = _match(dimension, value, listed, taxonomy)
    if found:
        return found
    if info is not None and not complete and facts.aggregate(_exactly(dimension, value)):
        return (value,)
    raise _no_value(dimension, value, listed, taxonomy, complete=complete)


def _units(value: str, facts: FactStore) -> tuple[str, ...]:
    """Units within a scope. OutOfScope for one that is not, that holds more, and that is not there."""
    catalogue = facts.catalogue()
    listed = _all(UNIT, facts, catalogue) if UNIT in catalogue.dimensions else []
    meant = tuple(unit for unit in listed if unit == value or _is_level(value.strip("/"), unit))
    wanted = len(value.strip("/").split("/"))
    # 华东 stands for all below it: a level above the scope holds units that may not be seen.
    above = [unit for unit in meant if not _reaches_scope(value.strip("/"), unit, wanted, facts)]
    if not meant or above:
        raise OutOfScope([value], facts.scope)
    return meant


def _reaches_scope(value: str, unit: str, wanted: int, facts: FactStore) -> bool:
    parts = unit.split("/")
    ends = (at + wanted for at in range(len(parts)) if _is_level(value, "/".join(parts[at : at + wanted])))
    return any(within("/".join(parts[:end]), facts.scope) for end in ends)


def is_missing(value: str) -> bool:
    """Whether a word means "not given"."""
    return fold(value) in vocabulary()["missing"]


def canonical(dimension: str, value: str) -> str | None:
    """The label value a word stands for (负面 is negative), data or no data."""
    for name, words in vocabulary()["values"].get(dimension, {}).items():
        if fold(value) == fold(str(name)) or fold(value) in words:
            return str(name)
    return None


def bare_place(word: str) -> str:
    """A place name without 省, 市, 自治区 and the like."""
    for suffix in vocabulary()["place_suffixes"]:
        if word.lower().endswith(suffix) and len(word) > len(suffix) + 1:
            return word[: -len(suffix)]
    return word


@cache
def _aliases() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, entry in vocabulary()["dimensions"].items():
        for word in (name, *entry["words"]):
            found[fold(str(word))] = (*found.get(fold(str(word)), ()), name)
    return found


def _match(dimension: str, value: str, listed: Sequence[str], taxonomy: Taxonomy) -> tuple[str, ...]:
    folded: dict[str, list[str]] = {}
    for candidate in listed:
        folded.setdefault(fold(candidate), []).append(candidate)
    if fold(value) in folded:
        return tuple(folded[fold(value)])
    named = canonical(dimension, value)
    if named is not None and (named in listed or dimension in _FIXED_VALUES):
        return (named,)
    place = fold(bare_place(value.strip()))
    same_place = tuple(v for v in listed if fold(bare_place(v)) == place)
    if same_place:
        return same_place
    if dimension == "topic":
        return _topics(value, listed, taxonomy)
    return tuple(v for v in listed if "/" in v and _is_level(value, v))


def _topics(value: str, listed: Sequence[str], taxonomy: Taxonomy) -> tuple[str, ...]:
    """A topic by a name or alias in either language or by the path it had, or all topics of an area."""
    wanted = fold(value)
    meant = {path for word, path in taxonomy.words().items() if fold(word) == wanted}
    meant |= {taxonomy.moved[value]} if value in taxonomy.moved else set()
    named = tuple(topic for topic in listed if topic in meant)
    if named:
        return named
    return tuple(t for t in listed if wanted in (fold(t.partition("/")[0]), fold(t.rpartition("/")[2])))


def _is_level(value: str, unit: str) -> bool:
    wanted = [fold(bare_place(part)) for part in value.split("/")]
    parts = [fold(bare_place(part)) for part in unit.split("/")]
    return any(parts[at : at + len(wanted)] == wanted for at in range(len(parts)))


def _below(value: str, listed: Iterable[str]) -> tuple[str, ...]:
    return tuple(unit for unit in listed if unit.startswith(value + "/"))


def _all(dimension: str, facts: FactStore, catalogue: Catalogue) -> list[str]:
    info = catalogue.dimensions[dimension]
    if info.distinct <= len(info.values):
        return [value for value, _ in info.values]
    groups = facts.aggregate(Aggregate("volume", group_by=(dimension,)))
    return [key for (key,) in (group.key for group in groups) if key is not None]


def _exactly(dimension: str, value: str) -> Aggregate:
    from store.facts import Selection

    return Aggregate("volume", Selection(filters={dimension: (value,)}), group_by=(dimension,), limit=1)


def _no_value(
    dimension: str, value: str, listed: Sequence[str], taxonomy: Taxonomy, *, complete: bool
) -> Refusal:
    by_fold = {fold(v): v for v in listed}
    near = [by_fold[f] for f in get_close_matches(fold(value), by_fold, n=5, cutoff=0.5)]
    near += [v for v in listed if fold(value) and fold(value) in fold(v)][:5]
    nearest = list(dict.fromkeys(near))[:5]
    if not listed:
        return Refusal("no_values", dimension=dimension, value=value)
    if dimension == "topic":
        entries = taxonomy.entries
        listed = [f"{v} ({entries[v].names['zh']})" if v in entries else v for v in listed]
    more = " ..." if len(listed) > _NAMED or not complete else ""
    return Refusal(
        "unknown_value", dimension=dimension, value=value, nearest=nearest, known=listed[:_NAMED], more=more
    )
