"""The calls that a question starts with, by its goals."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from agent.frame import Frame, PeriodValue
from agent.record_reading import alert_tiers, due_asked
from agent.understanding import Reader
from agent.word_matching import matcher

QUOTES = 3
_LISTED = 5
_ALL_GROUPS = 500
# A course over more days than this is told by months, a shorter one by weeks.
_MONTHLY_FROM = 100
_LONGEST_FORECAST = 90
_LATEST_DAYS = 30


class Call(NamedTuple):
    """A tool call to make."""

    name: str
    args: dict[str, Any]


class FirstCalls:
    """Turns a frame into the calls that need no result first."""

    def __init__(self, reader: Reader, zone: ZoneInfo) -> None:
        self._reader = reader
        self._zone = zone
        self._by_goal: Mapping[str, Callable[[Frame], list[Call]]] = {
            "figure": self._figures,
            "compare": self._comparisons,
            "why": self._explain,
            "where": self._explain,
            "plan": self._explain,
            "since": self._since,
            "trend": self._trend,
            "forecast": self._forecast,
            "drivers": lambda frame: [self._measured("drivers", frame)],
            "anomalies": self._anomalies,
            "risk": self._risk,
            "tasks": self._tasks,
            "customer": self._customers,
            "quotes": self._quotes,
            "themes": self._themes,
            "detail": self._detail,
            "opinion": self._opinion,
            "low_scores": lambda frame: [_plain("low_score_drilldown", frame)],
            "quality": lambda frame: [_plain("data_quality", frame)],
            "segments": lambda frame: [_plain("customer_segments", frame)],
            "journey": lambda frame: [_plain("journey_map", frame)],
            "competitors": lambda frame: [_plain("compare_competitors", frame)],
            "industry": self._industry,
            "effect": self._effect,
            "roi": lambda frame: [Call("estimate_roi", {**frame.inputs, "language": frame.language})],
            "backlog": self._backlog,
            "alerts": self._alerts,
            "update_task": _task_updates,
            "verdict": _verdicts,
            "message": _messages,
        }

    def of(self, frame: Frame) -> list[Call]:
        """The calls of all goals in order, each once."""
        calls: list[Call] = []
        for goal in frame.goals:
            make = self._by_goal.get(goal)
            calls += [call for call in (make(frame) if make else []) if call not in calls]
        return calls

    def metric(self, frame: Frame) -> str:
        """The metric asked for, else what the data measures satisfaction by."""
        return frame.metric or self._reader.vocabulary.default_metric()

    def versus(self, frame: Frame, metric: str) -> dict[str, Any]:
        """The arguments of a comparison: the period asked for, else the last 30 days that have data."""
        args = {"metric": metric, **frame.selection()}
        if frame.period is None:
            args["period"] = self.latest()
        if frame.compare_to is not None:
            args["compare_to"] = frame.compare_to
        return args

    def latest(self) -> PeriodValue:
        """The last 30 days that have data."""
        last = self._reader.vocabulary.catalogue.last_at
        if last is None:
            return "last 30 days"
        end = last.astimezone(self._zone).date() + timedelta(days=1)
        return {"from": (end - timedelta(days=_LATEST_DAYS)).isoformat(), "to": end.isoformat()}

    def _figures(self, frame: Frame) -> list[Call]:
        if _all_classes(frame):
            filters = {d: v for d, v in frame.selection()["filters"].items() if d != "nps_class"}
            rest = {**frame.selection(), "filters": filters}
            return [Call("nps_stats", rest if filters else {k: v for k, v in rest.items() if k != "filters"})]
        grouping: dict[str, Any] = {"group_by": list(frame.group_by)} if frame.group_by else {}
        if frame.group_by and frame.rank:
            grouping["sort"] = "highest" if frame.rank == "both" else frame.rank
        if frame.group_by and frame.rank == "both":
            grouping["limit"] = _ALL_GROUPS  # the last group is asked for too
        return [
            _figure(metric, {**frame.selection(), **grouping})
            for metric in frame.metrics or (self.metric(frame),)
        ]

    def _comparisons(self, frame: Frame) -> list[Call]:
        return [self._compare(frame, metric) for metric in frame.metrics or (self.metric(frame),)]

    def _compare(self, frame: Frame, metric: str) -> Call:
        args = self.versus(frame, metric)
        if frame.group_by:
            args["by"] = frame.group_by[0]
        return Call("compare_periods", args)

    def _explain(self, frame: Frame) -> list[Call]:
        """A change is explained by two periods, a level by which groups are worse than the rest; a place
        that a question takes for granted is looked at first."""
        metric = self.metric(frame)
        if sides := _sides(frame):
            dimension, (first, second) = sides
            rest = {d: v for d, v in frame.selection().get("filters", {}).items() if d != dimension}
            args = {"metric": metric, **frame.selection(), "filters": rest}
            segments = {"segment_a": {dimension: second}, "segment_b": {dimension: first}}
            if not rest:
                del args["filters"]
            return [Call("compare_periods", {**args, **segments, "by": "topic"})]
        if frame.stands and frame.filters:
            return [self._standing(frame, metric), self._measured("root_cause", frame)]
        if frame.period is None and frame.claims is None:
            return [Call("root_cause", {"metric": metric, **frame.selection()})]
        return [self._compare(frame, metric), Call("root_cause", self.versus(frame, metric))]

    def _standing(self, frame: Frame, metric: str) -> Call:
        dimension = next(iter(frame.filters))
        rest = {d: v for d, v in frame.selection()["filters"].items() if d != dimension}
        args = {**frame.selection(), "group_by": [dimension], "sort": frame.stands, "limit": _ALL_GROUPS}
        args |= {"filters": rest}
        if not rest:
            del args["filters"]
        return _figure(metric, args)

    def _measured(self, tool: str, frame: Frame) -> Call:
        return Call(tool, {"metric": self.metric(frame), **frame.selection()})

    def _since(self, frame: Frame) -> list[Call]:
        """The days a level changed are looked for in all the data, unless a period is asked for."""
        return [self._measured("trend", frame)]

    def _trend(self, frame: Frame) -> list[Call]:
        days = self._reader.periods.days_in(frame.period) if frame.period is not None else None
        unit = "week" if days is not None and days < _MONTHLY_FROM else "month"
        calls = []
        for metric in frame.metrics or (self.metric(frame),):
            calls.append(Call("trend", {"metric": metric, **frame.selection()}))
            if self._reader.vocabulary.catalogue.last_at is None:
                continue  # nothing is dated
            args = {**frame.selection(), "group_by": [*frame.group_by, unit], "sort": "key"}
            calls.append(_figure(metric, args))
        return calls

    def _forecast(self, frame: Frame) -> list[Call]:
        days = {"days": min(frame.horizon, _LONGEST_FORECAST)} if frame.horizon else {}
        args = {**frame.selection(), **days}
        # What is to come does not depend on which part of the past the question names.
        args.pop("period", None)
        return [Call("forecast", {"metric": metric, **args}) for metric in frame.metrics or ("volume",)]

    def _anomalies(self, frame: Frame) -> list[Call]:
        metrics = [m for m in frame.metrics if not m.startswith("share:")]
        metric = {"metric": metrics[0]} if metrics else {}
        return [Call("detect_anomalies", {**metric, **frame.selection()})]

    def _risk(self, frame: Frame) -> list[Call]:
        chosen = frame.selection()
        # Who is about to leave says so in many words: churn intent is no condition of being at risk.
        filters = {d: v for d, v in chosen.get("filters", {}).items() if d not in ("intent", "risk")}
        chosen.pop("filters", None)
        some = {"filters": filters} if filters else {}
        return [Call("churn_risk", {**chosen, **some, "limit": frame.limit or _LISTED})]

    def _tasks(self, frame: Frame) -> list[Call]:
        return [task_call(frame, frame.customer_ids)] if frame.customer_ids else self._risk(frame)

    def _customers(self, frame: Frame) -> list[Call]:
        language = {"language": frame.language}
        return [Call("customer_360", {"customer_id": each, **language}) for each in frame.customer_ids]

    def _quotes(self, frame: Frame) -> list[Call]:
        query = {"query": frame.search} if frame.search else {}
        return [Call("search_feedback", {**frame.selection(), **query, "limit": frame.limit or _LISTED})]

    def _themes(self, frame: Frame) -> list[Call]:
        args = frame.selection()
        if "sentiment" not in frame.filters and matcher("complaining").find(frame.question):
            args["filters"] = {**args.get("filters", {}), "sentiment": "negative"}
        limit = {"limit": frame.limit} if frame.limit else {}
        rising = {"sort": "rising"} if frame.claims == "up" else {}
        return [Call("list_themes", {**args, **rising, **limit})]

    def _detail(self, frame: Frame) -> list[Call]:
        args = frame.selection()
        theme = frame.theme_id or frame.about
        topics = args.get("filters", {}).get("topic")
        if not frame.theme_id and isinstance(topics, str):
            return self._opinion(frame)
        return [Call("theme_detail", {**args, "theme": theme})]

    def _opinion(self, frame: Frame) -> list[Call]:
        """What people think of a thing: how negative they are about it, which themes it has, their words."""
        args = frame.selection()
        query = {} if frame.filters or not frame.about else {"query": frame.about}
        quotes = Call("search_feedback", {**args, **query, "limit": frame.limit or _LISTED})
        if query:
            return [quotes]
        return [
            Call("metric_stats", {"metric": "negative_share", **args}),
            Call("list_themes", {**args, "limit": _LISTED}),
            Call("search_feedback", {**args, "limit": QUOTES}),
        ]

    def _industry(self, frame: Frame) -> list[Call]:
        calls = [_plain("industry_compare", frame)]
        return [*self._figures(frame), *calls] if frame.metrics else calls

    def _effect(self, frame: Frame) -> list[Call]:
        args = frame.selection()
        start = args.pop("period")
        first = start["from"] if isinstance(start, dict) else start
        args.pop("exclude", None)
        # Nothing has the new version before its release: that is the measure and no segment.
        args["filters"] = {d: v for d, v in args.get("filters", {}).items() if d != "version"}
        if not args["filters"]:
            del args["filters"]
        rest = {"control": "rest"} if len(args.get("filters", {})) == 1 else {}
        return [
            Call("verify_effect", {"metric": metric, "start": first, **args, **rest})
            for metric in frame.metrics or (self.metric(frame),)
        ]

    def _backlog(self, frame: Frame) -> list[Call]:
        return [Call("list_tasks", {**_whose(frame), "language": frame.language})]

    def _alerts(self, frame: Frame) -> list[Call]:
        tiers = alert_tiers(frame.question)
        some = {"tiers": tiers} if tiers else {}
        return [Call("list_alerts", {**_whose(frame), **some, "language": frame.language})]


def _whose(frame: Frame) -> dict[str, Any]:
    """Of which customers, due when, and how many."""
    who = {"customer_ids": list(frame.customer_ids)} if frame.customer_ids else {}
    due = due_asked(frame.question)
    limit = {"limit": frame.limit} if frame.limit else {}
    return {**who, **({"due": due} if due else {}), **limit}


def _task_updates(frame: Frame) -> list[Call]:
    return [
        Call("update_task", {"task_id": one, "status": frame.deed, "language": frame.language})
        for one in frame.records
    ]


def _verdicts(frame: Frame) -> list[Call]:
    return [
        Call("record_verdict", {"alert_id": one, "verdict": frame.deed, "language": frame.language})
        for one in frame.records
    ]


def _messages(frame: Frame) -> list[Call]:
    return [
        Call("send_playbook_message", {"alert_id": one, "language": frame.language}) for one in frame.records
    ]


def _figure(metric: str, args: dict[str, Any]) -> Call:
    return Call("nps_stats", args) if metric == "nps" else Call("metric_stats", {"metric": metric, **args})


def task_call(frame: Frame, customers: Sequence[str]) -> Call:
    """A retention task for each of these customers."""
    return Call("create_retention_task", {"customer_ids": list(customers), "language": frame.language})


def _plain(tool: str, frame: Frame) -> Call:
    limit = {"limit": frame.limit} if frame.limit and tool != "customer_segments" else {}
    return Call(tool, {**frame.selection(), **limit})


def _all_classes(frame: Frame) -> bool:
    """How many promoters, passives and detractors there are is part of every NPS."""
    return len(frame.filters.get("nps_class", ())) > 1 and frame.metrics in ((), ("volume",), ("nps",))


def _sides(frame: Frame) -> tuple[str, tuple[str, str]] | None:
    """Two values of one dimension that "why is A worse than B" holds against each other."""
    for dimension, values in frame.filters.items():
        if len(values) == 2 and "why" in frame.goals:
            return dimension, (values[0], values[1])
    return None
