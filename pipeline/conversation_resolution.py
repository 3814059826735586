"""Whether a conversation ended with the matter settled, and the turn that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.conversation_cues import Cues, load_cues
from pipeline.conversation_mood import PLEASED, UNHAPPY
from pipeline.conversation_turns import Turn

State = Literal["resolved", "unresolved", "unclear"]


@dataclass(frozen=True)
class Resolution:
    """The verdict, the index of the turn that decided it (None: nothing did), and the rule by name."""

    state: State
    turn: int | None
    reason: str


def resolution(turns: Sequence[Turn], levels: Sequence[float | None]) -> Resolution:
    """Return the last decisive state of a conversation.

    Turn by turn the latest evidence wins. Of the customer: settled (解决了, 到账了, "it works now") resolves;
    still without it, leaving, or plainly unhappy is unresolved; thanks resolve after an answer or a finished
    deed of the agent, and after a promise leave it unclear. Of the agent: a deed that nobody confirms is
    unclear, a promise or a transfer that nobody confirms is unresolved once the customer has waited before
    or acknowledges it. A new question after the settlement opens it again.
    """
    cues = load_cues()
    verdict = Resolution("unclear", None, "no_evidence")
    agent = "none"
    for index, turn in enumerate(turns):
        if not turn.text.strip():
            continue
        if turn.customer:
            found = _customer(cues, turn, levels[index], agent, verdict)
        else:
            agent = _agent(cues, turn.text)
            found = _after_agent(agent, verdict)
        if found is not None:
            verdict = Resolution(found[0], index, found[1])
    return verdict


def _customer(
    cues: Cues, turn: Turn, level: float | None, agent: str, verdict: Resolution
) -> tuple[State, str] | None:
    text = turn.text
    mood = level or 0.0
    confirmed = cues.says("resolution.confirmed", text) and not cues.says("resolution.denied", text)
    if confirmed and mood > UNHAPPY:
        return "resolved", "confirmed"
    if cues.says("resolution.pending", text) or cues.says("resolution.denied", text):
        return "unresolved", "still_waiting"
    if mood <= -1.5:
        return "unresolved", "unhappy"
    if cues.says("resolution.thanks", text) or mood >= PLEASED:
        if agent in ("done", "answered"):
            return "resolved", "thanked"
        if agent in ("promise", "transfer"):
            return "unclear", "promise_accepted"
        return None
    if agent == "promise" and cues.says("mood.courtesy", text):
        return "unresolved", "promise_pending"
    if verdict.state == "resolved" and text.rstrip().endswith(("?", "？", "吗", "呢")):
        return "unclear", "asked_again"
    return None


def _agent(cues: Cues, text: str) -> str:
    for kind in ("done", "transfer", "promise"):
        if cues.says(f"resolution.{kind}", text):
            return kind
    return "asked" if text.rstrip().endswith(("?", "？", "吗", "呢")) else "answered"


def _after_agent(agent: str, verdict: Resolution) -> tuple[State, str] | None:
    if verdict.state == "resolved":
        return None
    if agent == "done":
        return "unclear", "done_unconfirmed"
    if agent == "transfer":
        return "unresolved", "transferred"
    return None
