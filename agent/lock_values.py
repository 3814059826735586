"""What tool results hold, as the number lock sees it: values, groups, changes, texts."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_SPACES = str.maketrans({"-": " ", "_": " ", "\u00a0": " "})
_NO_WORD = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_DIGIT = re.compile(r"\d")
_SHORT_QUOTE, _LONG = 2, 5


@dataclass(frozen=True)
class Source:
    """One tool call of the conversation: its id, name, arguments and result as JSON-like data."""

    tool_call_id: str
    name: str
    args: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """A group of a result: one of the entries of a list, or a period. `names` is what it may be called."""

    group: str
    dimension: str
    key: str
    names: frozenset[str] = field(compare=False, default=frozenset())


@dataclass(frozen=True)
class Value:
    """One number: where it stands, what it measures, in which unit, its role, and under which subjects.

    `counted`: the result gives it as a whole number.
    """

    number: float
    call: str
    path: str
    key: str
    measure: str = ""
    unit: str = "any"
    role: str = "value"
    subjects: tuple[Subject, ...] = ()
    counted: bool = False


@dataclass(frozen=True)
class Movement:
    """A change that a result states: of which measure and subjects, which way (+1, 0, -1), how sure."""

    call: str
    measure: str
    sign: int
    significant: bool | None
    subjects: tuple[Subject, ...]
    overall: bool
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything that results say, in the order newest first; what is looked up in it is worked out once."""

    values: tuple[Value, ...] = ()
    strings: tuple[tuple[str, str, str], ...] = ()
    movements: tuple[Movement, ...] = ()
    lists: Mapping[str, tuple[Subject, ...]] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[tuple[str, bool], ...] = ()
    first_causes: tuple[frozenset[str], ...] = ()
    metrics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts: "tuple[Evidence, ...]" = ()

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Subject, ...]]:
        """Every subject (filters and periods among them) by each of its names, folded."""
        found: dict[str, dict[Subject, None]] = {}
        if self.parts:
            for part in self.parts:
                for name, subjects in part.by_name.items():
                    found.setdefault(name, {}).update(dict.fromkeys(subjects))
        else:
            listed = (one for subjects in self.lists.values() for one in subjects)
            held = (one for value in self.values for one in value.subjects)
            for subject in dict.fromkeys((*listed, *held)):
                for name in map(folded, subject.names):
                    if len(name) > 1 and not (name.isdigit() and len(name) < 4):
                        found.setdefault(name, {})[subject] = None
        for topic, label in self.labels.items():
            of_topic = [one for one in found.get(folded(topic), ()) if one.dimension == "topic"]
            if of_topic:
                found.setdefault(folded(label), {}).update(dict.fromkeys(of_topic))
        return {name: tuple(subjects) for name, subjects in found.items()}

    @cached_property
    def metric_names(self) -> Mapping[str, str]:
        """The metrics that results are about by their folded names."""
        return {folded(name): metric for metric in self.metrics for name in (metric, *self.metrics[metric])}

    @cached_property
    def by_subject(self) -> Mapping[Subject, Sequence[Value]]:
        """The values that stand under each subject."""
        found: dict[Subject, list[Value]] = {}
        for part in self.parts:
            for subject, values in part.by_subject.items():
                found.setdefault(subject, []).extend(values)
        if not self.parts:
            for value in self.values:
                for one in value.subjects:
                    found.setdefault(one, []).append(value)
        return found

    @cached_property
    def verbatim(self) -> tuple[str, ...]:
        """Strings that hold a figure or are long: repeated word for word they are no claim."""
        if self.parts:
            return tuple(dict.fromkeys(text for part in self.parts for text in part.verbatim))
        texts = {text.replace("\n", " ").strip() for text, _, _ in self.strings}
        return tuple(text for text in texts if _is_telling(text))

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """Letters and digits alone of every string: what a quotation is compared with."""
        if self.parts:
            return tuple(text for part in self.parts for text in part.plain)
        return tuple(plain(text) for text, _, _ in self.strings if len(text) > 1)

    @cached_property
    def _by_size(self) -> tuple[list[float], list[int]]:
        order = sorted(range(len(self.values)), key=lambda at: abs(self.values[at].number))
        return [abs(self.values[at].number) for at in order], order

    def sized(self, spans: Iterable[tuple[float, float]]) -> list[Value]:
        """Values whose size (without sign) lies within one of the spans, in their order."""
        sizes, order = self._by_size
        found: set[int] = set()
        for low, high in spans:
            found.update(order[bisect_left(sizes, low) : bisect_right(sizes, high)])
        return [self.values[at] for at in sorted(found)]


def merged(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several results together, newest first."""
    if len(parts) == 1:
        return parts[0]
    lists: dict[str, tuple[Subject, ...]] = {}
    texts: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    metrics: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for group, listed in part.lists.items():
            lists[group] = (*lists.get(group, ()), *listed)
        for one, told in part.texts.items():
            texts[one] = (*texts.get(one, ()), *told)
        labels = {**part.labels, **labels}
        for metric, names in part.metrics.items():
            metrics[metric] = tuple(dict.fromkeys((*metrics.get(metric, ()), *names)))
    return Evidence(
        values=tuple(value for part in parts for value in part.values),
        strings=tuple(one for part in parts for one in part.strings),
        movements=tuple(one for part in parts for one in part.movements),
        lists=lists,
        texts=texts,
        ids=frozenset(one for part in parts for one in part.ids),
        labels=labels,
        targets=tuple(one for part in parts for one in part.targets),
        first_causes=tuple(one for part in parts for one in part.first_causes),
        metrics=metrics,
        parts=tuple(parts),
    )


def folded(name: str) -> str:
    """A name as it is compared: in lower case, hyphens and underscores as spaces; of the same length."""
    low = name.lower()
    return (low if len(low) == len(name) else name).translate(_SPACES)


def plain(text: str) -> str:
    """Letters, digits and characters alone: spaces and punctuation may differ in a quotation."""
    return _NO_WORD.sub("", text).lower()


def _is_telling(text: str) -> bool:
    short = len(text) < _SHORT_QUOTE or _DIGITS.fullmatch(text)
    return not short and (len(text) > _LONG or _DIGIT.search(text) is not None)
