"""A lesson from verdicts put into the book of policies: by a person, or by the job that only proposes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from retention.lesson_figures import lesson_figures
from retention.lessons import require_text

if TYPE_CHECKING:
    from agent.wiring import App
    from store.policy_versions import PolicyVersion

# Who the versions that the job puts are by.
LEARNER: Final = "learning"


def put_lesson(
    app: "App", state: Literal["live", "shadow"], by: str
) -> "tuple[PolicyVersion, Mapping[str, Any]]":
    """Put what verdicts teach now as a version, with its figures as the report.

    ToolInputError where the lesson is refused or known already; Outdated where another version has become
    live meanwhile.
    """
    found = app.policy_lesson()
    figures = lesson_figures(found, app.settings.language)
    text = require_text(found, figures["says"])
    put = app.policy_book.put(
        text,
        state=state,
        by=by,
        why=figures["says"],
        report={"lesson": figures},
        made_from=found.policy.version,
    )
    return put, figures


def propose_lesson(app: "App") -> Mapping[str, Any]:
    """Put a proven lesson in shadow mode, where a person sees what it would do before it decides.

    A policy that a person has put in shadow mode stays there.
    """
    shadow = app.policy_book.store.in_state("shadow")
    found = app.policy_lesson()
    figures = lesson_figures(found, app.settings.language)
    told = {name: figures[name] for name in ("verdicts", "accurate", "refused", "says")}
    if shadow is not None and shadow.made_by != LEARNER:
        return {**told, "proposed": None, "kept": shadow.number}
    if found.text is None or (shadow is not None and _same_lesson(shadow.report, figures)):
        return {**told, "proposed": None, "kept": None if shadow is None else shadow.number}
    put, _ = put_lesson(app, "shadow", LEARNER)
    return {**told, "proposed": put.number, "kept": None}


def _same_lesson(report: Mapping[str, Any] | None, figures: Mapping[str, Any]) -> bool:
    """Whether the version in shadow mode changes the same already."""
    before = (report or {}).get("lesson", {})
    return (before.get("policy_version"), before.get("changes")) == (
        figures["policy_version"],
        figures["changes"],
    )
