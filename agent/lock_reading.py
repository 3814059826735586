"""Reads tool results into evidence: every number with its measure, unit, role and the groups it is of."""

import itertools
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Any, Final

from agent.lock_changes import movement_of, number_of
from agent.lock_names import column_names, column_unit, period_names, value_names
from agent.lock_values import Evidence, Movement, Source, Subject, Value, merged
from agent.lock_words import lock_words

_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_NAMED_BY = ("customer_id", "theme_id", "day", "name", "component", "topic", "key", "label")
_TEXT_KEYS = ("text", "quote")
_PERIOD = "period"
_KEPT: Final = 256
_CALENDAR_SLACK = 2.0  # days by which a number of months or years may be off


class _Reading:
    """Walks one source after the other and collects."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.strings: list[tuple[str, str, str]] = []
        self.movements: list[Movement] = []
        self.lists: dict[str, list[Subject]] = {}
        self.texts: dict[str, list[str]] = {}
        self.ids: set[str] = set()
        self.labels: dict[str, str] = {}
        self.targets: list[tuple[str, bool]] = []
        self.first_causes: list[frozenset[str]] = []
        self._call = ""
        self._metric, self._metric_unit = "", "any"
        self._spans: dict[str, tuple[Subject, ...]] = {}

    def read(self, source: Source) -> Evidence:
        """What one call says."""
        result = source.result
        data = result.get("data")
        data = data if isinstance(data, Mapping) else {}
        self._call = source.tool_call_id
        self._metric = str(data.get("metric") or lock_words()["tool_metrics"].get(source.name, ""))
        kind = str(data.get("kind") or ("nps" if self._metric == "nps" else ""))
        self._metric_unit = lock_words()["metric_units"].get(self._metric) or (
            column_unit(self._metric) if kind == "mean" else lock_words()["kinds"].get(kind, "any")
        )
        self._spans = self._periods(result, data)
        about = self._subject(data, f"{self._call}:about") if data.get("theme_id") else ()
        self._enlist(about)
        root = (*self._filters(result), *self._spans.get("root", ()), *about)
        self.ids.update(str(one) for one in result.get("evidence", ()) or ())
        for key, value in result.items():
            if key not in ("args", "chart"):
                self._walk(value, str(key), str(key), root, "")
        self._walk(source.args, "args", "args", (), "")
        self._judgements(data)
        metrics = {self._metric: (str(data.get("title") or ""), *column_names(self._metric))}
        return Evidence(
            values=tuple(self.values),
            strings=tuple(self.strings),
            movements=tuple(self.movements),
            lists={group: tuple(found) for group, found in self.lists.items()},
            texts={one: tuple(texts) for one, texts in self.texts.items()},
            ids=frozenset(self.ids),
            labels=self.labels,
            targets=tuple(self.targets),
            first_causes=tuple(self.first_causes),
            metrics=metrics if self._metric else {},
        )

    def _filters(self, result: Mapping[str, Any]) -> tuple[Subject, ...]:
        found = []
        for dimension, value in (result.get("filters") or {}).items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and dimension != "exclude":
                    # "negative" says what is counted, not of whom.
                    names = frozenset(() if dimension == "sentiment" else value_names(dimension, one))
                    found.append(Subject(f"{self._call}:filters", dimension, one, names))
        return tuple(found)

    def _periods(self, result: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, tuple[Subject, ...]]:
        spans: dict[str, tuple[Subject, ...]] = {}
        baseline = data.get("baseline")
        places = {
            "root": result.get("period"),
            "before": data.get("before_period"),
            "after": data.get("after_period"),
            "baseline": baseline.get("period") if isinstance(baseline, Mapping) else None,
        }
        if places["before"] is not None and places["after"] is None:
            places["after"] = result.get("period")
        for place, period in places.items():
            if isinstance(period, Mapping) and period.get("from") and period.get("to"):
                key = f"{str(period['from'])[:10]}/{str(period['to'])[:10]}"
                names = frozenset(period_names(str(period["from"]), str(period["to"])))
                spans[place] = (Subject(f"{self._call}:periods", _PERIOD, key, names),)
        self._lengths(places.values())
        if "before" in spans and "root" in spans:
            spans["root"] = ()
        for subjects in spans.values():
            self._enlist(subjects)
        return spans

    def _lengths(self, periods: Iterable[object]) -> None:
        """How long periods are, and how far apart they begin: "within three years"."""
        days = [
            (date.fromisoformat(str(one["from"])[:10]), date.fromisoformat(str(one["to"])[:10]))
            for one in periods
            if isinstance(one, Mapping) and one.get("from") and one.get("to")
        ]
        spans = {(end - start).days for start, end in days}
        spans |= {abs((one[0] - other[0]).days) for one, other in itertools.combinations(days, 2)}
        for span in sorted(spans - {0}):
            for unit, length in (("days", 1.0), ("months", 30.44), ("years", 365.25)):
                if (whole := round(span / length)) and abs(span - whole * length) <= _CALENDAR_SLACK:
                    self.values.append(Value(float(whole), self._call, "period", "length", "", unit))

    def _enlist(self, subjects: Sequence[Subject]) -> None:
        for one in subjects:
            known = self.lists.setdefault(one.group, [])
            if one not in known:
                known.append(one)

    def _walk(self, value: object, path: str, key: str, under: tuple[Subject, ...], parent: str) -> None:
        if isinstance(value, Mapping):
            self._note(value, path, under)
            self._derive(value, path, under)
            spans = self._spans.get("baseline", ()) if key == "baseline" else ()
            here = tuple(one for one in under if one.dimension != _PERIOD) + spans if spans else under
            for name, item in value.items():
                self._walk(item, f"{path}.{name}", str(name), here, key)
        elif isinstance(value, list | tuple):
            self.values.append(Value(float(len(value)), self._call, f"{path}.length", "length", "n"))
            for index, item in enumerate(value):
                subject = self._subject(item, f"{self._call}:{path}") if isinstance(item, Mapping) else ()
                self._enlist(subject)
                deeper = (*under, *subject)
                if subject and subject[0].dimension == _PERIOD:
                    deeper = (*(one for one in under if one.dimension != _PERIOD), *subject)
                self._walk(item, f"{path}[{index}]", key, deeper, parent)
        elif isinstance(value, str):
            self._string(value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.values.append(self._value(value, path, key, under, parent))

    def _derive(self, item: Mapping[str, Any], path: str, under: tuple[Subject, ...]) -> None:
        """What a result implies: shares of promoters, passives, detractors; two sides of a comparison."""
        parts = {key: number_of(item.get(key)) for key in ("promoters", "passives", "detractors")}
        total = sum(value or 0.0 for value in parts.values())
        for key, count in parts.items():
            if count is not None and total:
                self.values.append(
                    Value(count / total, self._call, f"{path}.{key}", key, key, "share", "value", under)
                )
        before, after = number_of(item.get("before")), number_of(item.get("after"))
        if before is not None and after is not None and "change" not in item and "recent" not in item:
            unit = self._metric_unit
            change = Value(
                after - before, self._call, f"{path}.after", "change", self._metric, unit, "change", under
            )
            self.values.append(change)
        if "before_period" in item:
            self.values.append(Value(2.0, self._call, f"{path}.before_period", "sides", "n"))

    def _string(self, value: str, path: str) -> None:
        self.strings.append((value, self._call, path))
        if _DIGITS.fullmatch(value.strip()):
            self.values.append(Value(float(value), self._call, path, "text", unit="text"))

    def _value(
        self, whole: int | float, path: str, key: str, under: tuple[Subject, ...], parent: str
    ) -> Value:
        words, number = lock_words(), float(whole)
        measure, unit, role = words["keys"].get(key, ("", "any", "value"))
        if parent in words["under"] and key in ("value", "low", "high", *words["under"][parent][2:]):
            measure, unit = words["under"][parent][:2]
            role = {"low": "low", "high": "high"}.get(key, "value")
        elif parent in ("usual_budget_split", "sentiments"):
            unit = words["under"][parent][1]
        if parent == "parts" or path.startswith("args"):
            measure, unit = "", "any" if unit == "metric" or parent == "parts" else unit
        if key not in words["keys"] and isinstance(whole, int):
            unit = "integer"
        if parent in ("median", "p90") and key == "value":
            role = "quantile"
        if key == "before" and ".themes[" in path:
            measure, unit = "n", "count"
        if (key == "mean" and ".traits[" in path) or (key == "value" and ".parts[" in path):
            measure, unit = "", "any"
        if key == "score":
            measure, unit = ("nps", "score") if ".stages[" in path else ("", "any")
        if key == "total" and ".contributions[" in path:
            role = "change"
        measure = self._metric if measure == "metric" else measure
        unit = self._metric_unit if unit == "metric" else unit
        if role in ("before", "rest_before") or key.startswith("before_ci") or key == "n_before":
            under = (*under, *self._spans.get("before", ()))
        elif role in ("after", "rest_after") or key.startswith("after_ci") or key == "n_after":
            under = (*under, *self._spans.get("after", ()))
        return Value(number, self._call, path, key, measure, unit, role, under, isinstance(whole, int))

    def _subject(self, item: Mapping[str, Any], group: str) -> tuple[Subject, ...]:
        """The subject that an entry of a list is, by its keys, conditions or name."""
        keys = item.get("keys") or item.get("conditions") or item.get("scope")
        if isinstance(keys, Mapping) and keys:
            names = {name for d, v in keys.items() for name in value_names(d, v)}
            dimension = "+".join(keys)
            if dimension in ("month", "date", "week", "quarter", "year"):
                dimension = _PERIOD
            if item.get("label"):
                names.add(str(item["label"]))
            if item.get("scope_label"):
                names.add(str(item["scope_label"]))
            key = str(item.get("key") or item.get("label") or sorted(keys.items(), key=str))
            return (Subject(group, dimension, key, frozenset(names)),)
        if "field" in item or "trait" in item:
            return ()  # called by words such as 渠道 that name no group
        for by in _NAMED_BY:
            if isinstance(item.get(by), str):
                listed = group.rpartition(".")[2]
                names = set(value_names(listed.removesuffix("s") if by == "key" else by, item[by]))
                names |= {str(item[k]) for k in ("label", "topic_label", "scope_label") if item.get(k)}
                dimension = _PERIOD if by == "day" else listed if by != "customer_id" else by
                key = f"{item[by]}:{item['side']}" if "side" in item else item[by]
                return (Subject(group, dimension, key, frozenset(names)),)
        return ()

    def _note(self, item: Mapping[str, Any], path: str, under: tuple[Subject, ...]) -> None:
        """Texts by their feedback id, labels of topics, and changes that this object states."""
        for by in ("id", "feedback_id"):
            if isinstance(item.get(by), str):
                self.ids.add(item[by])
                texts = self.texts.setdefault(item[by], [])
                texts += [item[k] for k in _TEXT_KEYS if isinstance(item.get(k), str) and item[k]]
                if isinstance(item.get("topics"), list):
                    texts += [f"topic:{topic}" for topic in item["topics"] if isinstance(topic, str)]
        label = item.get("topic_label") or ("" if "theme_id" in item else item.get("label"))
        if isinstance(item.get("topic"), str) and isinstance(label, str) and label:
            self.labels[item["topic"]] = label
        if isinstance(item.get("evidence"), list):
            self.ids.update(str(one) for one in item["evidence"])
        if not path.startswith("args"):
            move = movement_of(item, path, under, (self._call, self._metric))
            if move is not None:
                self.movements.append(move)

    def _judgements(self, data: Mapping[str, Any]) -> None:
        target = data.get("target")
        if isinstance(target, Mapping) and isinstance(target.get("met"), bool):
            self.targets.append((self._metric, target["met"]))
        causes = data.get("causes")
        if data.get("verdict") == "cause_found" and isinstance(causes, list) and causes:
            found = {name for d, v in causes[0]["conditions"].items() for name in value_names(d, v)}
            found |= {str(causes[0][k]) for k in ("theme", "theme_label", "label") if causes[0].get(k)}
            self.first_causes.append(frozenset(found))


class _Readings:
    """What the last results said. A result that comes out of a checkpoint anew is known by its call."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Source, Evidence]] = OrderedDict()
        self._guard = Lock()

    def of(self, source: Source) -> Evidence:
        """The evidence of one result, read once."""
        with self._guard:
            kept = self._kept.get(source.tool_call_id)
            if kept is not None and kept[0] == source:
                self._kept.move_to_end(source.tool_call_id)
                return kept[1]
        read = _Reading().read(source)
        with self._guard:
            self._kept[source.tool_call_id] = source, read
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return read


_readings = _Readings()


def read_sources(sources: Sequence[Source]) -> Evidence:
    """All that the results of a conversation (oldest first) hold."""
    return merged([_readings.of(source) for source in reversed(sources)])
