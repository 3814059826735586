"""Small readings that shape a question: groups and ranks, shares, what a direction word claims."""

import re

from agent.frame import Direction, End, Goal, PeriodValue, Rank
from agent.ranges import blank
from agent.subject import subject_of
from agent.word_matching import Hit, ValueHit, matcher

# Two periods that these name are one stretch of time.
_WHOLE = frozenset(
    {"anomalies", "themes", "quotes", "low_scores", "risk", "drivers", "journey", "segments", "competitors"}
    | {"industry", "quality", "opinion", "detail", "trend"}
)
_MOVING = (
    ("intent", "complaint", "negative_share"),
    ("sentiment", "negative", "negative_share"),
    ("sentiment", "positive", "positive_share"),
)
_SHARES = {"negative": "negative_share", "positive": "positive_share", "neutral": "neutral_share"}
_LABEL_DIMENSIONS = ("topic", "topic_area", "risk", "intent", "sentiment", "emotion", "competitor")
_WIDE_DIMENSIONS = ("channel", "region", "language", "nps_class", "customer_type", "product", "priority")
_WORD = re.compile(r"[a-z0-9.]+|[\u3400-\u9fff]+")
_TAKEN_BACK = re.compile(r"(?:不是|而非|并非|不看|不要)\s*$|\bnot\s+(?:the\s+)?$", re.IGNORECASE)
# In a search these are what is looked for, not segments.
_SUBJECTS = frozenset({"risk", "topic", "topic_area", "competitor"})


def consists_of(name: str, words: frozenset[str]) -> bool:
    """Whether a name has no word besides these."""
    parts = _WORD.findall(name.lower())
    return bool(parts) and set(parts) <= words


def counted_values(text: str, values: list[ValueHit]) -> list[Hit]:
    """邮件量: the number of items with a value, named by the value and one character."""
    return [Hit(v.end, v.end + 1, "volume") for v in values if text[v.end : v.end + 1] == "量"]


def one_stretch(goals: tuple[Goal, ...]) -> bool:
    """Whether two periods in a question with these goals are one stretch of time."""
    return bool(_WHOLE & set(goals)) and not {"why", "plan", "compare", "since"} & set(goals)


def wanted_metrics(text: str, hits: list[Hit]) -> list[Hit]:
    """The metrics without those a correction takes back (要看NPS不是满意度), unless none were left."""
    kept = [hit for hit in hits if not _TAKEN_BACK.search(text[: hit.start])]
    return kept or hits


def side_by_side_groups(
    goals: tuple[Goal, ...],
    group_by: tuple[str, ...],
    filters: dict[str, list[str]],
    compare_to: PeriodValue | None,
) -> tuple[tuple[Goal, ...], tuple[str, ...]]:
    """Two values of one dimension side by side are a grouped figure, not a comparison of periods."""
    several = [d for d, values in filters.items() if len(values) > 1]
    if several and compare_to is None and set(goals) <= {"compare", "figure"} and not group_by:
        return ("figure",), (several[0],)
    return goals, group_by


def share_metric(filters: dict[str, list[str]]) -> str | None:
    """Turn "what share is X" into a share metric, taking X out of the filters."""
    for dimension in _LABEL_DIMENSIONS:
        if dimension in filters:
            value = filters.pop(dimension)[0]
            return _SHARES[value] if dimension == "sentiment" else f"share:{dimension}={value}"
    for dimension in [*(d for d in _WIDE_DIMENSIONS if d in filters), *filters]:
        return f"share:{dimension}={filters.pop(dimension)[0]}"
    return None


def share_that_moved(
    goals: tuple[Goal, ...], claim: Direction | None, filters: dict[str, list[str]]
) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """ "Why did complaints go up?" asks of the share of complaints, and not of a score among them."""
    if claim is None or not {"why", "plan", "since"} & set(goals):
        return (), filters
    for dimension, value, metric in _MOVING:
        if filters.get(dimension) == [value]:
            return (metric,), {d: v for d, v in filters.items() if d != dimension}
    return (), filters


def asks_generally(text: str, dated: bool) -> bool:
    """ "How was last month?": a period and nothing else, or a word for the whole picture."""
    if matcher("overview").find(text):
        return True
    rest = blank(text, [(hit.start, hit.end) for hit in matcher("overview_noise").find(text)])
    return dated and not re.sub(r"[\s，。？！?!,.]", "", rest)


def rank_of(text: str, goals: tuple[Goal, ...]) -> Rank | None:
    """Which end of an order is asked for; None where none is."""
    if "themes" in goals:
        return None
    text = blank(text, [(hit.start, hit.end) for hit in matcher("neutral").find(text)])
    low, high = bool(matcher("lowest").find(text)), bool(matcher("highest").find(text))
    if low and high:
        return "both"
    return "lowest" if low else "highest" if high else None


def is_judged(text: str) -> bool:
    """Whether the end is named as worst or best."""
    text = blank(text, [(hit.start, hit.end) for hit in matcher("neutral").find(text)])
    return bool(matcher("worst").find(text) or matcher("best").find(text))


def search_words(text: str, goals: tuple[Goal, ...], values: list[ValueHit]) -> str:
    """What a request for quotes looks for."""
    if "quotes" not in goals:
        return ""
    return subject_of(text, [v for v in values if v.dimension not in _SUBJECTS])


def end_claimed(text: str, goals: tuple[Goal, ...], values: list[ValueHit]) -> End | None:
    """The end of the order at which "why is A the lowest" takes A to stand."""
    rank = rank_of(text, goals)
    return None if "why" not in goals or not values or rank == "both" else rank


def claims_of(text: str) -> Direction | None:
    """The direction of change that a text speaks of; None where it names none or both."""
    text = blank(text, [(hit.start, hit.end) for hit in matcher("neutral").find(text)])
    down, up = matcher("down").find(text), matcher("up").find(text)
    if bool(down) == bool(up):
        return None
    return "down" if down else "up"
