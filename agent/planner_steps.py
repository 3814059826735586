"""The calls that follow from results: from a cause to customers' words, a plan and tasks."""

from collections.abc import Sequence
from typing import Any, Protocol

from agent.frame import Frame
from agent.planner_calls import QUOTES, Call, FirstCalls, task_call
from agent.word_matching import matcher
from tools.measures import lower_is_better

_TASKS_PROPOSED = 3
_RISK_ROWS = 5
_THEMES = 5
_ENTITY_DIMENSIONS = frozenset({"region", "city", "product", "version", "org_unit", "tier", "customer_type"})


class Step(Protocol):
    """A call that was made and what came of it."""

    @property
    def call(self) -> Call:
        """The call."""
        ...

    @property
    def result(self) -> dict[str, Any] | None:
        """The tool result, or None."""
        ...


class NextCalls:
    """Reads results and says what they call for."""

    def __init__(self, first: FirstCalls) -> None:
        self._first = first

    def after(self, frame: Frame, first: Sequence[Call], done: Sequence[Step]) -> list[Call]:
        """Every call that the results so far lead to, stage by stage, those already made among them."""
        goals = set(frame.goals)
        if goals & {"why", "where", "plan"} and not goals & {"risk", "customer"}:
            return self._after_causes(frame, first, done)
        if goals & {"tasks", "plan"}:
            return _tasks(frame, done)
        return []

    def _after_causes(self, frame: Frame, first: Sequence[Call], done: Sequence[Step]) -> list[Call]:
        found = _root_cause(first, done)
        causes = found.result["data"]["causes"] if found and found.result else []
        if found is None or not causes:
            return self._without_cause(frame, found, done)
        conditions = {k: v for k, v in causes[0]["conditions"].items() if k not in frame.exclude}
        where = frame.selection()
        if "period" in found.call.args:
            where["period"] = found.call.args["period"]
        calls = [self._words(where, conditions, causes[0].get("topic"))]
        if "plan" not in frame.goals:
            return calls
        segment = {k: v for k, v in conditions.items() if k in _ENTITY_DIMENSIONS}
        filters = {**where.get("filters", {}), **segment}
        narrowed = {"filters": filters} if filters else {}
        calls.append(Call("churn_risk", {**narrowed, "language": frame.language, "limit": _RISK_ROWS}))
        if not all(_made(call, done) for call in calls):
            return calls
        tasks = [] if matcher("plan_only").find(frame.question) else _tasks(frame, done)
        return [*calls, self._plan(frame, found), *tasks]

    def _without_cause(self, frame: Frame, found: Step | None, done: Sequence[Step]) -> list[Call]:
        """Where no cause stands out, what is complained of most still tells something of a segment."""
        if found is None or not found.result or not found.result["n"]:
            return _lower_side(frame, done)
        if "plan" in frame.goals:
            return [self._plan(frame, found)]
        return [_complaints(frame, found.call.args)] if frame.filters and not frame.claims else []

    def _plan(self, frame: Frame, found: Step) -> Call:
        spans = {k: v for k, v in found.call.args.items() if k in ("period", "compare_to")}
        return Call("create_action_plan", {"metric": self._first.metric(frame), **frame.selection(), **spans})

    @staticmethod
    def _words(where: dict[str, Any], conditions: dict[str, Any], topic: str | None) -> Call:
        filters = {**where.get("filters", {}), **conditions, "sentiment": "negative"}
        if topic:
            filters["topic"] = topic
        return Call("search_feedback", {**where, "filters": filters, "limit": QUOTES})


def _complaints(frame: Frame, args: dict[str, Any]) -> Call:
    """What is complained of most among the items that these arguments select."""
    kept = {k: v for k, v in args.items() if k in ("period", "exclude", "language")}
    filters = {**args.get("filters", {}), "sentiment": "negative"}
    return Call("list_themes", {**kept, "filters": filters, "limit": _THEMES})


def _lower_side(frame: Frame, done: Sequence[Step]) -> list[Call]:
    """Of two segments held against each other, what the worse one complains of."""
    for step in done:
        if step.call.name == "compare_periods" and step.result and "segment_a" in step.call.args:
            data = step.result["data"]
            if not data["significant"]:
                return []
            better_high = not lower_is_better(data["metric"])
            worse = "segment_a" if (data["change"] > 0) == better_high else "segment_b"
            args = {
                **step.call.args,
                "filters": {**step.call.args.get("filters", {}), **step.call.args[worse]},
            }
            return [_complaints(frame, args)]
    return []


def _root_cause(first: Sequence[Call], done: Sequence[Step]) -> Step | None:
    """The search for causes of this question."""
    for step in done:
        if step.call.name == "root_cause" and step.result and step.call in first:
            return step
    return None


def _made(call: Call, done: Sequence[Step]) -> bool:
    return any(step.call == call for step in done)


def _tasks(frame: Frame, done: Sequence[Step]) -> list[Call]:
    risky = [
        customer["customer_id"]
        for step in done
        if step.call.name == "churn_risk" and step.result
        for customer in step.result["data"]["customers"]
        if customer.get("tier")
    ]
    chosen = list(dict.fromkeys(risky))[: frame.limit or _TASKS_PROPOSED]
    return [task_call(frame, chosen)] if chosen else []
