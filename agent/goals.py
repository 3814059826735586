"""Which goals a question has: what a word that points at one means depends on the others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from agent.frame import Goal
from agent.word_matching import Hit, ValueHit, matcher

# A goal of the first kind says what the others are about; these then only colour it.
_SPECIAL = ("roi", "effect", "forecast", "segments", "journey", "industry", "alerts", "backlog")
_BESIDE = {"industry": ("why", "plan"), "journey": ("plan", "why"), "forecast": ("plan",)}
_COUNTED_AWAY = frozenset({"low_scores", "quotes", "themes", "competitors", "opinion", "industry", "where"})
_WEAK = frozenset({"detail", "opinion"})
_OF_CAUSES = frozenset({"why", "where", "since"})
_MENTIONS = re.compile(r"提到|提及|说到|涉及|\bmention", re.IGNORECASE)
_OPEN = re.compile(
    r"哪些|哪个|哪家|什么|谁|多少家|怎么样|情况|分析|对比|比|which|what|who|how|compare|vs", re.IGNORECASE
)
_SINCE = re.compile(
    r"之后|以后|[上下]线后|[后起](?=[，,\s]|$)|以来|\b(?:after|since|following)\b", re.IGNORECASE
)
_GIVES = re.compile(
    r"(?:给|来|看|举|列|找|贴|摘)(?:我|出)?(?:[几两二三四五六七八九十]|\d{1,2})\s*(?:条|句|个例|段)"
)
_AGAINST_US = re.compile(
    r"(?:和|跟|与)(?:我们|咱们)比|比我们|(?:compare|compared|versus|vs).{0,12}\bus\b", re.IGNORECASE
)
_CHANGES = re.compile(r"变化|变了|change", re.IGNORECASE)


@dataclass(frozen=True)
class Cues:
    """What else was recognised in a question, `text` with its periods blanked; `ahead`: it looks ahead;
    `claims`: it speaks of a direction of change; `counted`: it asks which value of a column has the most."""

    text: str
    metrics: Sequence[Hit]
    values: Sequence[ValueHit]
    customers: Sequence[str]
    periods: int
    ahead: bool = False
    claims: bool = False
    counted: bool = False

    @property
    def measured(self) -> bool:
        """Whether a metric other than a plain count is named."""
        return any(hit.tag != "volume" for hit in self.metrics)

    @property
    def counts(self) -> bool:
        """Whether it asks how many."""
        return any(hit.tag == "volume" for hit in self.metrics)


def goals_of(cues: Cues) -> tuple[Goal, ...]:
    """The goals in the order of their words."""
    hits = _outside_values(matcher("goals").find(cues.text), cues)
    tags = list(dict.fromkeys(hit.tag for hit in hits))
    if matcher("dont").find(cues.text):
        tags = _without(tags, "tasks", "plan")
    if cues.customers and not {"tasks", "quotes"} & set(tags):
        tags = ["customer", *[tag for tag in tags if tag in ("plan", "tasks")]]
    if _GIVES.search(cues.text) and "quotes" not in tags:
        tags.append("quotes")
    tags = _special(tags, cues)
    for rule in (_about_causes, _about_counts, _about_themes, _about_rivals, _about_time, _about_people):
        tags = rule(tags, cues)
    if "compare" in tags and not _compares(cues) and cues.periods < 2:
        tags.remove("compare")
    if len(tags) > 1 or cues.metrics:
        tags = [tag for tag in tags if tag != "help"]
    return tuple(goal for tag in tags for goal in get_args(Goal) if goal == tag)


def _outside_values(hits: list[Hit], cues: Cues) -> list[Hit]:
    """A word inside a longer value or metric of the data points at no goal (预测 in a product's name)."""
    longer = [(v.start, v.end) for v in cues.values] + [(m.start, m.end) for m in cues.metrics]
    return [
        h for h in hits if not any(s <= h.start and h.end <= e and e - s > h.end - h.start for s, e in longer)
    ]


def _special(tags: list[str], cues: Cues) -> list[str]:
    """Goals that answer the whole question by themselves, where what they need is there."""
    if "risk" in tags:
        tags = _without(tags, "forecast")
    elif cues.ahead and not {"plan", "tasks"} & set(tags) and (cues.metrics or "forecast" in tags):
        tags = ["forecast", *_without(tags, "forecast")]
    measure = bool(matcher("measures").find(cues.text))
    if "effect" in tags and not measure:
        tags = _without(tags, "effect")
    if measure and cues.periods and cues.claims and _SINCE.search(cues.text) and "why" not in tags:
        tags = ["effect", *tags]
    for one in _SPECIAL:
        if one in tags:
            kept = {"industry": ("why", "plan"), "journey": ("plan", "why"), "forecast": ("plan",)}.get(
                one, ()
            )
            return [one, *[tag for tag in tags if tag in kept]]
    return tags


def _about_causes(tags: list[str], cues: Cues) -> list[str]:
    """Why, where and since when lead to a search for causes; other words then say of what."""
    found = tags
    if "why" in tags:
        tags = _without(tags, "compare", "anomalies", "trend", "drivers", "opinion", "detail")
        if "low_scores" in tags or ("drivers" in found and not (cues.claims or cues.periods)):
            tags = _without(tags, "why")
            tags += [tag for tag in ("drivers",) if tag in found]
    if "drivers" in tags:
        tags = _without(tags, "trend", "compare", "themes", "opinion")
    if "plan" in tags and "why" not in tags:
        tags = _without(tags, "opinion", "detail")
    if _OF_CAUSES & set(tags):
        tags = _without(tags, "themes") if "why" in tags and cues.measured else tags
        tags = _without(tags, "trend") if "since" in tags else tags
    return tags


def _about_counts(tags: list[str], cues: Cues) -> list[str]:
    asks_share = bool(matcher("share").find(cues.text)) and any(
        v.dimension == "nps_class" for v in cues.values
    )
    if (asks_share or cues.counts) and not (_OF_CAUSES | {"plan"}) & set(tags):
        tags = [tag for tag in tags if tag not in _COUNTED_AWAY]
    return tags


def _about_themes(tags: list[str], cues: Cues) -> list[str]:
    if "low_scores" in tags:
        tags = _without(tags, "themes", "opinion", "detail", "quotes")
    others = set(tags) - _WEAK - {"themes", "quotes"}
    if others or cues.measured:
        tags = _without(tags, *_WEAK)
    if "quotes" in tags and cues.measured and _looks_up(cues.text):
        tags = _without(tags, "quotes")
    if cues.counted:
        tags = _without(tags, "themes", "quotes")
    if "themes" in tags:
        tags = _without(tags, "quotes", "compare", "trend")
        subject = [v for v in cues.values if v.dimension in ("topic", "topic_area")]
        tags = _without(tags, "themes") if subject and _WEAK & set(tags) else _without(tags, *_WEAK)
    return tags


def _looks_up(text: str) -> bool:
    """Whether the words that ask for quotes only say "look up"."""
    verbs = {(hit.start, hit.end) for hit in matcher("look_up").find(text)}
    asked = [(hit.start, hit.end) for hit in matcher("goals").find(text) if hit.tag == "quotes"]
    return all(span in verbs for span in asked)


def _about_rivals(tags: list[str], cues: Cues) -> list[str]:
    rival = any(v.dimension == "competitor" for v in cues.values)
    if rival and _AGAINST_US.search(cues.text):
        return ["competitors"]
    if "competitors" not in tags:
        return tags
    asked = _OPEN.search(cues.text) is not None or set(tags) == {"competitors"}
    filtered = cues.measured and _MENTIONS.search(cues.text) is not None
    others = set(tags) - {"competitors", "compare", "themes", "opinion", "where"}
    if not asked or filtered or others:
        return _without(tags, "competitors")
    return ["competitors"]


def _about_time(tags: list[str], cues: Cues) -> list[str]:
    if "trend" in tags and (matcher("time_group").find(cues.text) or cues.periods > 1):
        tags = _without(tags, "trend")
    if "trend" in tags or "anomalies" in tags:
        tags = _without(tags, "compare")
    if "anomalies" in tags and "quality" in tags:
        tags = _without(tags, "anomalies")
    if "since" in tags:
        tags = _without(tags, "compare")
    return tags


def _about_people(tags: list[str], cues: Cues) -> list[str]:
    if "risk" in tags:
        tags = _without(tags, "themes", "where", "opinion", "detail", "quotes")
    return tags


def _without(tags: list[str], *unwanted: str) -> list[str]:
    return [tag for tag in tags if tag not in unwanted]


def _compares(cues: Cues) -> bool:
    """A comparison needs a second side: a period before, a direction of change, or two segments."""
    text = cues.text
    if matcher("previous").find(text) or matcher("year_on_year").find(text) or cues.claims:
        return True
    if _CHANGES.search(text):
        return True
    dimensions = [v.dimension for v in cues.values]
    return any(dimensions.count(d) > 1 for d in dimensions)
