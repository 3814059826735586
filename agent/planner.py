"""The offline planner: question and results so far in, next tool calls or the answer out. No model, no I/O
beyond the fact store's catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from agent.compose import compose
from agent.follow_up import lean_on
from agent.frame import Frame, PeriodValue
from agent.understanding import Reader
from agent.vocabulary import matcher

_QUOTES = 3
_RISK_ROWS = 5
_TASKS_PROPOSED = 3
_ALL_GROUPS = 500
_PLAIN_TOOLS = {"themes": "list_themes", "low_scores": "low_score_drilldown", "quality": "data_quality"}
_ENTITY_DIMENSIONS = frozenset({"region", "city", "product", "version", "org_unit", "tier", "customer_type"})


class Call(NamedTuple):
    """A tool call to make."""

    name: str
    args: dict[str, Any]


class Done(NamedTuple):
    """A call that was made: its result, or the error the tool answered with."""

    call: Call
    result: dict[str, Any] | None
    error: str | None


@dataclass(frozen=True)
class Reply:
    """Either calls to make or the text of the answer."""

    text: str = ""
    calls: tuple[Call, ...] = field(default=())


class Planner:
    """Answers a thread. Stateless: everything is read from the questions and the results."""

    def __init__(self, reader: Reader, zone: ZoneInfo) -> None:
        self._reader = reader
        self._zone = zone

    def frame(self, questions: Sequence[str]) -> Frame:
        """The reading of the last question, with what it takes over from those before."""
        frame: Frame | None = None
        for question in questions:
            frame = lean_on(self._reader.read(question), frame)
        if frame is None:
            raise ValueError("a thread needs a question")
        return frame

    def reply(self, questions: Sequence[str], done: Sequence[Done]) -> Reply:
        """Decide what comes next."""
        frame = self.frame(questions)
        calls = self._next(frame, done)
        if calls:
            return Reply(calls=tuple(calls))
        return Reply(text=compose(frame, done, self._reader.vocabulary.catalogue))

    def _next(self, frame: Frame, done: Sequence[Done]) -> list[Call]:
        if frame.unknown:
            return []
        first = self._first(frame)
        answered = {d.call.name for d in done if d.result is not None}
        tried = [d.call for d in done]
        # A model that failed half-way may have called other tools, or these in vain.
        if not any(call in tried or call.name in answered for call in first):
            return first
        if any(d.error for d in done if d.call in first):
            return []
        made = {call.name for call in tried}
        if "why" in frame.goals or "plan" in frame.goals:
            return self._after_causes(frame, done, made)
        if "tasks" in frame.goals and "create_retention_task" not in made:
            return self._tasks(frame, done)
        return []

    def _first(self, frame: Frame) -> list[Call]:
        calls: list[Call] = []
        for goal in frame.goals:
            calls += [call for call in self._calls_for(goal, frame) if call not in calls]
        return calls

    def _calls_for(self, goal: str, frame: Frame) -> list[Call]:
        selection = frame.selection()
        limit = {"limit": frame.limit} if frame.limit else {}
        if goal == "figure":
            return self._figures(frame)
        if goal == "compare":
            return [self._compare(frame, metric) for metric in frame.metrics or (self._metric(frame),)]
        if goal in ("why", "plan"):
            return self._explain(frame)
        if goal == "risk" or (goal == "tasks" and not frame.customer_ids):
            return [Call("churn_risk", {**selection, "limit": frame.limit or _RISK_ROWS})]
        if goal == "tasks":
            return [self._task_call(frame, frame.customer_ids)]
        if goal == "customer":
            language = {"language": frame.language}
            return [Call("customer_360", {"customer_id": each, **language}) for each in frame.customer_ids]
        if goal == "quotes":
            query = {"query": frame.search} if frame.search else {}
            return [Call("search_feedback", {**selection, **query, "limit": frame.limit or _RISK_ROWS})]
        if (
            goal == "themes"
            and "sentiment" not in frame.filters
            and matcher("complaining").find(frame.question)
        ):
            selection["filters"] = {**selection.get("filters", {}), "sentiment": "negative"}
        tool = _PLAIN_TOOLS.get(goal)
        return [Call(tool, {**selection, **limit})] if tool else []

    def _explain(self, frame: Frame) -> list[Call]:
        """A change is explained by two periods; a level by which groups are worse than the rest."""
        metric = self._metric(frame)
        if frame.period is None and frame.claims is None:
            return [Call("root_cause", {"metric": metric, **frame.selection()})]
        return [self._compare(frame, metric), Call("root_cause", self._versus(frame, metric))]

    def _figures(self, frame: Frame) -> list[Call]:
        calls = []
        grouping: dict[str, Any] = {"group_by": list(frame.group_by)} if frame.group_by else {}
        if frame.group_by and frame.rank:
            grouping["sort"] = "highest" if frame.rank == "both" else frame.rank
        if frame.group_by and frame.rank == "both":
            grouping["limit"] = _ALL_GROUPS  # the last group is asked for too
        for metric in frame.metrics or (self._metric(frame),):
            if metric == "nps":
                calls.append(Call("nps_stats", {**frame.selection(), **grouping}))
            else:
                calls.append(Call("metric_stats", {"metric": metric, **frame.selection(), **grouping}))
        return calls

    def _metric(self, frame: Frame) -> str:
        return frame.metric or self._reader.vocabulary.default_metric()

    def _versus(self, frame: Frame, metric: str) -> dict[str, Any]:
        args = {"metric": metric, **frame.selection()}
        if frame.period is None:
            args["period"] = self._latest()
        if frame.compare_to is not None:
            args["compare_to"] = frame.compare_to
        return args

    def _latest(self) -> PeriodValue:
        """The last 30 days that have data."""
        last = self._reader.vocabulary.catalogue.last_at
        if last is None:
            return "last 30 days"
        end = last.astimezone(self._zone).date() + timedelta(days=1)
        return {"from": (end - timedelta(days=30)).isoformat(), "to": end.isoformat()}

    def _compare(self, frame: Frame, metric: str) -> Call:
        args = self._versus(frame, metric)
        if frame.group_by:
            args["by"] = frame.group_by[0]
        return Call("compare_periods", args)

    def _after_causes(self, frame: Frame, done: Sequence[Done], made: set[str]) -> list[Call]:
        cause = top_cause(done)
        if cause is None:
            return []
        conditions = {k: v for k, v in cause["conditions"].items() if k not in frame.exclude}
        explained = next(d.call.args for d in done if d.call.name == "root_cause")
        where = frame.selection()
        if "period" in explained:
            where["period"] = explained["period"]
        if "search_feedback" not in made:
            filters = {**where.get("filters", {}), **conditions, "sentiment": "negative"}
            if cause.get("topic"):
                filters["topic"] = cause["topic"]
            calls = [Call("search_feedback", {**where, "filters": filters, "limit": _QUOTES})]
            if "plan" in frame.goals:
                segment = {k: v for k, v in conditions.items() if k in _ENTITY_DIMENSIONS}
                filters = {**where.get("filters", {}), **segment}
                calls.append(
                    Call("churn_risk", {"filters": filters, "language": frame.language, "limit": _RISK_ROWS})
                )
            return calls
        if "plan" in frame.goals and "create_action_plan" not in made:
            explained = {k: v for k, v in explained.items() if k in ("period", "compare_to")}
            plan = Call(
                "create_action_plan", {"metric": self._metric(frame), **frame.selection(), **explained}
            )
            return [plan, *self._tasks(frame, done)]
        return []

    def _tasks(self, frame: Frame, done: Sequence[Done]) -> list[Call]:
        risky = [
            customer["customer_id"]
            for d in done
            if d.call.name == "churn_risk" and d.result
            for customer in d.result["data"]["customers"]
            if customer.get("tier")
        ]
        chosen = risky[: frame.limit or _TASKS_PROPOSED]
        return [self._task_call(frame, chosen)] if chosen else []

    def _task_call(self, frame: Frame, customers: Sequence[str]) -> Call:
        return Call("create_retention_task", {"customer_ids": list(customers), "language": frame.language})


def top_cause(done: Sequence[Done]) -> dict[str, Any] | None:
    """The first cause that the root-cause result names, if any."""
    for d in done:
        if d.call.name == "root_cause" and d.result and d.result["data"]["verdict"] == "cause_found":
            causes: list[dict[str, Any]] = d.result["data"]["causes"]
            return causes[0] if causes else None
    return None
