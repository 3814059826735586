"""What a question takes over from the turn before: 那上海呢？ / and why? / 不对，我是说华东."""

import re
from dataclasses import replace

from agent.frame import Frame
from agent.vocabulary import matcher

_SHORT_ZH = 9
_SHORT_EN = 6
_CJK = re.compile(r"[\u3400-\u9fff]")
_NEEDS_METRIC = frozenset({"compare", "why", "plan", "figure"})
_STANDS_ALONE = frozenset({"quality", "help", "customer"})


def lean_on(frame: Frame, before: Frame | None) -> Frame:
    """Fill what `frame` leaves open from `before`, where the question leans on it; else return it as it is.

    A question leans when it opens with a follow-up word, corrects, is short, or has no goal of its own.
    What the question itself names always wins; a named value replaces the old values of its dimension.
    """
    if before is None or not _leans(frame):
        return frame
    same_goal = not frame.goals or (frame.goals == ("figure",) and not frame.metrics)
    goals = before.goals if same_goal and before.goals else frame.goals
    metrics = frame.metrics or (before.metrics if _NEEDS_METRIC & set(goals) else ())
    filters = {**before.filters, **frame.filters}
    for dimension in frame.exclude:
        filters.pop(dimension, None)
    group_by = frame.group_by
    if same_goal and not group_by:
        group_by = tuple(d for d in before.group_by if d not in frame.filters)
    period_named = "period" in frame.named
    return replace(
        frame,
        goals=goals,
        metrics=metrics,
        period=frame.period if period_named else before.period,
        compare_to=frame.compare_to if period_named or frame.compare_to else before.compare_to,
        filters=filters,
        exclude={**before.exclude, **frame.exclude},
        group_by=group_by,
        rank=frame.rank or (before.rank if same_goal else None),
        limit=frame.limit or (before.limit if same_goal else None),
        search=frame.search or (before.search if same_goal else ""),
        customer_ids=frame.customer_ids or (before.customer_ids if _asks_of_customers(frame) else ()),
    )


def _leans(frame: Frame) -> bool:
    if _STANDS_ALONE & set(frame.goals):
        return False
    text = frame.question
    cues = matcher("follow_up").find(text) + matcher("correction").find(text)
    opens = any(cue.start <= 1 for cue in cues) or text.rstrip("？?。！! ").endswith("呢")
    if not frame.goals or opens:
        return True
    size = len(_CJK.findall(text)), len(text.split())
    short = size[0] <= _SHORT_ZH if frame.language == "zh" else size[1] <= _SHORT_EN
    incomplete = not frame.metrics and "period" not in frame.named
    return short and incomplete


def _asks_of_customers(frame: Frame) -> bool:
    return "tasks" in frame.goals or "plan" in frame.goals
