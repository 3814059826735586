"""Reads one question into a Frame by words alone; what leans on the turn before is agent/follow_up.py's."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from agent.frame import Doubt, Frame, Goal, PeriodValue
from agent.goals import Cues, goals_of
from agent.horizon import Horizon, horizon
from agent.language import language_of
from agent.mending import Mender
from agent.out_of_scope import refused_word
from agent.period_reading import PeriodReader
from agent.question_shape import (
    asks_generally,
    claims_of,
    consists_of,
    counted_values,
    end_claimed,
    is_judged,
    one_stretch,
    rank_of,
    search_words,
    share_metric,
    share_that_moved,
    side_by_side_groups,
    wanted_metrics,
)
from agent.ranges import (
    blank,
    ends_of,
    from_to,
    hours_of_day,
    limit_of,
    side_by_side,
    unread_period,
)
from agent.record_reading import record_frame
from agent.roi_inputs import roi_inputs
from agent.subject import subject_of
from agent.unknown_names import unknown_names
from agent.value_span import LifeOf, anchored
from agent.vocabulary import Vocabulary
from agent.word_matching import Hit, ValueHit, matcher

_CUSTOMER = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{1,8}[-_]?\d{2,}(?![A-Za-z0-9])|(?<=客户)\s*[:：#]?\s*\d{3,}"
)
_IS_CUSTOMER = re.compile(r"客户|用户|会员|customer|client|user|account", re.IGNORECASE)
# "Tomorrow" mostly says when an answer is needed.
_SHORTEST_AHEAD = 3
_YEAR = re.compile(r"(?:19|20)\d{2}年?")
# Who has the most reviews is told by counting them.
_MOST_OF = re.compile(
    r"\bmost\s+(?:\w+\s+){0,2}(?:reviews|feedback|comments|complaints|tickets|items|responses|mentions)"
    r"|(?:评论|反馈|投诉|评价|工单|帖子|留言)(?:数|量)?(?:是)?最[多少]|最[多少]的?(?:评论|反馈|投诉|评价|工单)",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(?:以及|和|与|、|，|,|\s+and\s+)", re.IGNORECASE)
_FROM = re.compile(r"from|between|从", re.IGNORECASE)
_NOT_GROUPED = frozenset({"customer_id", "source", "speaker", "theme", "conversation_id"})
# In a search these are what is looked for, not segments.
_SUBJECTS = frozenset({"risk", "topic", "topic_area", "competitor"})
_WORDY = frozenset({"themes", "low_scores", "risk", "plan", "quality", "competitors", "journey", "anomalies"})
_UNGROUPED = frozenset(
    {"risk", "tasks", "customer", "quotes", "competitors", "segments", "journey", "forecast", "industry"}
    | {"alerts", "update_task", "verdict", "message"}
    | {"roi", "effect", "backlog", "drivers", "detail", "low_scores"}
)


class Reader:
    """Reads questions against one vocabulary."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        periods: PeriodReader,
        is_customer: Callable[[str], bool],
        is_subject: Callable[[str], bool] = lambda word: False,
        life_of: LifeOf = lambda dimension, value: None,
    ) -> None:
        """`is_customer`: whether an id is known; `is_subject`: whether a word is so common in the texts that
        it is what the data is about (餐厅 in reviews of restaurants) and no segment of it; `life_of`: from
        when to when a value appears."""
        self.vocabulary = vocabulary
        self.periods = periods
        self._is_customer = is_customer
        self._is_subject = is_subject
        self._life_of = life_of
        self._mender = Mender(vocabulary, periods)
        self._read: dict[str, Frame] = {}

    def read(self, question: str) -> Frame:
        """Read one question. Nothing is inherited; `named` tells what the question itself says.

        A name that the data does not have but that is one slip away from one that it has is read as that,
        and `doubts` says so.
        """
        if question not in self._read:
            frame = self._frame(question, question)
            mended, doubts = self._mender.names(question, frame.unknown)
            if doubts:
                frame = self._frame(question, mended)
                frame = replace(frame, doubts=(*doubts, *frame.doubts))
            if frame.unknown:
                told = tuple(name for name in frame.unknown if not self._is_subject(name))
                frame = replace(frame, unknown=told)
            self._read[question] = _with_named(frame)
        return self._read[question]

    def sides(self, question: str) -> list[str]:
        """The two questions of 9月广东NPS和浙江8月满意度: where both sides of an "and" name a period and a
        metric of their own. Else the question alone."""
        for joint in _JOINT.finditer(question):
            both = [question[: joint.start()], question[joint.end() :]]
            metrics = [{hit.tag for hit in self.vocabulary.metrics(side)} for side in both]
            if all(metrics) and metrics[0] != metrics[1] and all(self.periods.find(side) for side in both):
                return both
        return [question]

    def _frame(self, question: str, written: str) -> Frame:
        language = language_of(question)
        deed = record_frame(question, language)
        if deed is not None:
            return deed
        text = self._mender.spelling(written.strip())
        spans = self.periods.find(text)
        ahead = self._ahead(text, [span for span, _ in spans])
        if ahead:
            text = blank(text, [(ahead.start, ahead.end)])
        bare = blank(text, [span for span, _ in spans])
        metric_hits = wanted_metrics(bare, self.vocabulary.metrics(bare))
        if not metric_hits and not matcher("goals").find(bare):
            bare = self._mender.one_character(bare)
            metric_hits = self.vocabulary.metrics(bare)
        values = self._values(bare, metric_hits)
        metric_hits = metric_hits or counted_values(bare, values)
        ids = [match.group().strip(" :：#") for match in _CUSTOMER.finditer(bare)]
        customers = tuple(customer for customer in ids if self._is_customer(customer))
        strangers = tuple(i for i in ids if i not in customers and _IS_CUSTOMER.search(bare))
        claim = claims_of(bare)
        cues = Cues(
            bare,
            metric_hits,
            values,
            customers,
            periods=len(spans),
            ahead=ahead is not None,
            claims=claim is not None,
            counted=_MOST_OF.search(bare) is not None and self._names_a_column(bare),
        )
        goals = goals_of(cues)
        filters, exclude = self._filters(bare, values, goals)
        metrics = self._metrics(bare, metric_hits, filters)
        if not metrics:
            metrics, filters = share_that_moved(goals, claim, filters)
        scored = [] if metrics or not set(goals) <= {"figure", "compare"} else self.vocabulary.aspects(bare)
        if scored:
            # Where the data scores cleanliness itself, the word asks for that score.
            metrics = tuple(dict.fromkeys(hit.tag for hit in scored))
            filters = {d: v for d, v in filters.items() if d not in ("topic", "topic_area")}
        group_by = self._group_by(bare, goals, values)
        if group_by and not metrics and _MOST_OF.search(bare):
            metrics = ("volume",)
        period, compare_to = self._periods(bare, text, [phrase for _, phrase in spans], goals)
        dated = bool(spans)
        if not goals and (metrics or group_by or filters or exclude or asks_generally(bare, dated)):
            goals = ("figure",)
        if goals == ("figure",) and compare_to is not None:
            goals = ("compare",)
        if "detail" in goals:
            filters = {d: v for d, v in filters.items() if d != "sentiment"}  # 负面多少 is part of the answer
        if "competitors" in goals:
            filters = {d: v for d, v in filters.items() if d not in ("risk", "competitor")}
        goals, group_by = side_by_side_groups(goals, group_by, filters, compare_to)
        unread = unread_period(bare, values)
        if period is None and _YEAR.fullmatch(unread):
            period = unread
        refusal = refused_word(written, goals, metrics)
        frame = Frame(
            question=question.strip(),
            language=language,
            topics=self.vocabulary.titles.get(language, {}),
            goals=goals,
            metrics=metrics,
            period=period,
            compare_to=compare_to,
            filters=filters,
            exclude=exclude,
            group_by=group_by,
            limit=limit_of(bare),
            rank=rank_of(bare, goals),
            judged=is_judged(bare),
            claims=claim,
            unread="" if _YEAR.fullmatch(unread) else unread,
            stands=end_claimed(bare, goals, values),
            customer_ids=customers,
            search=search_words(bare, goals, values),
            about=subject_of(bare, values) if {"opinion", "detail"} & set(goals) else "",
            horizon=ahead.days if ahead else None,
            inputs=roi_inputs(written) if "roi" in goals else {},
            unknown=strangers or self._unknown(bare, goals, [*metric_hits, *scored], values),
            doubts=self._doubts(values, filters),
            refusal=refusal[0] if refusal else None,
            refused=refusal[1] if refusal else "",
        )
        return anchored(frame, bare, values, self._life_of, self._data_days())

    def _data_days(self) -> tuple[date, date] | None:
        catalogue = self.vocabulary.catalogue
        if catalogue.first_at is None or catalogue.last_at is None:
            return None
        return self.periods.day_of(catalogue.first_at), self.periods.day_of(catalogue.last_at)

    def _ahead(self, text: str, periods: list[tuple[int, int]]) -> Horizon | None:
        """A stretch of time ahead, where it is what the question is about and not when something is due."""
        found = horizon(text)
        if found is None:
            return None
        foreseen = any(hit.tag == "forecast" for hit in matcher("goals").find(text))
        return found if foreseen or not (periods or found.days < _SHORTEST_AHEAD) else None

    def _values(self, text: str, metrics: list[Hit]) -> list[ValueHit]:
        words = [hit for hit in metrics if hit.tag != "volume"]
        found = [
            v
            for v in self.vocabulary.values(text)
            if not any(v.start < h.end and h.start < v.end for h in words)
        ]
        return [*found, *hours_of_day(text)]

    def _filters(
        self, text: str, values: list[ValueHit], goals: tuple[Goal, ...]
    ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        kept: dict[str, list[str]] = {}
        left_out: dict[str, list[str]] = {}
        without = matcher("exclude_before").find(text)
        wordy = _WORDY & set(goals)
        goal_spans = [hit for hit in matcher("goals").find(text) if hit.tag in wordy]
        for hit in values:
            if any(g.start <= hit.start and hit.end <= g.end for g in goal_spans):
                continue
            if "quotes" in goals and hit.dimension in _SUBJECTS:
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
        if asks_share and (share := share_metric(filters)):
            return (share,)
        if len(metrics) > 1 and "volume" in metrics:
            metrics.remove("volume")
        return tuple(metrics)

    def _group_by(self, text: str, goals: tuple[Goal, ...], values: list[ValueHit]) -> tuple[str, ...]:
        each = matcher("each").find(text)
        ranked = rank_of(text, goals) is not None
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
        if _UNGROUPED & set(goals):
            return ()
        if "why" not in goals:
            found += [hit.tag for hit in matcher("time_group").find(text) if hit.tag not in found]
        return tuple(found)

    def _periods(
        self, text: str, whole: str, phrases: list[str], goals: tuple[Goal, ...]
    ) -> tuple[PeriodValue | None, PeriodValue | None]:
        first = phrases[0] if phrases else None
        if len(phrases) == 2 and (one_stretch(goals) or from_to(whole, phrases)):
            return self.periods.together(phrases[0], phrases[1]) or phrases[-1], None
        if len(phrases) >= 2 and not ("compare" in goals or side_by_side(text)):
            return phrases[-1], None
        if len(phrases) >= 2:
            later, earlier = (phrases[0], phrases[1])
            if self.periods.is_later(earlier, later):
                later, earlier = earlier, later
            return later, earlier
        runs = {"why", "plan", "trend", "since"} & set(goals)
        if first and claims_of(text) and (not runs or ("why" in goals and _FROM.match(first))):
            ends = ends_of(first)
            if ends and self.periods.is_later(ends[1], ends[0]):
                return ends[1], ends[0]
        if matcher("year_on_year").find(text):
            return first, "same period last year"
        if "compare" in goals and matcher("previous").find(text):
            return first, "previous period"
        return first, None

    def _unknown(
        self, text: str, goals: tuple[Goal, ...], metrics: list[Hit], values: list[ValueHit]
    ) -> tuple[str, ...]:
        if not set(goals) <= {"figure", "compare", "why", "trend"}:
            return ()
        known = [(hit.start, hit.end) for hit in values]
        named = self.vocabulary.dimensions(text)
        absent = self.vocabulary.absent_places(text)
        found = absent or unknown_names(text, [(hit.start, hit.end) for hit in metrics], known, named)
        own = self.vocabulary.own_words
        return tuple(name for name in found if not consists_of(name, own))

    def _names_a_column(self, text: str) -> bool:
        """Whether a question asks which value of a column (哪个州)."""
        each = matcher("each").find(text)
        columns = [hit for hit in self.vocabulary.dimensions(text) if hit.tag not in ("topic", "theme")]
        return any(0 <= hit.start - cue.end <= 2 for hit in columns for cue in each)

    def _doubts(self, values: list[ValueHit], filters: dict[str, list[str]]) -> tuple[Doubt, ...]:
        return tuple(
            Doubt(hit.value, hit.value, hit.dimension, hit.others)
            for hit in values
            if hit.others and hit.value in filters.get(hit.dimension, ())
        )


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
