"""Words for the values of the data: as they are written, their other names, places in both languages."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from agent.word_matching import Hit, Matcher, fold, plural, words
from store.facts import Catalogue, DimensionInfo

ID_LIKE = frozenset(
    {"feedback_id", "customer_id", "conversation_id", "turn", "source", "media", "speaker", "text"}
)
# Values that are ordinary words of a question: only their longer names stand for them.
_TOO_COMMON = frozenset({"app", "other", "review", "und"})
_LONGEST_CODE = 3
_ROWS_A_VALUE = 3
FIELD_ORDER = (
    "region",
    "city",
    "product",
    "version",
    "org_unit",
    "tier",
    "customer_type",
    "channel",
    "language",
)
PLACE_SUFFIX = re.compile(r"(?<=..)(?:省|市|自治区|特别行政区|大区|分公司)$")


def _repeats(info: DimensionInfo) -> bool:
    return info.filled >= _ROWS_A_VALUE * info.distinct


def is_code(value: str) -> bool:
    """Whether a value is an abbreviation in capitals (TX)."""
    return value.isascii() and value.isupper() and len(value) <= _LONGEST_CODE


def called_complaints(catalogue: Catalogue) -> bool:
    """Whether every file is named as complaints: then that word means any row."""
    sources = catalogue.dimensions.get("source")
    if sources is None or not sources.values:
        return False
    return all("complaint" in fold(value) or "投诉" in value for value, _ in sources.values)


def own_words(catalogue: Catalogue) -> frozenset[str]:
    """Words of which the data's columns and files are named: what its rows are about, and no segment."""
    sources = catalogue.dimensions.get("source")
    names = [*catalogue.dimensions, *catalogue.metrics, *(v for v, _ in (sources.values if sources else ()))]
    words = {word.lower() for name in names for word in re.findall(r"[A-Za-z]{3,}|[\u3400-\u9fff]{2,}", name)}
    return frozenset(words | {plural(word) for word in words})


def value_matcher(
    catalogue: Catalogue, topics: Mapping[str, str]
) -> tuple[Matcher, dict[str, list[tuple[str, str]]]]:
    """A matcher of every name of every value, and what each may mean: (dimension, value), likeliest first."""
    meanings: dict[str, list[tuple[str, str]]] = {}

    def learn(word: str, dimension: str, value: str) -> None:
        key = fold(word).strip()
        if (
            key.removesuffix("s") in _TOO_COMMON
            or len(key) < 2
            or (key.replace(".", "").isdigit() and "." not in key)
        ):
            return
        pairs = meanings.setdefault(key, [])
        if (dimension, value) not in pairs:
            pairs.append((dimension, value))

    known = [name for name in FIELD_ORDER if name in catalogue.dimensions]
    for dimension in known:
        for value, _ in catalogue.dimensions[dimension].values:
            if value not in _TOO_COMMON:
                _learn_value(learn, dimension, value)
    for dimension, values in words()["values"].items():
        for value, said in values.items():
            for word in said:
                learn(word, dimension, value)
    others = sorted(set(catalogue.dimensions) - set(known) - ID_LIKE - set(catalogue.metrics))
    # Nearly every row with a value of its own: a title or a remark, whose words stand for nothing.
    named = [d for d in others if _repeats(catalogue.dimensions[d])]
    counted = [(n, d, value) for d in named for value, n in catalogue.dimensions[d].values]
    # A word that is a value of several columns is meant where most rows carry it.
    for _, dimension, value in sorted(counted, key=lambda one: -one[0]):
        _learn_value(learn, dimension, value)
    for name, path in topics.items():
        learn(name, "topic" if "/" in path else "topic_area", path)
    return Matcher({word: word for word in meanings}), meanings


@lru_cache(maxsize=1)
def places_in_chinese() -> Matcher:
    """Finds places by their Chinese names."""
    return Matcher({name: name for name in words()["places"] if not name.isascii()})


def inside(hit: Hit, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether a word overlaps one of these spans."""
    return any(start < hit.end and hit.start < end for start, end in spans)


@lru_cache(maxsize=1)
def _places_by_any_name() -> dict[str, list[str]]:
    """Every name of a place, from its names in English."""
    return {name: [zh, *names] for zh, names in words()["places"].items() for name in names}


def _place_names(value: str) -> list[str]:
    """What else a place and its people are called: 英国 and british, canadian and canadians."""
    names = [*words()["places"].get(value, ()), *_places_by_any_name().get(fold(value), ())]
    return [*names, *(f"{name}s" for name in names if name.isascii() and name[-1] in "in")]


def _learn_value(learn: Any, dimension: str, value: str) -> None:
    if len(value) > 60:
        return
    learn(value, dimension, value)
    bare = PLACE_SUFFIX.sub("", value)
    for word in (bare, *_place_names(bare), plural(value)):
        learn(word, dimension, value)
    if dimension == "org_unit" and "/" in value:
        parts = value.split("/")
        for depth in range(1, len(parts) + 1):
            for word in (parts[depth - 1], PLACE_SUFFIX.sub("", parts[depth - 1])):
                learn(word, dimension, "/".join(parts[:depth]))
