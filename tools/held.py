"""A figure held against its baseline and its target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from analytics.estimates import estimate
from tools.arguments import Language
from tools.context import ToolContext
from tools.industry import industry_rate
from tools.measures import Measure, level, rounded, sums
from tools.periods import ResolvedPeriod, previous, year_earlier
from tools.selection import Chosen
from tools.targets import History, MetricRule


@dataclass
class Held:
    """Holds one metric of one selection against its baseline and its target."""

    measure: Measure
    chosen: Chosen
    context: ToolContext
    language: Language
    _levels: dict[History, dict[str, Any] | None] = field(default_factory=dict)

    def figures(self, value: float | None, ci_low: float | None, ci_high: float | None) -> dict[str, Any]:
        """{baseline, target} of a figure of the metric as results show it; None where there is none.

        baseline {value, source, n, period, change}; target {value, rule, source, gap, met}, `met` being true,
        false, or "undecided" where the interval holds the target.
        """
        rule = self.context.targets.of(self.measure.name)
        return {
            "baseline": None if value is None else self._baseline(rule, value),
            "target": None if value is None else self._target(rule, value, (ci_low, ci_high)),
        }

    def _baseline(self, rule: MetricRule, value: float) -> dict[str, Any] | None:
        for source in rule.baseline:
            if isinstance(source, float):
                return {"value": source, "source": "given", "change": rounded(value - source)}
            found = self._level(source)
            if found is not None:
                return {**found, "change": rounded(value - found["value"])}
        return None

    def _target(
        self, rule: MetricRule, value: float, interval: tuple[float | None, float | None]
    ) -> dict[str, Any] | None:
        asked = rule.target
        if asked is None:
            return None
        bound, upwards = asked.at_least, True
        if asked.at_most is not None:
            bound, upwards = asked.at_most, False
        elif asked.change is not None:
            found = self._level(asked.from_)
            if found is None:
                return None
            bound, upwards = found["value"] + asked.change, asked.change >= 0
        assert bound is not None
        return {
            "value": rounded(bound),
            "rule": "at_least" if upwards else "at_most",
            "source": "own" if self.measure.name in self.context.targets.own else "default",
            "gap": rounded(value - bound),
            "met": _met(bound, value, interval, upwards=upwards),
        }

    def _level(self, source: History) -> dict[str, Any] | None:
        if source not in self._levels:
            self._levels[source] = self._industry() if source == "industry" else self._history(source)
        return self._levels[source]

    def _history(self, source: History) -> dict[str, Any] | None:
        period, end = self.chosen.period, self.chosen.period.window.end
        if not period.bounded or end is None:
            return None
        if self.measure.kind == "count" and end > self.context.clock.now():
            # A count that still grows is not held against that of a whole span.
            return None
        step = year_earlier if source == "last_year" else previous
        earlier = step(period, language=self.language)
        first_at = self.context.facts.catalogue().first_at
        # Where the data begins within the span, its sums are of another span than they say.
        if (
            first_at is None
            or earlier.window.start is None
            or earlier.window.start < _day_of(first_at, earlier)
        ):
            return None
        found = estimate(
            self.measure.kind,
            sums(self.measure, self.chosen.over(earlier).selection, self.context.facts),
            scale=self.measure.scale,
        )
        if not found.n or found.value is None:
            return None
        span = earlier.result().model_dump(by_alias=True)
        return {"value": level(self.measure, found.value), "source": source, "n": found.n, "period": span}

    def _industry(self) -> dict[str, Any] | None:
        rate = industry_rate(self.measure.name, self.measure.title, self.context)
        if rate is None or self.measure.kind != "proportion":
            return None
        return {"value": rounded(rate.rate), "source": "industry", "n": rate.n, "from": rate.source}


def target_line(held: Mapping[str, Any]) -> dict[str, Any] | None:
    """An ECharts markLine at the target; None without one."""
    target = held["target"]
    if target is None:
        return None
    return {"symbol": "none", "data": [{"yAxis": target["value"], "name": "target"}]}


def _day_of(moment: datetime, period: ResolvedPeriod) -> datetime:
    zone = period.start.tzinfo if period.start else None
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _met(
    bound: float, value: float, interval: tuple[float | None, float | None], *, upwards: bool
) -> bool | Literal["undecided"]:
    low, high = interval
    if low is not None and high is not None and low < bound < high:
        return "undecided"
    return value >= bound if upwards else value <= bound
