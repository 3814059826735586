"""Reads one question into a Frame by words alone; what leans on the turn before is agent/follow_up.py's."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from agent.figures import find_figures
from agent.frame import Frame, Goal, PeriodValue, Rank
from agent.unknown_names import unknown_names
from agent.vocabulary import Hit, ValueHit, Vocabulary, matcher

PeriodFinder = Callable[[str], Sequence[tuple[tuple[int, int], str]]]
PeriodOrder = Callable[[str, str], bool]

_CJK = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]+")
_LIMIT = re.compile(
    r"(?:前|top\s*)(\d{1,3})(?!\d)|(?<!\d)(\d{1,3})\s*(?:条|个例|examples?|quotes?|comments?|reviews?|verbatims?)",
    re.I,
)
_CUSTOMER = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{1,8}[-_]?\d{2,}(?![A-Za-z0-9])|(?<=客户)\s*[:：#]?\s*\d{3,}"
)
_WORDED_LIMIT = re.compile(
    r"(?:前|最[\u4e00-\u9fff]{1,3}的?|给我看?|看|列|举|找)([二两三四五六七八九十]+)(?:个|名|条|大|位|家)"
    r"|\b(?:top|worst|best|lowest|highest)\s+(two|three|four|five|six|seven|eight|nine|ten)\b"
    r"|\b(two|three|four|five|six|seven|eight|nine|ten)\s+(?:lowest|highest|worst|best|biggest)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[「『“\"']([^「」『』“”\"']{1,60})[」』”\"']")
_LABEL_DIMENSIONS = ("topic", "topic_area", "risk", "intent", "sentiment", "emotion", "competitor")
_WIDE_DIMENSIONS = ("channel", "region", "language", "nps_class", "customer_type", "product", "priority")
_NOT_GROUPED = frozenset({"customer_id", "source", "speaker", "theme", "conversation_id"})
_SIDE_BY_SIDE = re.compile(r"[比和与跟对较]|\b(?:vs|versus|and|against|than|to|from)\b", re.IGNORECASE)
_ZH_FUNCTION = re.compile(r"[的吗呢是了在吧啊哪谁咋啥么多少为看给请下]")
_EN_FUNCTION = re.compile(
    r"\b(?:the|what|how|why|which|who|is|are|was|were|did|do|and|for|of|in|by|me|our|please|show|give)\b",
    re.I,
)
_YEAR = re.compile(r"(?:19|20)\d{2}|[今去前]年|(?:this|last) year", re.IGNORECASE)
# Two years, quarters or months; days make a span, not two things to compare.
_ENDS = re.compile(
    r"(?:between|from|从|自|在)?\s*((?:(?![日号]).)+?)\s*(?:\band\b|\bto\b|到|至|[-~—–])\s*((?:(?![日号\-/]).)+?)(?:期间|之间)?",
    re.IGNORECASE,
)
_SHARES = {"negative": "negative_share", "positive": "positive_share", "neutral": "neutral_share"}


class Reader:
    """Reads questions against one vocabulary."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        find_periods: PeriodFinder,
        is_later: PeriodOrder,
        is_customer: Callable[[str], bool],
    ) -> None:
        """`is_later(a, b)`: whether period phrase a starts after b; `is_customer`: whether an id is known."""
        self.vocabulary = vocabulary
        self._find_periods = find_periods
        self._is_later = is_later
        self._is_customer = is_customer
        self._speller = vocabulary.speller()

    def read(self, question: str) -> Frame:
        """Read one question. Nothing is inherited; `named` tells what the question itself says."""
        text = self._speller.latin(question.strip())
        spans = self._find_periods(text)
        bare = _blank(text, [span for span, _ in spans])
        metric_hits = self.vocabulary.metrics(bare)
        if not metric_hits and not matcher("goals").find(bare):
            bare = self._speller.chinese(bare)
            metric_hits = self.vocabulary.metrics(bare)
        values = self._values(bare, metric_hits)
        ids = [match.group().strip(" :：#") for match in _CUSTOMER.finditer(bare)]
        customers = tuple(customer for customer in ids if self._is_customer(customer))
        goals = self._goals(bare, metric_hits, values, customers, periods=len(spans))
        filters, exclude = self._filters(bare, values, goals)
        metrics = self._metrics(bare, metric_hits, filters)
        group_by = self._group_by(bare, goals, values)
        period, compare_to = self._periods(bare, [phrase for _, phrase in spans], goals)
        if not goals and (metrics or group_by or filters or exclude or _asks_generally(bare, bool(spans))):
            goals = ("figure",)
        if goals == ("figure",) and compare_to is not None:
            goals = ("compare",)
        goals, group_by = _segments(goals, group_by, filters, compare_to)
        frame = Frame(
            question=question.strip(),
            language=language_of(question),
            topics=self.vocabulary.titles.get(language_of(question), {}),
            goals=goals,
            metrics=metrics,
            period=period,
            compare_to=compare_to,
            filters=filters,
            exclude=exclude,
            group_by=group_by,
            limit=_limit(bare),
            rank=_rank(bare, goals),
            claims=_claims(bare),
            customer_ids=customers,
            search=self._search(bare, values) if "quotes" in goals else "",
            unknown=self._unknown(bare, goals, metric_hits, values),
        )
        return _with_named(frame)

    def _values(self, text: str, metrics: list[Hit]) -> list[ValueHit]:
        words = [hit for hit in metrics if hit.tag != "volume"]
        return [
            v
            for v in self.vocabulary.values(text)
            if not any(v.start < h.end and h.start < v.end for h in words)
        ]

    def _goals(
        self,
        text: str,
        metrics: list[Hit],
        values: list[ValueHit],
        customers: tuple[str, ...],
        *,
        periods: int,
    ) -> tuple[Goal, ...]:
        tags = list(dict.fromkeys(hit.tag for hit in matcher("goals").find(text)))
        if "why" in tags and "compare" in tags:
            tags.remove("compare")
        asks_share = matcher("share").find(text) and any(v.dimension == "nps_class" for v in values)
        if asks_share or any(hit.tag == "volume" for hit in metrics):
            tags = [tag for tag in tags if tag not in ("low_scores", "quotes", "themes")]
        if "themes" in tags and "quotes" in tags:
            tags.remove("quotes")
        if "compare" in tags and not _really_compares(text, values) and periods < 2:
            tags.remove("compare")
        if "help" in tags and (len(tags) > 1 or metrics):
            tags.remove("help")
        if customers and not {"tasks", "quotes"} & set(tags):
            tags = ["customer", *[tag for tag in tags if tag in ("plan", "tasks")]]
        return tuple(goal for tag in tags for goal in get_args(Goal) if goal == tag)

    def _filters(
        self, text: str, values: list[ValueHit], goals: tuple[Goal, ...]
    ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        kept: dict[str, list[str]] = {}
        left_out: dict[str, list[str]] = {}
        without = matcher("exclude_before").find(text)
        wordy = {"themes", "low_scores", "risk", "plan", "quality"} & set(goals)
        goal_spans = [hit for hit in matcher("goals").find(text) if hit.tag in wordy]
        for hit in values:
            if any(g.start <= hit.start and hit.end <= g.end for g in goal_spans):
                continue
            if "quotes" in goals and hit.dimension in ("risk", "topic", "topic_area", "competitor"):
                continue
            negated = any(0 <= hit.start - cue.end <= 3 for cue in without)
            target = left_out if negated else kept
            bucket = target.setdefault(hit.dimension, [])
            if hit.value not in bucket:
                bucket.append(hit.value)
        return kept, left_out

    def _metrics(self, text: str, hits: list[Hit], filters: dict[str, list[str]]) -> tuple[str, ...]:
        metrics = list(dict.fromkeys(hit.tag for hit in hits))
        asks_share = matcher("share").find(text) and (not metrics or metrics == ["volume"])
        if asks_share and (share := _share_metric(filters)):
            return (share,)
        if len(metrics) > 1 and "volume" in metrics:
            metrics.remove("volume")
        return tuple(metrics)

    def _group_by(self, text: str, goals: tuple[Goal, ...], values: list[ValueHit]) -> tuple[str, ...]:
        each = matcher("each").find(text)
        ranked = _rank(text, goals) is not None
        found: list[str] = []
        for hit in self.vocabulary.dimensions(text):
            inside_value = any(v.start <= hit.start and hit.end <= v.end for v in values)
            cued = any(0 <= hit.start - cue.end <= 2 for cue in each)
            ranks = ranked and hit.end - hit.start > 1
            after = re.match(r"\s*(?:分布|分别|之间|维度|拆分|breakdown)", text[hit.end :])
            if hit.tag in _NOT_GROUPED or inside_value or hit.tag in found:
                continue
            if cued or ranks or after:
                found.append(hit.tag)
        if {"risk", "tasks", "customer", "quotes"} & set(goals):
            return ()
        if "why" not in goals:
            found += [hit.tag for hit in matcher("time_group").find(text) if hit.tag not in found]
        return tuple(found)

    def _periods(
        self, text: str, phrases: list[str], goals: tuple[Goal, ...]
    ) -> tuple[PeriodValue | None, PeriodValue | None]:
        first = phrases[0] if phrases else None
        if len(phrases) >= 2 and not ("compare" in goals or _SIDE_BY_SIDE.search(text)):
            return phrases[-1], None
        if len(phrases) >= 2:
            later, earlier = (phrases[0], phrases[1])
            if self._is_later(earlier, later):
                later, earlier = earlier, later
            return later, earlier
        if first and _claims(text) and not {"why", "plan"} & set(goals) and (ends := self._ends(first)):
            return ends
        if matcher("year_on_year").find(text):
            return first, "same period last year"
        if "compare" in goals and matcher("previous").find(text):
            return first, "previous period"
        return first, None

    def _ends(self, phrase: str) -> tuple[str, str] | None:
        """ "Did it rise between 2012 and 2015?" holds the last part of a range against its first."""
        match = _ENDS.fullmatch(phrase.strip())
        if match is None or bool(_YEAR.search(match[1])) != bool(_YEAR.search(match[2])):
            return None
        return (match[2], match[1]) if self._is_later(match[2], match[1]) else None

    def _unknown(
        self, text: str, goals: tuple[Goal, ...], metrics: list[Hit], values: list[ValueHit]
    ) -> tuple[str, ...]:
        if not set(goals) <= {"figure", "compare", "why"}:
            return ()
        known = [(hit.start, hit.end) for hit in values]
        known += [(hit.start, hit.end) for hit in self.vocabulary.dimensions(text)]
        return unknown_names(text, [(hit.start, hit.end) for hit in metrics], known)

    def _search(self, text: str, values: list[ValueHit]) -> str:
        """What to look for: a quoted phrase, else the question without its command words."""
        if quoted := _QUOTED.search(text):
            return quoted[1]
        kept = [v for v in values if v.dimension not in ("risk", "topic", "topic_area", "competitor")]
        spans = [(v.start, v.end) for v in kept]
        spans += [(h.start, h.end) for h in matcher("goals").find(text) if h.tag == "quotes"]
        spans += [m.span() for m in _LIMIT.finditer(text)]
        rest = _blank(text, spans)
        rest = _blank(rest, [(h.start, h.end) for h in matcher("search_noise").find(rest)])
        rest = re.sub(r"[，。？！?!,.、]", " ", rest)
        return re.sub(r"\s+", " ", rest).strip()


def language_of(text: str) -> Literal["zh", "en"]:
    """The language a question is asked in: by its function words, else by which script prevails."""
    chinese, latin = _CJK.findall(text), _LATIN.findall(text)
    if not chinese or not latin:
        return "zh" if chinese else "en"
    # A name in the data may hold one such character; two of them make a Chinese sentence.
    grammar = len(set(_ZH_FUNCTION.findall(text))), bool(_EN_FUNCTION.search(text))
    if grammar[0] > 1 or (grammar[0] and not grammar[1]):
        return "zh"
    if grammar[1]:
        return "en"
    return "zh" if len(chinese) >= len(latin) else "en"


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    chars = list(text)
    for start, end in spans:
        chars[start:end] = " " * (end - start)
    return "".join(chars)


def _really_compares(text: str, values: list[ValueHit]) -> bool:
    """A comparison needs a second side: a period before, a direction of change, or two segments."""
    if matcher("previous").find(text) or matcher("year_on_year").find(text) or _claims(text):
        return True
    if re.search(r"变化|变了|change", text, re.IGNORECASE):
        return True
    dimensions = [v.dimension for v in values]
    return any(dimensions.count(d) > 1 for d in dimensions)


def _segments(
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


def _share_metric(filters: dict[str, list[str]]) -> str | None:
    """Turn "what share is X" into a share metric, taking X out of the filters."""
    for dimension in _LABEL_DIMENSIONS:
        if dimension in filters:
            value = filters.pop(dimension)[0]
            return _SHARES[value] if dimension == "sentiment" else f"share:{dimension}={value}"
    for dimension in [*(d for d in _WIDE_DIMENSIONS if d in filters), *filters]:
        return f"share:{dimension}={filters.pop(dimension)[0]}"
    return None


def _limit(text: str) -> int | None:
    match = _LIMIT.search(text)
    if match:
        return int(match[1] or match[2])
    worded = _WORDED_LIMIT.search(text)
    if worded:
        figures = find_figures(f"{worded[1]}个" if worded[1] else worded[2] or worded[3])
        return round(figures[0].value) if figures else None
    return None


def _asks_generally(text: str, dated: bool) -> bool:
    """ "How was last month?": a period and nothing else, or a word for the whole picture."""
    if matcher("overview").find(text):
        return True
    rest = _blank(text, [(hit.start, hit.end) for hit in matcher("overview_noise").find(text)])
    return dated and not re.sub(r"[\s，。？！?!,.]", "", rest)


def _rank(text: str, goals: tuple[Goal, ...]) -> Rank | None:
    if "themes" in goals:
        return None
    low, high = bool(matcher("lowest").find(text)), bool(matcher("highest").find(text))
    if low and high:
        return "both"
    return "lowest" if low else "highest" if high else None


def _claims(text: str) -> Literal["up", "down"] | None:
    text = _blank(text, [(hit.start, hit.end) for hit in matcher("neutral").find(text)])
    down, up = matcher("down").find(text), matcher("up").find(text)
    if bool(down) == bool(up):
        return None
    return "down" if down else "up"


def _with_named(frame: Frame) -> Frame:
    parts = {
        "goals": frame.goals,
        "metrics": frame.metrics,
        "period": frame.period,
        "compare_to": frame.compare_to,
        "filters": frame.filters or frame.exclude,
        "group_by": frame.group_by,
        "customers": frame.customer_ids,
    }
    return replace(frame, named=frozenset(name for name, value in parts.items() if value))
