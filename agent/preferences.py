"""What a person has told the agent to take for granted, and what it does to a question."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from agent.frame import Frame
from agent.word_matching import matcher
from store.preferences import Preference

_FILE = Path(__file__).with_name("preference_words.yaml")
# These say where: who names one of them does not want another by default.
_WHERE: Final = frozenset({"region", "city", "org_unit"})
# Answered without a selection of feedback.
_UNFILTERED: Final = frozenset(
    {"help", "roi", "customer", "backlog", "alerts", "update_task", "verdict", "message"}
)


@cache
def preference_words() -> dict[str, Any]:
    """What `preference_words.yaml` holds."""
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Preferences:
    """Default filters (dimension to values) and words (word to what it stands for) of one person."""

    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Sequence[Preference]) -> "Preferences":
        """From what the store holds of one person."""
        filters = {one.name: one.values for one in kept if one.kind == "filter"}
        return cls(filters, {one.name: one.values for one in kept if one.kind == "word"})

    def expanded(self, question: str) -> str:
        """The question with this person's words replaced by what they stand for, the longest first."""
        if not self.words:
            return question
        longest_first = sorted(self.words, key=len, reverse=True)
        pattern = re.compile("|".join(map(_whole, longest_first)), re.IGNORECASE)
        meant = {word.lower(): _joined(meaning) for word, meaning in self.words.items()}
        return pattern.sub(lambda found: meant[found[0].lower()], question)

    def applied(self, frame: Frame) -> Frame:
        """The frame with the defaults for what the question leaves open.

        What it names wins, a grouping by the same dimension too; "overall" switches them off.
        """
        frame = self._pooled(frame)
        if not self.filters or not frame.goals or set(frame.goals) <= _UNFILTERED or frame.customer_ids:
            return frame
        if frame.refusal or frame.unknown or frame.ask or matcher("everything").find(frame.question):
            return frame
        named = {*frame.filters, *frame.exclude, *frame.group_by}
        if named & _WHERE:
            named |= _WHERE
        added = {d: list(values) for d, values in self.filters.items() if d not in named}
        return replace(frame, filters={**frame.filters, **added}) if added else frame

    def used_in(self, question: str, calls: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
        """The default filters that these calls carry although the question names none of their values."""
        return {
            d: values
            for d, values in self.filters.items()
            if any(_values(args, d) == set(values) for args in calls)
            and not any(value.lower() in question.lower() for value in values)
        }

    def words_in(self, question: str) -> dict[str, tuple[str, ...]]:
        """The words of a question that this person has explained."""
        return {w: m for w, m in self.words.items() if re.search(_whole(w), question, re.IGNORECASE)}

    def _pooled(self, frame: Frame) -> Frame:
        """Several values that one word stands for are taken together, unless they are held apart."""
        if len(frame.group_by) != 1 or frame.rank or frame.goals != ("figure",):
            return frame
        values = {value.lower() for value in frame.filters.get(frame.group_by[0], ())}
        meant = any(
            _joined(meaning) in frame.question and values <= {one.lower() for one in meaning}
            for meaning in self.words.values()
            if len(meaning) > 1
        )
        apart = any(cue in frame.question.lower() for cue in preference_words()["apart"])
        return replace(frame, group_by=()) if meant and values and not apart else frame


NOTHING: Final = Preferences()


def _joined(meaning: Sequence[str]) -> str:
    return "和".join(meaning) if any(not one.isascii() for one in meaning) else " and ".join(meaning)


def _whole(word: str) -> str:
    escaped = re.escape(word)
    return rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])" if word.isascii() else escaped


def _values(args: Mapping[str, Any], dimension: str) -> set[str]:
    value = args.get("filters", {}).get(dimension) if isinstance(args.get("filters"), Mapping) else None
    return set(value) if isinstance(value, list | tuple) else {value} if isinstance(value, str) else set()
