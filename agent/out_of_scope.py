"""Tells what the feedback cannot answer, and what nobody is told."""

import re
from collections.abc import Sequence

from agent.frame import Goal, Refusal
from agent.word_matching import matcher

# Goals that a single ordinary word may have given a question about something else.
_WEAK = frozenset(
    {"figure", "why", "plan", "forecast", "trend", "opinion", "detail", "quotes", "compare", "themes"}
)
# Who counts or looks up what customers say about a thing does not ask for the thing.
_SAID = re.compile(
    r"提到|提及|说到|投诉|抱怨|吐槽|反馈|评论|评价|相关的?|关于|多少[条个人]"
    r"|\b(?:mention|complain|feedback|review|comment|about|related|how many)",
    re.IGNORECASE,
)


def refused_word(text: str, goals: Sequence[Goal], metrics: Sequence[str]) -> tuple[Refusal, str] | None:
    """What a question asks for that is refused, and the word for it; None where nothing is.

    Code, poems, prompts and keys are refused whatever stands beside them; personal data wherever it is asked
    for itself; weather or sales only where no metric of the data is asked for.
    """
    said = _SAID.search(text) is not None
    sections: list[tuple[str, Refusal]] = [("never", "out_of_scope")]
    if not said:
        sections.append(("personal", "personal"))
    if set(goals) <= _WEAK and not [m for m in metrics if m != "volume"]:
        sections.append(("elsewhere", "out_of_scope"))
    for section, kind in sections:
        for hit in matcher("out_of_scope", section).find(text):
            return kind, text[hit.start : hit.end]
    return None
