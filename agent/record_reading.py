"""Questions about our own records: alerts by tier, what is due, what to do with one named by its id."""

import re
from dataclasses import replace
from typing import Final, Literal

from agent.frame import Frame, Goal
from agent.word_matching import matcher

Deed = Literal["update_task", "verdict", "message"]
_ID: Final = re.compile(
    r"(?<![A-Za-z0-9-])(?:(?:task|alert)-[0-9a-z]+|[A-Z]{1,3}-\d{1,6})(?![A-Za-z0-9-])", re.ASCII
)
_GOALS: Final[dict[str, Goal]] = {
    "done": "update_task",
    "cancelled": "update_task",
    "accurate": "verdict",
    "false_alarm": "verdict",
    "message": "message",
}


def record_ids(question: str) -> tuple[str, ...]:
    """The ids of alerts and tasks that a question names, as it writes them."""
    return tuple(dict.fromkeys(match.group() for match in _ID.finditer(question)))


def record_frame(question: str, language: Literal["zh", "en"]) -> Frame | None:
    """What is to be done with records that a question names; None where it names none or asks for no deed."""
    ids = record_ids(question)
    if not ids:
        return None
    rest = _ID.sub(" ", question)
    hit = next(iter(matcher("deeds").find(rest)), None)
    if hit is None or matcher("dont").find(rest):
        return None
    return replace(Frame(question, language), goals=(_GOALS[hit.tag],), records=ids, deed=hit.tag)


def alert_tiers(question: str) -> list[str]:
    """The tiers of alert that a question names."""
    return list(dict.fromkeys(hit.tag for hit in matcher("alert_tiers").find(question)))


def due_asked(question: str) -> str | None:
    """`overdue` or `today`, where a question asks for deadlines; None where it does not."""
    hits = [hit.tag for hit in matcher("due").find(question)]
    return hits[0] if hits else None
