"""The offline planner: the thread and the results so far in, next tool calls or the answer out. No model,
no I/O beyond the fact store's catalogue."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from agent.compose import Part, compose
from agent.follow_up import lean_on, stands_alone
from agent.frame import Frame
from agent.planner_calls import Call, FirstCalls
from agent.planner_steps import NextCalls
from agent.preferences import NOTHING, Preferences
from agent.question_parts import question_parts
from agent.referents import refer
from agent.understanding import Reader
from agent.word_matching import matcher
from tools.measures import lower_is_better

# A question leans on the one before it at most, and its pronouns on what that one showed.
_ALONE = 2
_CAUSES = frozenset({"why", "where", "since"})
_THIS = re.compile(r"这个|那个|这事|那事|这是|那是|\b(?:this|that|it)\b", re.IGNORECASE)
_MOST_TURNS_READ = 60


@dataclass(frozen=True)
class Done:
    """A call that was made: its result, or the error the tool answered with."""

    call: Call
    result: dict[str, Any] | None
    error: str | None


@dataclass(frozen=True)
class Turn:
    """A message of the thread with what was called for it."""

    message: str
    done: tuple[Done, ...] = ()


@dataclass(frozen=True)
class Reply:
    """Either calls to make or the text of the answer."""

    text: str = ""
    calls: tuple[Call, ...] = field(default=())


class Planner:
    """Answers a thread. Stateless: everything is read from the messages and the results."""

    def __init__(self, reader: Reader, zone: ZoneInfo) -> None:
        self._reader = reader
        self._first = FirstCalls(reader, zone)
        self._next = NextCalls(self._first)

    @property
    def reader(self) -> Reader:
        """What reads the questions."""
        return self._reader

    def frames(self, turns: Sequence[Turn], preferences: Preferences = NOTHING) -> tuple[list[Frame], int]:
        """The readings of the questions in the last message, each with what it takes over from those before,
        and how many questions were too many."""
        before: Frame | None = None
        results: list[dict[str, Any]] = []
        frames: list[Frame] = []
        more = 0
        for turn in turns[self._first_read(turns, preferences) :]:
            parts, more = question_parts(preferences.expanded(turn.message))
            parts = [one for part in parts for one in self._reader.sides(part)]
            unwanted = matcher("dont").find(turn.message)
            frames = []
            for part in parts:
                frame = refer(self._reader.read(part), before, results)
                frame = lean_on(frame, before, self._reader, same_message=bool(frames))
                if unwanted:
                    frame = replace(frame, goals=tuple(g for g in frame.goals if g not in ("tasks", "plan")))
                frames.append(_clarified(frame, before))
                before = frame
            results = [d.result for d in turn.done if d.result is not None]
        if not frames:
            raise ValueError("a thread needs a question")
        return _asking([self._judged(preferences.applied(frame)) for frame in frames]), more

    def _first_read(self, turns: Sequence[Turn], preferences: Preferences) -> int:
        """Where reading starts: the second last message that stands alone before the last one, so that the
        work of a turn does not grow with its thread."""
        alone = 0
        first = max(0, len(turns) - _MOST_TURNS_READ)
        for at in range(len(turns) - 2, first, -1):
            parts, _ = question_parts(preferences.expanded(turns[at].message))
            alone += stands_alone(self._reader.read(parts[0]))
            if alone == _ALONE:
                return at
        return first

    def _judged(self, frame: Frame) -> Frame:
        """The worst of what should be low is the highest."""
        if not frame.judged or frame.rank in (None, "both") or not lower_is_better(self._first.metric(frame)):
            return frame
        return replace(frame, rank="highest" if frame.rank == "lowest" else "lowest")

    def reply(self, turns: Sequence[Turn], preferences: Preferences = NOTHING) -> Reply:
        """Decide what comes next in the last turn."""
        frames, more = self.frames(turns, preferences)
        done = turns[-1].done
        calls: list[Call] = []
        for frame in frames:
            calls += [call for call in self._needed(frame, done) if call not in calls]
        if calls:
            return Reply(calls=tuple(calls))
        parts = self._told(frames, done)
        return Reply(text=compose(parts, self._reader.vocabulary, more=more, turns_before=len(turns) - 1))

    def _needed(self, frame: Frame, done: Sequence[Done]) -> list[Call]:
        if frame.unknown or frame.refusal or frame.ask:
            return []
        tried = [d.call for d in done]
        first = self._first.of(frame)
        missing = [call for call in first if call not in tried]
        if missing:
            return missing
        if any(d.error for d in done if d.call in first):
            return []
        return [call for call in self._next.after(frame, first, done) if call not in tried]

    def _told(self, frames: Sequence[Frame], done: Sequence[Done]) -> list[Part]:
        """Each question with the steps that answer it; a step is told once, where it is first of use."""
        left = list(done)
        parts = []
        for position, frame in enumerate(frames):
            last = position == len(frames) - 1
            wanted = [d for d in left if last or self._belongs(frame, d, done)]
            left = [d for d in left if d not in wanted]
            parts.append(Part(frame, wanted))
        return parts

    def _belongs(self, frame: Frame, step: Done, done: Sequence[Done]) -> bool:
        first = self._first.of(frame)
        return step.call in first or step.call in self._next.after(frame, first, done)


def _clarified(frame: Frame, before: Frame | None) -> Frame:
    """Ask where the answer depends on what the question does not say."""
    if frame.refusal or frame.unknown:
        return frame
    if before is None and not frame.named and not frame.search and matcher("pronouns").find(frame.question):
        return replace(frame, ask="subject")
    goals = set(frame.goals)
    if (
        before is None
        and goals
        and goals <= _CAUSES
        and frame.named == {"goals"}
        and _THIS.search(frame.question)
    ):
        return replace(frame, ask="subject")
    if frame.unread and frame.goals:
        return replace(frame, ask="period")
    if "tasks" in goals and not frame.customer_ids and matcher("pronouns").find(frame.question):
        return replace(frame, ask="customer")
    if "effect" in goals and frame.period is None:
        return replace(frame, ask="start")
    if "detail" in goals and not (frame.about or frame.theme_id or frame.filters):
        return replace(frame, ask="theme")
    if goals == {"compare"} and not (frame.metrics or frame.period or frame.claims):
        return replace(frame, ask="sides")
    if "roi" in goals and not (set(frame.inputs) - {"horizon_months"}):
        return replace(frame, ask="inputs")
    return frame


def _only_names(frame: Frame) -> bool:
    """ "Is Shenzhen doing ok? Give me its NPS": the first names what the second asks about."""
    return frame.goals == ("figure",) and not (frame.metrics or frame.period or frame.group_by or frame.rank)


def _asking(frames: list[Frame]) -> list[Frame]:
    """The frames without those that say nothing beside others that do (an aside, half a sentence); what is
    put as a question stays, understood or not."""
    frames = [f for n, f in enumerate(frames) if not (_only_names(f) and n + 1 < len(frames))] or frames
    asking = [f for f in frames if f.goals or f.refusal or f.unknown or f.ask or f.question[-1:] in "?？"]
    return asking or frames[:1]
