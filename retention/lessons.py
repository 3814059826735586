"""A lesson from the verdicts that are stored, and a version of the policy that follows from it."""

import re
from dataclasses import dataclass
from typing import Final

import yaml

from retention.learning import Lesson, learn
from retention.policy import Policy, parse_policy
from retention.policy_book import PolicyBook
from retention.policy_learnt import Learnt
from retention.verdict_cases import verdict_cases
from store.errors import ToolInputError
from store.operations import OperationStore

_HEAD: Final = "# Learnt from verdicts by `voiceloop policy learn`; the next lesson replaces it."
_SECTION: Final = re.compile(rf"(?:^{re.escape(_HEAD)}\n)?^learnt:.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class PolicyLesson:
    """A lesson, the live version it was learnt beside, and the text of the policy with it.

    `text` is None where the lesson is refused, and where the live policy knows it already.
    """

    lesson: Lesson
    policy: Policy
    text: str | None


def lesson_now(operations: OperationStore, book: PolicyBook) -> PolicyLesson:
    """Learn from all verdicts. The same verdicts teach the same, whatever was learnt before."""
    version = book.live_version()
    policy = book.policy(version.number)
    cases = verdict_cases(operations.verdicts(), operations.alerts())
    lesson = learn(cases, policy)
    known = lesson.learnt is None or _same(lesson.learnt, policy.learnt)
    return PolicyLesson(lesson, policy, None if known else with_learnt(version.text, lesson.learnt))


def with_learnt(text: str, learnt: Learnt | None) -> str:
    """The text of a policy with this section in place of the one it has; the rest stays as it is written."""
    bare = _SECTION.sub("", text).rstrip("\n") + "\n"
    if learnt is None:
        return bare
    section = yaml.safe_dump({"learnt": learnt.model_dump(mode="json")}, sort_keys=False, allow_unicode=True)
    whole = f"{bare}\n{_HEAD}\n{section}"
    parse_policy(whole)
    return whole


def require_text(found: PolicyLesson, says: str) -> str:
    """The text of the policy with the lesson. ToolInputError, in these words, where there is none."""
    if found.text is None:
        raise ToolInputError(says, hint="`voiceloop policy learn` shows what verdicts say of each situation")
    return found.text


def same_section(text: str, other: str) -> bool:
    """Whether two policies have learnt the same."""
    return _same(parse_policy(text).learnt, parse_policy(other).learnt)


def _same(learnt: Learnt, other: Learnt) -> bool:
    """Whether two sections do the same, however many verdicts they rest on."""
    return (learnt.weights, learnt.call_at) == (other.weights, other.call_at)
