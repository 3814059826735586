"""What a question takes over from the one before: 那上海呢？ / and why? / 不对，我是说华东 / 跟9月比呢."""

import re
from dataclasses import replace

from agent.frame import Frame, PeriodValue
from agent.understanding import Reader
from agent.word_matching import matcher

_SHORT_ZH = 9
_SHORT_EN = 6
_CJK = re.compile(r"[\u3400-\u9fff]")
_NEEDS_METRIC = frozenset(
    {
        "compare",
        "why",
        "where",
        "since",
        "plan",
        "figure",
        "trend",
        "forecast",
        "anomalies",
        "drivers",
        "effect",
    }
)
_DEEDS = frozenset({"update_task", "verdict", "message"})
_STANDS_ALONE = frozenset({"quality", "help", "customer", "roi", "backlog", "segments", "alerts"} | _DEEDS)
# Beside a period: it is held against the one asked about before. 占比 compares nothing.
_AGAINST = re.compile(
    r"(?<![占对])比(?![例率重如值])|对比|较|\b(?:vs|versus|compar\w+|against|than)\b", re.IGNORECASE
)
_MOODS = frozenset({"positive_share", "neutral_share", "negative_share"})
_PLACES = (("city", "region"), ("region", "city"), ("org_unit", "region"), ("org_unit", "city"))
# "X呢？" after one of these asks the same of X, even where X is another metric.
_REPEATED = frozenset({"compare", "why", "trend", "forecast", "anomalies", "drivers", "figure"})


def lean_on(
    frame: Frame,
    before: Frame | None,
    reader: Reader,
    *,
    same_message: bool = False,
) -> Frame:
    """Fill what `frame` leaves open from `before`, where the question leans on it; else return it as it is.

    A question leans when it opens with a follow-up word, corrects, is short, or has no goal of its own, and
    always where it stands in the same message. What the question itself names wins; a named value replaces
    the old values of its dimension. A refused question hands nothing on.
    """
    if before is None or before.refusal or frame.refusal or not _leans(frame, same_message=same_message):
        return frame
    elliptic = frame.goals == ("figure",) and _elliptic(frame)
    same_goal = not frame.goals or (frame.goals == ("figure",) and not frame.metrics) or elliptic
    goals = frame.goals
    if same_goal and before.goals and not (elliptic and frame.metrics and not set(before.goals) <= _REPEATED):
        goals = before.goals
    metrics = frame.metrics or (before.metrics if _NEEDS_METRIC & set(goals) else ())
    filters = _filters(frame, before)
    if same_goal and before.metric in _MOODS and (mood := frame.filters.get("sentiment")):
        # 好评占比多少？那负面的呢？
        metrics = (f"{mood[0]}_share",)
        filters.pop("sentiment", None)
    group_by = frame.group_by
    if same_goal and not group_by and not frame.rank:
        group_by = tuple(d for d in before.group_by if d not in frame.filters)
    period, compare_to = _periods(frame, before, reader)
    if compare_to is not None and goals in ((), ("figure",), before.goals) and "period" not in frame.named:
        goals = goals or before.goals
    if compare_to is not None and set(goals) <= {"figure"}:
        goals = ("compare",)
    return replace(
        frame,
        goals=goals,
        metrics=metrics,
        period=period,
        compare_to=compare_to,
        filters=filters,
        exclude={**before.exclude, **frame.exclude},
        group_by=group_by,
        claims=frame.claims or (before.claims if {"why", "plan", "since"} & set(goals) else None),
        rank=frame.rank or (before.rank if same_goal else None),
        judged=frame.judged or (before.judged if same_goal and not frame.rank else False),
        limit=frame.limit or (before.limit if same_goal else None),
        horizon=frame.horizon or (before.horizon if same_goal else None),
        search=frame.search or (before.search if same_goal or "quotes" in goals else ""),
        about=frame.about or (before.about if same_goal else ""),
        customer_ids=frame.customer_ids or (before.customer_ids if _asks_of_customers(frame) else ()),
    )


def _filters(frame: Frame, before: Frame) -> dict[str, list[str]]:
    """The old conditions under the new ones; "overall" and "everywhere" drop the old."""
    if not frame.filters and matcher("everything").find(frame.question):
        return {}
    filters = {**before.filters, **frame.filters}
    for dimension in frame.exclude:
        filters.pop(dimension, None)
    # What is now split by was one value of it before: the whole is meant.
    for dimension in frame.group_by:
        if dimension not in frame.filters:
            filters.pop(dimension, None)
    # A city or store lies in one region: naming another place leaves the first.
    for inner, outer in (
        ("city", "region"),
        ("region", "city"),
        ("org_unit", "region"),
        ("org_unit", "city"),
    ):
        if inner in frame.filters and outer in before.filters and outer not in frame.filters:
            filters.pop(outer, None)
    return filters


def _periods(frame: Frame, before: Frame, reader: Reader) -> tuple[PeriodValue | None, PeriodValue | None]:
    """A period named with "compared with" stands beside the old one; else it takes its place."""
    old = before.period
    if "period" not in frame.named:
        return old, frame.compare_to or before.compare_to
    if old is not None and matcher("one_before").find(frame.question):
        return reader.periods.before(old) or frame.period, frame.compare_to
    against = _AGAINST.search(frame.question)
    if against and frame.compare_to is None and isinstance(old, str) and isinstance(frame.period, str):
        later, earlier = (old, frame.period)
        return (earlier, later) if reader.periods.is_later(earlier, later) else (later, earlier)
    return frame.period, frame.compare_to


def stands_alone(frame: Frame) -> bool:
    """Whether a question takes over nothing from the one before, where it opens a message."""
    return bool(frame.refusal) or not _leans(frame, same_message=False)


def _leans(frame: Frame, *, same_message: bool) -> bool:
    if _STANDS_ALONE & set(frame.goals):
        return False
    if same_message:
        return True
    text = frame.question
    cues = matcher("follow_up").find(text) + matcher("correction").find(text)
    opens = any(cue.start <= 1 for cue in cues) or text.rstrip("？?。！! ").endswith("呢")
    if not frame.goals or opens:
        return True
    size = len(_CJK.findall(text)), len(text.split())
    short = size[0] <= _SHORT_ZH if frame.language == "zh" else size[1] <= _SHORT_EN
    incomplete = not frame.metrics and "period" not in frame.named
    return short and incomplete


def _elliptic(frame: Frame) -> bool:
    """那满意度呢 / what about csat: the same question of another thing."""
    text = frame.question.rstrip("？?。！! ")
    return text.endswith("呢") or any(hit.start <= 1 for hit in matcher("what_about").find(text))


def _asks_of_customers(frame: Frame) -> bool:
    return "tasks" in frame.goals or "plan" in frame.goals
